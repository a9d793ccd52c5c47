"""Native events as Parquet: flattened column names, or nested `features` and `prediction`."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mlvitals import wire
from mlvitals.errors import InputError
from mlvitals.events import EventBatch, RawBatch
from mlvitals.formats.assemble import assemble
from mlvitals.formats.base import Cut, DecodePlan
from mlvitals.formats.fieldmap import FieldMap, make_field_map
from mlvitals.formats.mappedtables import MappedColumns
from mlvitals.formats.mapping import MappedFormat
from mlvitals.formats.projection import NO_MAPPED_COLUMN, NO_NATIVE_COLUMN, wanted_columns
from mlvitals.formats.rows import Rows, flatten_struct

# Measured best of 2¹⁵ … 2²⁰ on 29 columns: larger batches fall out of the cache, smaller ones pay per batch.
BATCH_ROWS: Final = 131_072
_NESTED: Final = frozenset({wire.FEATURES, wire.PREDICTION, wire.PREDICTION_PROBABILITIES})


class ParquetFormat(
    MappedFormat, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="parquet", tag_field="type"
):
    """Parquet files: native events, or with `map` any columns; the keys stand in `MappedFormat`."""

    def open(self, plan: DecodePlan) -> "Parquet":
        """Return the format, ready to read what the plan wants."""
        return Parquet(plan, self.zone, fields=make_field_map(self) if self.map else None)


class Parquet:
    """Reads native events from Parquet files, a bounded number of rows at a time; offsets are rows."""

    appends = False

    def __init__(
        self, plan: DecodePlan, zone: str | None = None, *, fields: FieldMap | None = None, rows: int = BATCH_ROWS
    ) -> None:
        self._plan = plan
        self._mapped = None if fields is None else MappedColumns(fields, plan, zone)
        self._zone = zone
        self._rows = rows

    def cut(self, stream: BinaryIO, path: Path, offset: int, line: int = 1, *, complete: bool) -> Iterator[Cut]:  # noqa: ARG002  # the contract's
        """Cut a file into batches of the columns that the plan wants.

        Raises:
            InputError: it is no Parquet file (yet), or holds none of the columns of native events.

        """
        try:
            yield from self._cut(stream, path, offset)
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{path}: cannot be read as Parquet: {error}") from error

    def decode(self, raw: RawBatch) -> EventBatch:
        """Read a batch of rows; every row that is no event is counted with its reason."""
        batch = raw.data
        if not isinstance(batch, pa.RecordBatch):
            raise TypeError("Parquet is read from record batches")
        if self._mapped is not None:
            return self._mapped.decode(batch, raw)
        columns: dict[str, pa.Array] = {}
        for name, array in zip(batch.schema.names, batch.columns, strict=True):
            if name in _NESTED and pa.types.is_struct(array.type):
                flatten_struct(name, array, columns)
            else:
                columns[name] = array
        rows = Rows(columns=columns, lines=np.arange(raw.first_line, raw.first_line + batch.num_rows))
        return assemble(rows, self._plan, self._zone, place=raw.place, position=raw.position)

    @property
    def is_mapped(self) -> bool:
        """Whether a mapping says where the fields stand."""
        return self._mapped is not None

    def unseen(self, raw: RawBatch) -> list[str]:
        """Return the native fields whose paths lead to nothing in a batch, with these paths."""
        batch = raw.data
        return [] if self._mapped is None or isinstance(batch, bytes) else self._mapped.unseen(batch)

    def _cut(self, stream: BinaryIO, path: Path, offset: int) -> Iterator[Cut]:
        opened = _without_python(stream)
        file = pq.ParquetFile(opened, pre_buffer=False)
        schema = file.schema_arrow
        mapped = self._mapped
        names = wanted_columns(schema.names, self._plan) if mapped is None else mapped.wanted(schema.names)
        if not names:
            raise InputError(f"{path}: {NO_NATIVE_COLUMN if mapped is None else NO_MAPPED_COLUMN}")
        texts = [name for name in names if mapped is None and _repeats(name, schema.field(name).type)]
        file = pq.ParquetFile(opened, metadata=file.metadata, read_dictionary=texts, pre_buffer=False)
        for first, groups in _runs(file.metadata, self._rows):
            if first + sum(file.metadata.row_group(group).num_rows for group in groups) <= offset:
                continue
            row = first
            for batch in file.iter_batches(self._rows, row_groups=groups, columns=names, use_threads=False):
                end = row + batch.num_rows
                if end > offset:
                    start = max(row, offset)
                    yield Cut(data=batch.slice(start - row), offset=end, first_line=start + 1, next_line=end + 1)
                row = end


def _without_python(stream: BinaryIO) -> pa.NativeFile | BinaryIO:
    """Return the same open file as one that Arrow reads by itself, a fifth faster; the stream where that cannot be."""
    try:
        return pa.OSFile(f"/dev/fd/{stream.fileno()}")
    except OSError:  # no file of the operating system's, or no /dev/fd
        return stream


def _repeats(name: str, kind: pa.DataType) -> bool:
    """Tell whether a column is text whose values repeat, so that it is best read as a dictionary."""
    named = name.startswith(wire.FEATURE_PREFIX) or name in {wire.EVENT, wire.MODEL, wire.MODEL_VERSION}
    return named and bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _runs(metadata: pq.FileMetaData, rows: int) -> Iterator[tuple[int, list[int]]]:
    """Join small row groups to runs of about a batch; yield the first row and the groups of each run.

    Reading on from the middle of a file then decodes no more than one run again.
    """
    first = count = 0
    groups: list[int] = []
    for group in range(metadata.num_row_groups):
        groups.append(group)
        count += metadata.row_group(group).num_rows
        if count >= rows:
            yield first, groups
            first, count, groups = first + count, 0, []
    if groups:
        yield first, groups
