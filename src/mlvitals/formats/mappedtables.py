"""Columns of Parquet and CSV files, by a mapping."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from mlvitals.events import EventBatch, RawBatch
from mlvitals.formats.base import DecodePlan
from mlvitals.formats.chunks import Numbers, TableChunk, plain_columns
from mlvitals.formats.fieldmap import FieldMap
from mlvitals.formats.mappedevents import to_events
from mlvitals.formats.mappedreader import MappedReader
from mlvitals.formats.mappedrows import ReadLines
from mlvitals.formats.projection import mapped_columns
from mlvitals.formats.rows import Failure, Rows
from mlvitals.formats.unseen import unseen_paths


class MappedColumns:
    """Reads files of columns by a mapping. cells: every value is text, as in CSV, so that features still get a type."""

    def __init__(self, fields: FieldMap, plan: DecodePlan, zone: str | None, *, cells: bool = False) -> None:
        self._fields = fields
        self._plan = plan
        self._zone = zone
        self._cells = cells
        self._reader = MappedReader(fields, plan)

    def wanted(self, names: Sequence[str]) -> list[str]:
        """Return the columns of a file that have to be read."""
        return mapped_columns(names, self._fields, self._plan)

    def unseen(self, batch: pa.RecordBatch) -> list[str]:
        """Return the native fields whose paths lead to nothing in any row, with these paths."""
        return unseen_paths(TableChunk(plain_columns(batch), np.arange(batch.num_rows)), self._fields)

    def decode(
        self,
        batch: pa.RecordBatch,
        raw: RawBatch,
        numbers: Numbers | None = None,
        failures: Sequence[Failure] = (),
    ) -> EventBatch:
        """Turn rows into events; `failures` are rows that could not be read at all."""
        if numbers is None:
            numbers = np.arange(raw.first_line, raw.first_line + batch.num_rows)
        read = self._reader.read_table(plain_columns(batch), numbers)
        rows = Rows(
            columns=read.rows.columns,
            lines=read.rows.lines,
            wrong=read.rows.wrong,
            failures=[*failures, *read.rows.failures],
        )
        whole = ReadLines(rows, read.skipped)
        return to_events(whole, self._fields, self._plan, self._zone, raw, cells=self._cells)
