"""Files of events: globs and directories, growing, rotated, compressed; and standard input."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import BinaryIO

import msgspec

from mlvitals.errors import InputError
from mlvitals.events import RawBatch
from mlvitals.formats import DecodePlan, Format, FormatConfig, MlvitalsFormat
from mlvitals.sources.base import Role, Source
from mlvitals.sources.compression import CompressedStream, open_stream
from mlvitals.sources.listing import Listed, check_patterns, list_files
from mlvitals.sources.progress import Ledger, Marker, Progress, is_same, starts_alike
from mlvitals.sources.stdin import StandardInput

STANDARD_INPUT = "-"


class FileSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="file", tag_field="type"):
    """Files, globs and folders, growing and rotated, `.gz` and `.zst` too; standard input.

    path: a path, a glob (`**` for any depth) or a directory, or several; `-` alone is standard input.
    role: what the files carry.
    format: how they are written; .gz and .zst are decompressed.
    name: keys the position in the state; else it is made of the path, so that another path starts anew.
    """

    path: str | list[str]
    role: Role = Role.BOTH
    format: FormatConfig = MlvitalsFormat()
    name: str = ""

    def __post_init__(self) -> None:
        """Check the paths.

        Raises:
            ValueError: there is none, or standard input is not alone.

        """
        if not self.paths or not all(self.paths):
            raise ValueError("`path` must name at least one file, glob or directory")
        if STANDARD_INPUT in self.paths and len(self.paths) > 1:
            raise ValueError("`path` cannot join standard input (`-`) with files")

    @property
    def paths(self) -> list[str]:
        """The patterns as a list."""
        return [self.path] if isinstance(self.path, str) else self.path

    def open(self, plan: DecodePlan) -> Source:
        """Return the source, reading only what both the plan and the role want."""
        plan = replace(
            plan,
            predictions=plan.predictions and self.role is not Role.LABELS,
            labels=plan.labels and self.role is not Role.PREDICTIONS,
        )
        name = self.name or "file:" + ",".join(self.paths)
        if self.paths == [STANDARD_INPUT]:
            return StandardInput(name, self.format.open(plan))
        return FileReader(name, self.paths, self.format.open(plan))


class FileReader:
    """Reads files in the order of their paths, each from where it was left.

    A file is known again by its inode and by hashes of its first and last read bytes: one that was renamed, copied or
    compressed by log rotation is not read twice; one that was truncated or replaced by other content is read from its
    start. A file that cannot be read is a problem, tried again at the next reading, and keeps no other from being read.
    """

    def __init__(self, name: str, patterns: Sequence[str], file_format: Format) -> None:
        self._name = name
        self._patterns = tuple(patterns)
        self._format = file_format
        self._ledger = Ledger()
        self._faults: dict[str, str] = {}
        self._notes: list[str] = []

    @property
    def name(self) -> str:
        """What keys the position in the state."""
        return self._name

    @property
    def format(self) -> Format:
        """The opened format that decodes this source's batches."""
        return self._format

    @property
    def problems(self) -> list[str]:
        """What cannot be read, and what the last reading started anew."""
        return [*self._faults.values(), *self._notes]

    @property
    def faults(self) -> list[str]:
        """What is there and cannot be read."""
        return [*self._faults.values()]

    def restore(self, position: bytes) -> None:
        """Stand where the source stood after the batch with this position."""
        self._ledger.restore(position)

    def read(self, *, complete: bool = False) -> Iterator[RawBatch]:
        """Yield what has come since the last reading; `complete` takes every file as final."""
        listing = list_files(self._patterns)
        self._notes = []
        here = {str(listed.path) for listed in listing}
        self._faults = {path: fault for path, fault in self._faults.items() if path in here}
        self._ledger.compare(listing, appends=self._format.appends)
        for listed in listing:
            try:
                yield from self._read_file(listed, complete=complete)
            except FileNotFoundError:
                continue
            except OSError as error:
                self._faults[str(listed.path)] = f"{listed.path}: {error.strerror or error}"
            except InputError as error:
                self._faults[str(listed.path)] = str(error)

    def commit(self, position: bytes) -> None:
        """Do nothing: files keep what has been read."""

    def check(self) -> list[str]:
        """Return which patterns match nothing, and which files may not be read."""
        return check_patterns(self._patterns)

    def close(self) -> None:
        """Do nothing: no file stays open between readings."""

    def _read_file(self, listed: Listed, *, complete: bool) -> Iterator[RawBatch]:
        known = self._ledger.get(listed.identity)
        if known is not None and known.is_done(listed, complete=complete):
            known.path = str(listed.path)
            return
        with listed.path.open("rb") as file:
            status = os.fstat(file.fileno())
            stream, compressed = open_stream(file, listed.path) if self._format.appends else (file, None)
            if not complete and self._is_copy_in_the_making(listed, stream, compressed):
                return
            progress = self._resume(listed, (status.st_dev, status.st_ino), stream, status.st_size)
            marker = Marker(file, stream, appends=self._format.appends, size=status.st_size)
            if not self._format.appends:
                progress.size = status.st_size
            place = str(listed.path)
            for cut in self._format.cut(stream, listed.path, progress.offset, progress.line, complete=complete):
                progress.offset, progress.line = cut.offset, cut.next_line
                marker.mark(progress)
                yield RawBatch(
                    data=cut.data,
                    place=place,
                    position=self._ledger.encode(),
                    header=cut.header,
                    first_line=cut.first_line,
                )
            progress.size, progress.modified, progress.final = status.st_size, status.st_mtime_ns, complete
            self._judge(place, compressed, complete=complete)

    def _resume(self, listed: Listed, identity: tuple[int, int], stream: BinaryIO, size: int) -> Progress:
        """Return the progress of a file: its own, or that of what it continues, or none."""
        path = str(listed.path)
        appends = self._format.appends
        known = self._ledger.get(identity)
        if known is not None and known.offset:
            if is_same(known, stream, appends=appends, size=size):
                known.path = path
                return known
            self._ledger.displace(identity)
            self._notes.append(f"{path}: holds other content than was read before; read from its start")
        progress = Progress(path=path, device=identity[0], inode=identity[1])
        for candidate in self._ledger.candidates(path):
            if is_same(candidate, stream, appends=appends, size=size):
                self._ledger.forget(candidate)
                progress = msgspec.structs.replace(candidate, path=path, device=identity[0], inode=identity[1])
                break
        self._ledger.put(progress)
        return progress

    def _is_copy_in_the_making(self, listed: Listed, stream: BinaryIO, compressed: CompressedStream | None) -> bool:
        """Tell whether this is a compressed copy of what was read that does not reach as far yet."""
        if compressed is None or self._ledger.get(listed.identity) is not None:
            return False
        for candidate in self._ledger.candidates(str(listed.path)):
            stream.seek(candidate.offset)
            short = compressed.unfinished and compressed.tell() < candidate.offset
            if short and (compressed.tell() < candidate.head_bytes or starts_alike(candidate, stream)):
                return True
        return False

    def _judge(self, path: str, compressed: CompressedStream | None, *, complete: bool) -> None:
        self._faults.pop(path, None)
        if compressed is None:
            return
        if compressed.fault is not None:
            self._faults[path] = f"{path}: {compressed.fault}"
        elif complete and compressed.unfinished:
            self._faults[path] = f"{path}: ends inside compressed data; what was whole has been read"
