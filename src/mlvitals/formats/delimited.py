"""Native events as CSV: a header row with the flattened names, an empty cell for null."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from mlvitals import wire
from mlvitals.errors import InputError
from mlvitals.events import EventBatch, RawBatch
from mlvitals.formats.assemble import assemble
from mlvitals.formats.base import Cut, DecodePlan
from mlvitals.formats.csvtext import type_feature
from mlvitals.formats.fieldmap import FieldMap, make_field_map
from mlvitals.formats.lines import BLOCK_BYTES, LONGEST_LINE, UNENDING
from mlvitals.formats.mappedtables import MappedColumns
from mlvitals.formats.mapping import MappedFormat
from mlvitals.formats.projection import NO_MAPPED_COLUMN, NO_NATIVE_COLUMN, wanted_columns
from mlvitals.formats.records import cut_records, record_ends
from mlvitals.formats.rows import NUMBER_FIELDS, Failure, Mask, Rows, concatenate, valid
from mlvitals.formats.times import cast_each

_BOM: Final = b"\xef\xbb\xbf"


class CsvFormat(MappedFormat, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="csv", tag_field="type"):
    """CSV files: native events, or with `map` any columns; the keys stand in `MappedFormat`.

    delimiter: one ASCII character between fields.
    """

    delimiter: str = ","

    def __post_init__(self) -> None:
        """Check the delimiter and the mapping.

        Raises:
            ValueError: one of them cannot be used.

        """
        if len(self.delimiter) != 1 or not self.delimiter.isascii() or self.delimiter in '"\r\n\0':
            raise ValueError("`delimiter` must be one ASCII character, and neither a quote nor a line end")
        super().__post_init__()

    def open(self, plan: DecodePlan) -> "Csv":
        """Return the format, ready to read what the plan wants."""
        return Csv(plan, self.delimiter, self.zone, fields=make_field_map(self) if self.map else None)


class Csv:
    """Reads native events from CSV; offsets are bytes.

    Cells are text until their column is known to be numbers: those of native events' numeric fields, those of features
    that the plan reads as numbers, and without a plan those whose cells are all numerals (`007` is text) in a batch.
    """

    appends = True

    def __init__(
        self,
        plan: DecodePlan,
        delimiter: str = ",",
        zone: str | None = None,
        *,
        fields: FieldMap | None = None,
        block: int = BLOCK_BYTES,
    ) -> None:
        self._plan = plan
        self._mapped = None if fields is None else MappedColumns(fields, plan, zone, cells=True)
        self._delimiter = delimiter
        self._zone = zone
        self._block = block

    def cut(self, stream: BinaryIO, path: Path, offset: int, line: int = 1, *, complete: bool) -> Iterator[Cut]:
        """Cut a decompressed stream into blocks of whole records, each with the file's header.

        Raises:
            InputError: the header names a column twice, or none of native events'.

        """
        stream.seek(0)
        header = stream.readline(LONGEST_LINE)
        if not header.endswith(b"\n") and not complete:
            return
        names = self._names(header)
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise InputError(f"{path}: the header names `{repeated[0]}` twice")
        if header and not self._wanted(names):
            raise InputError(f"{path}: the header {NO_NATIVE_COLUMN if self._mapped is None else NO_MAPPED_COLUMN}")
        if offset == 0:
            offset, line = len(header), 2
        for cut in cut_records(stream, offset, line, self._delimiter, complete=complete, block=self._block):
            yield Cut(
                data=cut.data, offset=cut.offset, header=header, first_line=cut.first_line, next_line=cut.next_line
            )

    def decode(self, raw: RawBatch) -> EventBatch:
        """Read a block of records; every record that is no event is counted with its reason."""
        data = raw.data
        if not isinstance(data, bytes):
            raise TypeError("CSV is read from bytes")
        rows = self._read(data, raw.first_line, self._names(raw.header))
        if self._mapped is not None:
            batch = pa.RecordBatch.from_pydict(rows.columns)
            return self._mapped.decode(batch, raw, rows.lines, rows.failures)
        rows = self._type(rows)
        return assemble(rows, self._plan, self._zone, place=raw.place, position=raw.position)

    @property
    def is_mapped(self) -> bool:
        """Whether a mapping says where the fields stand."""
        return self._mapped is not None

    def unseen(self, raw: RawBatch) -> list[str]:
        """Return the native fields whose paths lead to nothing in a batch, with these paths."""
        data = raw.data
        if self._mapped is None or not isinstance(data, bytes):
            return []
        rows = self._read(data, raw.first_line, self._names(raw.header))
        return self._mapped.unseen(pa.RecordBatch.from_pydict(rows.columns))

    def _wanted(self, names: list[str]) -> list[str]:
        return wanted_columns(names, self._plan) if self._mapped is None else self._mapped.wanted(names)

    def _names(self, header: bytes) -> list[str]:
        text = header.removeprefix(_BOM).decode(errors="replace").rstrip("\r\n")
        return next(csv.reader([text], delimiter=self._delimiter), [])

    def _read(self, data: bytes, first_line: int, names: list[str]) -> Rows:
        if data == UNENDING + b"\n":
            return _no_rows([Failure(first_line, "the record does not end")])
        if not data.endswith(b"\n"):
            data += b"\n"
        ends = np.union1d(record_ends(data, self._delimiter), [len(data)])
        starts = np.concatenate(([0], ends[:-1]))
        breaks = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n"))
        lines = first_line + np.searchsorted(breaks, starts).astype(np.int64)
        records = [data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        filled = [index for index, record in enumerate(records) if record.strip(b"\r\n")]
        if not filled:
            return _no_rows([])
        pieces = self._read_pieces([records[index] for index in filled], lines[filled], names)
        return concatenate(list(pieces), names)

    def _read_pieces(self, records: list[bytes], lines: npt.NDArray[np.int64], names: list[str]) -> Iterator[Rows]:
        """Read records at once if possible, in halves if not."""
        rows = self._read_table(b"".join(records), lines, names)
        if rows is not None:
            yield rows
        elif len(records) == 1:
            yield _no_rows([Failure(int(lines[0]), "not UTF-8" if not _is_text(records[0]) else "not CSV")])
        else:
            half = len(records) // 2
            yield from self._read_pieces(records[:half], lines[:half], names)
            yield from self._read_pieces(records[half:], lines[half:], names)

    def _read_table(self, data: bytes, lines: npt.NDArray[np.int64], names: list[str]) -> Rows | None:
        if not _is_text(data):
            return None
        ragged: list[int] = []

        def skip(row: pyarrow.csv.InvalidRow) -> str:
            ragged.append(row.number - 1)
            return "skip"

        wanted = self._wanted(names)
        try:
            table = pyarrow.csv.read_csv(
                pa.BufferReader(data),
                read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=names),
                parse_options=pyarrow.csv.ParseOptions(
                    delimiter=self._delimiter, newlines_in_values=b'"' in data, invalid_row_handler=skip
                ),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    include_columns=wanted,
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )
        except pa.ArrowException:
            return None
        if table.num_rows + len(ragged) != len(lines):
            return None
        good = np.ones(len(lines), dtype=bool)
        good[ragged] = False
        return Rows(
            columns={name: table[name].combine_chunks() for name in wanted},
            lines=lines[good],
            failures=[Failure(int(lines[row]), f"has more or fewer than {len(names)} fields") for row in ragged],
        )

    def _type(self, rows: Rows) -> Rows:
        columns = dict(rows.columns)
        wrong: dict[str, Mask] = {}
        for name, text in rows.columns.items():
            probable = self._plan.probabilities and name.startswith(wire.PROBABILITY_PREFIX)
            if name in NUMBER_FIELDS or probable:
                columns[name] = cast_each(pc.utf8_trim_whitespace(text), pa.float64()) if len(text) else text
                wrong[name] = valid(text) & ~valid(columns[name])
            elif name.startswith(wire.FEATURE_PREFIX):
                columns[name] = type_feature(name.removeprefix(wire.FEATURE_PREFIX), text, self._plan)
        return Rows(columns=columns, lines=rows.lines, wrong=wrong, failures=rows.failures)


def _no_rows(failures: list[Failure]) -> Rows:
    return Rows(columns={}, lines=np.zeros(0, dtype=np.int64), failures=failures)


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
