"""What is known of one path in all records: its values, and what they can and cannot be."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlvitals.events.names import flatten
from mlvitals.formats.times import Times, read_times

Path = tuple[str, ...]
Record = Mapping[str, Any]

_DEEPEST: Final = 12
_PROBED: Final = 20
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NUMERAL: Final = re.compile(r"[+-]?(0|[1-9]\d*)?(\.\d*)?(?<=\d)([eE][+-]?\d+)?", re.ASCII)
_MOST_PATHS: Final = 20_000


@dataclass(frozen=True)
class Column:
    """One path's values, one for each record, None where a record has none."""

    path: Path
    values: Sequence[Any]

    @property
    def name(self) -> str:
        """The path as the configuration spells it."""
        return flatten(self.path)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the path's last level: `inferenceTime` and `inference_time` have the same."""
        return words_of(self.path[-1])

    @property
    def joined(self) -> str:
        """The words of the last level without what stands between them."""
        return "".join(self.words)

    @cached_property
    def present(self) -> list[Any]:
        """The values that are there."""
        return [value for value in self.values if value is not None]

    @property
    def share(self) -> float:
        """The share of records that have a value."""
        return len(self.present) / len(self.values) if self.values else 0.0

    @cached_property
    def distinct(self) -> int:
        """The number of different values."""
        return len({repr(value) for value in self.present})

    @property
    def unique(self) -> float:
        """The share of values that stand once, 0 where there are none."""
        return self.distinct / len(self.present) if self.present else 0.0

    @cached_property
    def is_scalar(self) -> bool:
        """Whether there are values, none of them an object or an array."""
        return bool(self.present) and not any(isinstance(value, dict | list) for value in self.present)

    @cached_property
    def is_text(self) -> bool:
        """Whether all values are text."""
        return bool(self.present) and all(isinstance(value, str) for value in self.present)

    @cached_property
    def is_boolean(self) -> bool:
        """Whether all values are true or false."""
        return bool(self.present) and all(isinstance(value, bool) for value in self.present)

    @cached_property
    def numbers(self) -> npt.NDArray[np.float64] | None:
        """The values that are there as numbers, numerals in text among them, None if one of them is something else."""
        if not self.present or not all(map(is_number, self.present)):
            return None
        return np.array([float(value) for value in self.present])

    @cached_property
    def is_whole(self) -> bool:
        """Whether all values are whole numbers."""
        return self.numbers is not None and all(
            isinstance(value, int) or (isinstance(value, str) and value.lstrip("+-").isdigit())
            for value in self.present
        )

    @cached_property
    def is_share(self) -> bool:
        """Whether all values are numbers from 0 to 1, and not just those two."""
        numbers = self.numbers
        if numbers is None:
            return False
        finite = numbers[np.isfinite(numbers)]
        return bool(len(finite) and (finite >= 0).all() and (finite <= 1).all() and (finite % 1 != 0).any())

    @cached_property
    def times(self) -> Times | None:
        """The values as the reader of times sees them, one for each record; None if they are no text and no times."""
        if self.is_text:
            probe = read_times(pa.array(self.present[:_PROBED], pa.string()), None)
            if probe.values.null_count == len(probe.values) and not probe.naive.any():
                return None  # reading text that is no time costs a hundred times as much
            return read_times(pa.array(self.values, pa.string()), None)
        if self.present and all(isinstance(value, datetime) for value in self.present):
            return read_times(pa.array(self.values), None)
        return None


def is_number(value: object) -> bool:
    """Tell whether a value is a number, or a numeral in text: true and false are none, and `007` is a name."""
    if isinstance(value, str):
        return _NUMERAL.fullmatch(value) is not None
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def words_of(name: str) -> tuple[str, ...]:
    """Return a name's words in lower case."""
    return tuple(word.lower() for word in _WORDS.findall(name))


def columns_of(records: Sequence[Record]) -> dict[Path, Column]:
    """Return every path that leads to a scalar or an array in some record, in the order in which they first stand."""
    values: dict[Path, list[Any]] = {}
    for index, record in enumerate(records):
        for path, value in leaves(record):
            if path not in values:
                if len(values) >= _MOST_PATHS:
                    continue
                values[path] = [None] * len(records)
            values[path][index] = value
    return {path: Column(path, column) for path, column in values.items()}


def leaves(record: Record, under: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the paths and values of a record that are no objects; an empty object is none."""
    for key, value in record.items():
        path = (*under, str(key))
        if isinstance(value, dict) and len(path) < _DEEPEST:
            yield from leaves(value, path)
        elif isinstance(value, date) and not isinstance(value, datetime):
            yield path, value.isoformat()
        elif value is not None and not (isinstance(value, float) and math.isnan(value)):
            yield path, value


def value_at(record: Any, path: Path) -> Any:
    """Return what stands at a path of a record, None where it leads nowhere."""
    for level in path:
        if not isinstance(record, Mapping):
            return None
        record = record.get(level)
    return record


def replaced(record: Record, path: Path, value: Any) -> dict[str, Any]:
    """Return a record with another value at a path; what lies beside it is shared."""
    level, *rest = path
    inner = record.get(level)
    if rest:
        value = replaced(inner if isinstance(inner, Mapping) else {}, tuple(rest), value)
    return {**record, level: value}


def under(columns: Iterable[Column], path: Path) -> list[Column]:
    """Return the columns below a path."""
    return [column for column in columns if len(column.path) > len(path) and column.path[: len(path)] == path]
