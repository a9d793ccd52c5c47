"""What every format makes of its input before events are told apart: flattened columns of rows as read."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlvitals import wire
from mlvitals.events import canonical_text
from mlvitals.events.canonical import canonical_numeral
from mlvitals.events.names import escape

TIME_FIELDS: Final = (wire.TIMESTAMP, wire.LABEL_TIMESTAMP)
NAME_FIELDS: Final = (wire.MODEL, wire.MODEL_VERSION, wire.PREDICTION_ID, wire.LABEL_VERSION, wire.KIND, wire.TEXT)
PREDICTION_NUMBERS: Final = (
    wire.PREDICTION_SCORE,
    wire.PREDICTION_VALUE,
    wire.LATENCY_MS,
    wire.WEIGHT,
    wire.AMOUNT,
    wire.PROPENSITY,
)
NUMBER_FIELDS: Final = (*PREDICTION_NUMBERS, wire.LABEL_AMOUNT)
# Where the time was a number that is no time: a name in `Rows.wrong` only.
TIME_RANGE: Final = "timestamp.range"
SCALAR_FIELDS: Final = (wire.LABEL, wire.PREDICTION_LABEL)

# JSON readers hold an integer beyond these as the nearest double.
INT64: Final = range(-(2**63), 2**63)

# Columns that no plan asked for are kept so that they are seen; past this many cells an input is garbage (every row
# with keys of its own, say), and dense columns of it would not fit into memory.
_CELLS_KEPT: Final = 1 << 24
_COLUMNS_ALWAYS_KEPT: Final = 512

Mask = npt.NDArray[np.bool_]


class Failure(NamedTuple):
    """A row that could not be read at all."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows as read.

    columns: flattened name → array, all of one length. Probabilities that the plan does not ask for, or that have no
        names, only say where they stand, and so do rankings that it does not ask for. `relevance` is spelt as a text.
    lines: the line (or row) number of each row, for messages.
    wrong: name → where a cell has a type that its field cannot have (the column is null there).
    failures: rows that are in no column.
    """

    columns: dict[str, pa.Array]
    lines: npt.NDArray[np.int64]
    wrong: dict[str, Mask] = field(default_factory=dict)
    failures: Sequence[Failure] = ()

    def __len__(self) -> int:
        return len(self.lines)

    def in_order(self) -> "Rows":
        """Return the rows in the order of their lines."""
        order = np.argsort(self.lines, kind="stable")
        places = pa.array(order)
        return Rows(
            columns={name: array.take(places) for name, array in self.columns.items()},
            lines=self.lines[order],
            wrong={name: mask[order] for name, mask in self.wrong.items()},
            failures=self.failures,
        )


def concatenate(pieces: Sequence[Rows], keep: Iterable[str]) -> Rows:
    """Join rows read in pieces, giving each column one type: numbers become float64, anything else mixed is text.

    Args:
        pieces: rows in source order.
        keep: names that stay however many columns there are.

    """
    if len(pieces) == 1:
        return pieces[0]
    lengths = [len(piece) for piece in pieces]
    always = set(keep)
    room = max(_COLUMNS_ALWAYS_KEPT, _CELLS_KEPT // max(1, sum(lengths)))
    names = dict.fromkeys(name for piece in pieces for name in piece.columns)
    kept = [name for name in names if name in always]
    kept += [name for name in names if name not in always][:room]
    return Rows(
        columns={name: _join([piece.columns.get(name) for piece in pieces], lengths) for name in kept},
        lines=np.concatenate([piece.lines for piece in pieces]),
        wrong={
            name: np.concatenate([piece.wrong.get(name, np.zeros(len(piece), dtype=bool)) for piece in pieces])
            for name in {name for piece in pieces for name in piece.wrong}
        },
        failures=[failure for piece in pieces for failure in piece.failures],
    )


def to_float(value: float) -> float:
    """Return the nearest double; an integer past the largest is infinite."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def spell(value: object) -> str:
    """Return one value of a column of mixed types as text: numbers canonically, lists and objects as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int) and value in INT64:
        return str(value)
    if isinstance(value, int | float):
        return canonical_numeral(repr(to_float(value)))
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def valid(array: pa.Array) -> Mask:
    """Return where a column is not null."""
    if array.null_count == 0:
        return np.ones(len(array), dtype=bool)
    return np.asarray(array.is_valid())


def _join(arrays: Sequence[pa.Array | None], lengths: Sequence[int]) -> pa.Array:
    kinds = {array.type for array in arrays if array is not None and not pa.types.is_null(array.type)}
    if not kinds:
        return pa.nulls(sum(lengths))
    if len(kinds) == 1:
        kind = kinds.pop()
    elif all(pa.types.is_integer(one) or pa.types.is_floating(one) for one in kinds):
        kind = pa.float64()
        arrays = [None if array is None else array.cast(kind, safe=False) for array in arrays]
    else:
        kind = pa.string()
        arrays = [None if array is None else as_text(array) for array in arrays]
    return pa.concat_arrays(
        [
            pa.nulls(length, kind) if array is None or pa.types.is_null(array.type) else array
            for array, length in zip(arrays, lengths, strict=True)
        ]
    )


def as_text(array: pa.Array) -> pa.Array:
    """Return any column as text, in the spelling of `spell`."""
    if pa.types.is_nested(array.type):
        return pa.array([None if value is None else spell(value) for value in array.to_pylist()], pa.string())
    return canonical_text(array)


def unify(left: pa.Array, right: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Give two columns one type: numbers become float64, anything else mixed is text."""
    if left.type == right.type:
        return left, right
    if pa.types.is_null(left.type) or pa.types.is_null(right.type):
        kind = right.type if pa.types.is_null(left.type) else left.type
        return left.cast(kind), right.cast(kind)
    if all(pa.types.is_integer(one.type) or pa.types.is_floating(one.type) for one in (left, right)):
        return left.cast(pa.float64(), safe=False), right.cast(pa.float64(), safe=False)
    return as_text(left), as_text(right)


def flatten_struct(prefix: str, array: pa.Array, columns: dict[str, pa.Array]) -> None:
    """Add the leaves of nested columns under their flattened names, those without any value left out."""
    for leaf, child in zip(array.type, array.flatten(), strict=True):
        name = f"{prefix}.{escape(leaf.name)}"
        if pa.types.is_struct(leaf.type):
            flatten_struct(name, child, columns)
        elif child.null_count < len(child):
            columns[name] = child
