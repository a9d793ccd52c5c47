"""Any JSON Lines log, by a mapping of its fields."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from mlvitals.events import EventBatch, RawBatch
from mlvitals.formats.base import Cut, DecodePlan
from mlvitals.formats.chunks import LineChunk, Numbers
from mlvitals.formats.fieldmap import FieldMap, make_field_map
from mlvitals.formats.lines import BLOCK_BYTES, cut_lines
from mlvitals.formats.mappedevents import to_events
from mlvitals.formats.mappedreader import MappedReader
from mlvitals.formats.mappedrows import ReadLines
from mlvitals.formats.mapping import MappedFormat
from mlvitals.formats.unseen import unseen_paths

_BOM: Final = b"\xef\xbb\xbf"


class JsonFormat(MappedFormat, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="json", tag_field="type"):
    """Any JSON Lines log, by a mapping of its fields; the keys stand in `MappedFormat`."""

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
        return to_events(self._read(data, raw.first_line), self._fields, self._plan, self._zone, raw)

    @property
    def is_mapped(self) -> bool:
        """Always: there is no other way to read these."""
        return True

    def unseen(self, raw: RawBatch) -> list[str]:
        """Return the native fields whose paths lead to nothing in a block of lines, with these paths."""
        data = raw.data
        lines, numbers = _filled_lines(data, raw.first_line) if isinstance(data, bytes) else ([], np.arange(0))
        return unseen_paths(LineChunk(lines, numbers), self._fields)

    def _read(self, data: bytes, first_line: int) -> ReadLines:
        return self._reader.read(*_filled_lines(data, first_line))


def _filled_lines(data: bytes, first_line: int) -> tuple[list[bytes], Numbers]:
    """Return the lines that hold something, with their numbers."""
    lines = [line.strip(b" \t\r") for line in data.split(b"\n")]
    if first_line == 1:
        lines[0] = lines[0].removeprefix(_BOM)
    numbers = np.flatnonzero(np.fromiter(map(len, lines), dtype=np.int64, count=len(lines)))
    return [lines[index] for index in numbers.tolist()], numbers + first_line
