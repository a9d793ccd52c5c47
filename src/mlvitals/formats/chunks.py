"""Some documents that are read together: lines of JSON, or rows of columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlvitals.formats.documents import parse_json
from mlvitals.formats.jsonblocks import BlockReader, join_lines
from mlvitals.formats.jsonrows import BadRowError
from mlvitals.formats.lines import UNENDING
from mlvitals.formats.rows import Failure

Numbers = npt.NDArray[np.int64]
Objects = tuple[list[dict[str, Any]], list[int], list[Failure]]


class Chunk(Protocol):
    """Documents with the numbers of their lines or rows."""

    @property
    def numbers(self) -> Numbers:
        """The line or row number of each document."""
        ...

    def __len__(self) -> int: ...

    def part(self, start: int, stop: int, step: int = 1) -> "Chunk":
        """Return some of the documents."""
        ...

    def columns(self, reader: BlockReader) -> pa.StructArray | None:
        """Return the documents as columns, None where they are not alike."""
        ...

    def objects(self) -> Objects:
        """Return the documents as fresh objects with their numbers, and what is none."""
        ...


@dataclass(frozen=True, slots=True)
class LineChunk:
    """Lines of JSON."""

    lines: Sequence[bytes]
    numbers: Numbers

    def __len__(self) -> int:
        return len(self.lines)

    def part(self, start: int, stop: int, step: int = 1) -> "LineChunk":
        """Return some of the lines."""
        return LineChunk(self.lines[start:stop:step], self.numbers[start:stop:step])

    def columns(self, reader: BlockReader) -> pa.StructArray | None:
        """Return the lines' objects as columns."""
        return reader.read(join_lines(self.lines))

    def objects(self) -> Objects:
        """Parse the lines one by one."""
        found: Objects = ([], [], [])
        for line, number in zip(self.lines, self.numbers.tolist(), strict=True):
            try:
                value = _parse_object(line)
            except BadRowError as error:
                found[2].append(Failure(number, str(error)))
                continue
            found[0].append(value)
            found[1].append(number)
        return found


@dataclass(frozen=True, slots=True)
class TableChunk:
    """Rows of columns."""

    table: pa.StructArray
    numbers: Numbers

    def __len__(self) -> int:
        return len(self.table)

    def part(self, start: int, stop: int, step: int = 1) -> "TableChunk":
        """Return some of the rows."""
        places = pa.array(np.arange(start, min(stop, len(self)), step))
        return TableChunk(self.table.take(places), self.numbers[start:stop:step])

    def columns(self, reader: BlockReader) -> pa.StructArray:
        """Return the columns."""
        del reader
        return self.table

    def objects(self) -> Objects:
        """Return the rows one by one, times as text."""
        arrays = [
            array.cast(pa.string()) if pa.types.is_temporal(array.type) else array for array in self.table.flatten()
        ]
        names = [field.name for field in self.table.type]
        rows = pa.StructArray.from_arrays(arrays, names=names).to_pylist() if arrays else [{} for _ in self.numbers]
        return rows, self.numbers.tolist(), []


def plain_columns(batch: pa.RecordBatch) -> pa.StructArray:
    """Return a batch as documents, each column in the type that JSON would have given it."""
    arrays = [_plain(array) for array in batch.columns]
    return pa.StructArray.from_arrays(arrays, names=batch.schema.names)


def _plain(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _plain(array.dictionary_decode())
    if pa.types.is_large_string(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        try:
            return array.cast(pa.string())
        except pa.ArrowInvalid:  # bytes that are no text hold nothing that a mapping can look at
            return pa.nulls(len(array))
    if pa.types.is_map(kind):
        return _map_to_struct(array)
    if pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return array.cast(pa.list_(kind.value_type))
    return array


def _map_to_struct(array: pa.MapArray) -> pa.Array:
    rows = [None if pairs is None else dict(pairs) for pairs in array.to_pylist()]
    return pa.array(rows) if any(rows) else pa.nulls(len(rows))


def _parse_object(line: bytes) -> dict[str, Any]:
    """Parse one line to an object.

    Raises:
        BadRowError: it is none.

    """
    if line == UNENDING:
        raise BadRowError("the line is too long")
    value = parse_json(line)
    if not isinstance(value, dict):
        raise BadRowError("not a JSON object")
    return value
