"""Native events as JSON Lines: whole blocks by Arrow's reader, line by line only where a block refuses."""

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from mlvitals import wire
from mlvitals.events import EventBatch, RawBatch
from mlvitals.events.rankings import text_ids
from mlvitals.formats.assemble import assemble
from mlvitals.formats.base import Cut, DecodePlan, Want
from mlvitals.formats.jsonrows import BadRowError, parse_line, read_rows
from mlvitals.formats.lines import BLOCK_BYTES, cut_lines
from mlvitals.formats.rows import Rows, concatenate, flatten_struct, valid
from mlvitals.formats.shape import Shape
from mlvitals.formats.times import check_zone

_BOM: Final = b"\xef\xbb\xbf"
# Arrow also reads these two spellings, which are neither JSON nor what other programs write for NaN and Infinity.
ODD_NUMERALS: Final = re.compile(rb"Inf(?!inity)|-NaN")
# Arrow's columns are dense: past this many cells a block is read in smaller pieces.
_MOST_CELLS: Final = 1 << 25
_SLOW_LINES: Final = 256
_PIECES: Final = 8
_SAMPLE: Final = 64

_RELEVANCE: Final = f'"{wire.RELEVANCE}"'.encode()
_LINE_FEED, _OPENING, _CLOSING = b"\n{}"

Numbers = npt.NDArray[np.int64]


class MlvitalsFormat(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="mlvitals", tag_field="type"
):
    """Native events, one JSON object on each line.

    zone: where times without a zone belong (an IANA name, or an offset like +02:00); without it they are refused.
    """

    zone: str | None = None

    def __post_init__(self) -> None:
        """Check the zone.

        Raises:
            ValueError: there is no such zone.

        """
        check_zone(self.zone)

    def open(self, plan: DecodePlan) -> "JsonLines":
        """Return the format, ready to read what the plan wants."""
        return JsonLines(plan, self.zone)


class JsonLines:
    r"""Reads native events from JSON Lines.

    A block is read at once by `pyarrow.json` with every known field's type in an explicit schema. It refuses fields and
    types that it does not know and anything unreadable; the schema then learns from a sample, and failing that the
    block is halved again and again until the refused lines stand in small pieces, read one by one to the same columns.
    Nested features are flattened: `{"a": {"b": 1}}` is `features.a.b`, the key `a.b` is `features.a\.b`.
    """

    appends = True

    def __init__(self, plan: DecodePlan, zone: str | None = None, *, block: int = BLOCK_BYTES) -> None:
        self._plan = plan
        self._zone = zone
        self._block = block
        self._shape = Shape(plan)
        self._schema = self._shape.schema()
        self._floats = [name for name, want in (plan.features or {}).items() if want is Want.NUMBER]

    def cut(self, stream: BinaryIO, path: Path, offset: int, line: int = 1, *, complete: bool) -> Iterator[Cut]:  # noqa: ARG002  # the contract's
        """Cut a decompressed stream into blocks of whole lines; offsets are bytes."""
        return cut_lines(stream, offset, line, complete=complete, block=self._block)

    def decode(self, raw: RawBatch) -> EventBatch:
        """Read a block of lines; every line that is no event is counted with its reason."""
        data = raw.data
        if not isinstance(data, bytes):
            raise TypeError("JSON Lines are read from bytes")
        count = whole_lines(data)
        columns = self._read_fast(data, count) if count and not self._grades(data) else None
        if columns is not None:
            rows = Rows(columns=columns, lines=np.arange(raw.first_line, raw.first_line + count))
        else:
            rows = self._read_lines(data, raw.first_line)
        return assemble(self._finish(rows), self._plan, self._zone, place=raw.place, position=raw.position)

    def _read_lines(self, data: bytes, first_line: int) -> Rows:
        lines = [line.strip(b" \t\r") for line in data.split(b"\n")]
        if first_line == 1:
            lines[0] = lines[0].removeprefix(_BOM)
        numbers = np.flatnonzero(np.fromiter(map(len, lines), dtype=np.int64, count=len(lines)))
        kept = [lines[index] for index in numbers.tolist()]
        wanted = [wire.FEATURE_PREFIX + name for name in self._plan.features or {}]
        wanted += [name for name in _WIRE_NAMES if name != wire.FEATURES]
        graded = np.array([self._grades(line) for line in kept], dtype=bool) if self._grades(data) else None
        if graded is None or not graded.any():
            return concatenate(list(self._read_pieces(kept, numbers + first_line)), wanted)
        # A label's grades have keys of its own, which no schema holds: such lines are read one by one, others as ever.
        plain = [line for line, apart in zip(kept, graded.tolist(), strict=True) if not apart]
        pieces = list(self._read_pieces(plain, numbers[~graded] + first_line)) if plain else []
        apart = [kept[place] for place in np.flatnonzero(graded).tolist()]
        pieces.append(read_rows(apart, numbers[graded] + first_line, self._plan)[0])
        return concatenate(pieces, wanted).in_order()

    def _grades(self, data: bytes) -> bool:
        return self._plan.rankings and _RELEVANCE in data

    def _read_pieces(self, lines: Sequence[bytes], numbers: Numbers) -> Iterator[Rows]:
        """Read lines fast if possible, in smaller pieces if not."""
        columns = self._read_fast_learning(lines)
        if columns is not None:
            yield Rows(columns=columns, lines=numbers)
        elif len(lines) <= _SLOW_LINES:
            rows, objects = read_rows(lines, numbers, self._plan)
            self._learn(objects)
            yield rows
        else:
            size = -(-len(lines) // _PIECES)
            for start in range(0, len(lines), size):
                yield from self._read_pieces(lines[start : start + size], numbers[start : start + size])

    def _read_fast_learning(self, lines: Sequence[bytes]) -> dict[str, pa.Array] | None:
        if len(lines) <= _SAMPLE:
            return self._read_fast_lines(lines)
        columns = self._read_fast_lines(lines)
        if columns is not None:
            return columns
        sample = []
        for line in lines[:: len(lines) // _SAMPLE]:
            try:
                sample.append(parse_line(line))
            except BadRowError:
                continue
        return self._read_fast_lines(lines) if self._learn(sample) else None

    def _read_fast_lines(self, lines: Sequence[bytes]) -> dict[str, pa.Array] | None:
        data = b"\n".join(lines) + b"\n"
        return self._read_fast(data, len(lines)) if whole_lines(data) == len(lines) else None

    def _learn(self, objects: Sequence[dict[str, object]]) -> bool:
        """Take in the fields of some rows; return whether the schema changed."""
        self._shape.learn(objects)
        schema = self._shape.schema()
        changed = not schema.equals(self._schema)
        self._schema = schema
        return changed

    def _read_fast(self, data: bytes, count: int) -> dict[str, pa.Array] | None:
        """Read a block at once; return None if it holds anything that is not as the schema says."""
        if count * self._shape.count > _MOST_CELLS or not is_text(data):
            return None
        try:
            table = pyarrow.json.read_json(
                pa.BufferReader(data),
                read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(data) + 1),
                parse_options=pyarrow.json.ParseOptions(
                    explicit_schema=self._schema, newlines_in_values=False, unexpected_field_behavior="error"
                ),
            )
        except pa.ArrowException:
            return None
        if table.num_rows != count:
            return None
        arrays = [
            chunked.combine_chunks() if chunked.num_chunks != 1 else chunked.chunk(0) for chunked in table.columns
        ]
        # A search through the text would cost more than sums of columns; they rarely find anything.
        if any(map(_holds_non_finite, arrays)) and ODD_NUMERALS.search(data):
            return None
        try:
            return _flatten(dict(zip(table.schema.names, arrays, strict=True)), self._plan)
        except _SlowError:
            return None

    def _finish(self, rows: Rows) -> Rows:
        """Give features that the plan reads as numbers one type, and move misplaced objects to `wrong`."""
        columns, wrong = rows.columns, dict(rows.wrong)
        for name in self._floats:
            array = columns.get(wire.FEATURE_PREFIX + name)
            if array is not None and pa.types.is_integer(array.type):
                columns[wire.FEATURE_PREFIX + name] = array.cast(pa.float64(), safe=False)
        for name in (wire.FEATURES, wire.PREDICTION):
            array = columns.pop(name, None)
            if array is not None:
                wrong[name] = wrong.get(name, np.zeros(len(rows), dtype=bool)) | valid(array)
        return Rows(columns=columns, lines=rows.lines, wrong=wrong, failures=rows.failures)


_WIRE_NAMES: Final = frozenset(
    {
        wire.EVENT,
        wire.TIMESTAMP,
        wire.MODEL,
        wire.MODEL_VERSION,
        wire.PREDICTION_ID,
        wire.FEATURES,
        wire.PREDICTION,
        wire.PREDICTION_LABEL,
        wire.PREDICTION_SCORE,
        wire.PREDICTION_VALUE,
        wire.PREDICTION_PROBABILITIES,
        wire.PREDICTION_RANKING,
        wire.LATENCY_MS,
        wire.ERROR,
        wire.WEIGHT,
        wire.AMOUNT,
        wire.PROPENSITY,
        wire.LABEL,
        wire.LABEL_TIMESTAMP,
        wire.LABEL_AMOUNT,
        wire.LABEL_VERSION,
        wire.RELEVANCE,
        wire.KIND,
        wire.TEXT,
    }
)


class _SlowError(Exception):
    """A column holds what only a look at each cell tells apart."""


_OUTPUT_FIELDS: Final = (wire.PREDICTION_LABEL, wire.PREDICTION_SCORE, wire.PREDICTION_VALUE)


def whole_lines(data: bytes) -> int:
    """Return the number of lines if each runs from `{` to `}`, else 0.

    A line break between `}` and `{` is never inside a JSON value, so that each such line holds at least one row: Arrow,
    which minds no line ends, has read one row from each if it has read as many as there are lines. It must also not be
    given a block that starts with anything but an object.
    """
    characters = np.frombuffer(data, dtype=np.uint8)
    breaks = np.flatnonzero(characters == _LINE_FEED)
    if len(breaks) == 0 or breaks[-1] != len(data) - 1:
        breaks = np.append(breaks, len(data))
    starts = np.concatenate(([0], breaks[:-1] + 1))
    if (breaks == starts).any() or (characters[starts] != _OPENING).any() or (characters[breaks - 1] != _CLOSING).any():
        return 0
    return len(breaks)


def is_text(data: bytes) -> bool:
    """Tell whether this is UTF-8 without NUL: Arrow's reader checks neither."""
    if b"\0" in data:
        return False
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            return False
    return True


def _holds_non_finite(array: pa.Array) -> bool:
    if pa.types.is_struct(array.type):
        return any(_holds_non_finite(array.field(index)) for index in range(array.type.num_fields))
    if pa.types.is_list(array.type):
        return _holds_non_finite(array.values)
    if pa.types.is_floating(array.type):
        total = pc.sum(array).as_py()
        return total is not None and not math.isfinite(total)
    return False


def _flatten(arrays: dict[str, pa.Array], plan: DecodePlan) -> dict[str, pa.Array]:
    columns: dict[str, pa.Array] = {}
    for name, array in arrays.items():
        if name not in _WIRE_NAMES or "." in name:
            continue
        if name == wire.FEATURES and pa.types.is_struct(array.type):
            flatten_struct(name, array, columns)
        elif name == wire.PREDICTION and pa.types.is_struct(array.type):
            _take_prediction(array, columns, plan)
        else:
            columns[name] = array
    return columns


def _take_prediction(array: pa.Array, columns: dict[str, pa.Array], plan: DecodePlan) -> None:
    leaves: dict[str, pa.Array] = {}
    flatten_struct(wire.PREDICTION, array, leaves)
    for name, leaf in leaves.items():
        if name in _OUTPUT_FIELDS or (plan.probabilities and name.startswith(wire.PROBABILITY_PREFIX)):
            columns[name] = leaf
            continue
        if plan.rankings and (name + ".").startswith(wire.PREDICTION_RANKING + "."):
            texts = text_ids(leaf)
            if texts is None:
                raise _SlowError
            columns[name] = texts
            continue
        for whole in (wire.PREDICTION_PROBABILITIES, wire.PREDICTION_RANKING):
            # One column says where there are any, however many there be.
            if name == whole or name.startswith(whole + "."):
                there = valid(leaf) | (valid(columns[whole]) if whole in columns else False)
                columns[whole] = pa.array(there, mask=~there)
