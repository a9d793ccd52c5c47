"""Any JSON Lines log, by a mapping of its fields."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa

from mlvitals import wire
from mlvitals.events import EventBatch, RawBatch, ReadAccount
from mlvitals.formats.assemble import assemble
from mlvitals.formats.base import Cut, DecodePlan, Want
from mlvitals.formats.csvtext import type_feature
from mlvitals.formats.fieldmap import FieldMap, make_field_map
from mlvitals.formats.lines import BLOCK_BYTES, cut_lines
from mlvitals.formats.mappedreader import MappedReader
from mlvitals.formats.mappedrows import ReadLines
from mlvitals.formats.mapping import MappedFormat
from mlvitals.formats.names import escape
from mlvitals.formats.rows import Rows

_BOM: Final = b"\xef\xbb\xbf"


class JsonFormat(MappedFormat, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="json", tag_field="type"):
    """Any JSON Lines log, by a mapping of its fields: the keys are those of `MappedFormat`."""

    def __post_init__(self) -> None:
        """Check the mapping.

        Raises:
            ValueError: with the reason.

        """
        super().__post_init__()
        if not self.map:
            raise ValueError("`map` must say where the fields of events stand")

    def open(self, plan: DecodePlan) -> "MappedJson":
        """Return the format, ready to read what the plan wants."""
        return MappedJson(plan, make_field_map(self), self.zone)


class MappedJson:
    """Reads JSON Lines of any shape; offsets are bytes."""

    appends = True

    def __init__(
        self, plan: DecodePlan, fields: FieldMap, zone: str | None = None, *, block: int = BLOCK_BYTES
    ) -> None:
        self._plan = plan
        self._fields = fields
        self._reader = MappedReader(fields, plan)
        self._zone = zone
        self._block = block

    def cut(self, stream: BinaryIO, path: Path, offset: int, line: int = 1, *, complete: bool) -> Iterator[Cut]:  # noqa: ARG002  # the contract's
        """Cut a decompressed stream into blocks of whole lines; offsets are bytes."""
        return cut_lines(stream, offset, line, complete=complete, block=self._block)

    def decode(self, raw: RawBatch) -> EventBatch:
        """Read a block of lines; every line that is no event is counted with its reason."""
        data = raw.data
        if not isinstance(data, bytes):
            raise TypeError("JSON Lines are read from bytes")
        read = self._read(data, raw.first_line)
        rows = finish(read.rows, self._fields, self._plan)
        batch = assemble(rows, self._plan, self._zone, place=raw.place, position=raw.position)
        skipped = ReadAccount(rows=read.skipped, parsed=0, skipped=read.skipped)
        return replace(batch, account=batch.account + skipped)

    def _read(self, data: bytes, first_line: int) -> ReadLines:
        lines = [line.strip(b" \t\r") for line in data.split(b"\n")]
        if first_line == 1:
            lines[0] = lines[0].removeprefix(_BOM)
        numbers = np.flatnonzero(np.fromiter(map(len, lines), dtype=np.int64, count=len(lines)))
        return self._reader.read([lines[index] for index in numbers.tolist()], numbers + first_line)


def finish(rows: Rows, fields: FieldMap, plan: DecodePlan) -> Rows:
    """Give features one type: those that the plan reads as numbers, and those whose cells were comma-separated."""
    columns = dict(rows.columns)
    for name in _csv_features(fields):
        array = columns.get(name)
        if array is not None and pa.types.is_string(array.type):
            columns[name] = type_feature(name.removeprefix(wire.FEATURE_PREFIX), array, plan)
    for name, want in (plan.features or {}).items():
        array = columns.get(wire.FEATURE_PREFIX + name)
        if want is Want.NUMBER and array is not None and pa.types.is_integer(array.type):
            columns[wire.FEATURE_PREFIX + name] = array.cast(pa.float64(), safe=False)
    return Rows(columns=columns, lines=rows.lines, wrong=rows.wrong, failures=rows.failures)


def _csv_features(fields: FieldMap) -> list[str]:
    cells = {(*path, name): name for path, names in fields.csv for name in names}
    found = [name for name, paths in fields.single if any(path in cells for path in paths)]
    for prefix, wildcards in fields.wild:
        of_csv = [wildcard.path[:-1] for wildcard in wildcards]
        found += [prefix + escape(name) for path, name in cells.items() if path[:-1] in of_csv]
    return [name for name in found if name.startswith(wire.FEATURE_PREFIX)]
