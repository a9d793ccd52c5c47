"""How far each file has been read, and how a file is known again under another name or inode."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from mlvitals.hashing import content_hash
from mlvitals.sources.listing import Listed

_MARK_BYTES: Final = 1024
_GONE_KEPT: Final = 64


class Progress(msgspec.Struct, array_like=True):
    """How far one file has been read.

    offset, line: the format's position in the file.
    size, modified: of the file when it was last read through; -1 before.
    final: that reading took a last line without its end as a line.
    head, tail: hashes of the first bytes, and of those before the offset (before the end, in a format that does not
        append), each of at most a KiB; `tail` is empty where it cannot be had cheaply (compressed files).
    """

    path: str
    device: int
    inode: int
    offset: int = 0
    line: int = 1
    size: int = -1
    modified: int = -1
    final: bool = False
    head: str = ""
    head_bytes: int = 0
    tail: str = ""

    @property
    def identity(self) -> tuple[int, int]:
        """The inode, and the device that it is on."""
        return self.device, self.inode

    def is_done(self, listed: Listed, *, complete: bool) -> bool:
        """Tell whether the file looks as it did when it was last read through."""
        unchanged = self.size == listed.size and self.modified == listed.modified
        return unchanged and (self.final or not complete)


class _Position(msgspec.Struct, array_like=True):
    known: list[Progress]
    gone: list[Progress]


class Ledger:
    """The progress of all files of a source: those that are there, and the last few that went."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Progress] = {}
        self._gone: list[Progress] = []

    def encode(self) -> bytes:
        """Return the ledger as JSON."""
        return msgspec.json.encode(_Position(list(self._known.values()), self._gone))

    def restore(self, position: bytes) -> None:
        """Become the ledger that was encoded."""
        decoded = msgspec.json.decode(position, type=_Position)
        self._known = {one.identity: one for one in decoded.known}
        self._gone = decoded.gone

    def get(self, identity: tuple[int, int]) -> Progress | None:
        """Return the progress of a file that is there."""
        return self._known.get(identity)

    def put(self, progress: Progress) -> None:
        """Keep the progress of a file that is there; a file that takes over from one that went replaces it."""
        self._known[progress.identity] = progress

    def displace(self, identity: tuple[int, int]) -> None:
        """Note that what was read under this inode is there no longer, though it may turn up elsewhere."""
        progress = self._known.pop(identity)
        if progress.offset:
            self._gone = [*self._gone, progress][-_GONE_KEPT:]

    def forget(self, progress: Progress) -> None:
        """Drop a file that went and has been found again."""
        self._gone = [one for one in self._gone if one is not progress]

    def compare(self, listing: Iterable[Listed], *, appends: bool) -> None:
        """Set aside what is not there any more, or is shorter than it was."""
        sizes = {one.identity: one.size for one in listing}
        for identity, progress in list(self._known.items()):
            size = sizes.get(identity)
            truncated = size is not None and appends and bool(progress.tail) and size < progress.offset
            if size is None or truncated:
                self.displace(identity)

    def candidates(self, path: str) -> Iterator[Progress]:
        """Yield what a new file may be the continuation of: files that went, and one whose name it extends.

        A log that is copied before it is truncated, or compressed before it is removed, is there twice for a moment,
        the copy as `app.log.1` or `app.log.1.gz`.
        """
        yield from reversed(self._gone)
        for progress in list(self._known.values()):
            if progress.offset and progress.path != path and path.startswith(progress.path):
                yield progress


def read_ahead(position: bytes) -> Iterator[str]:
    """Yield a line for every file that is there and shorter than what was read of it: it will be read from its start.

    Of compressed files, and of formats that do not append, only the file itself can tell.
    """
    for one in msgspec.json.decode(position, type=_Position).known:
        try:
            size = Path(one.path).stat().st_size
        except OSError:
            continue  # gone, as rotated files go
        if one.tail and size < one.offset and not one.path.endswith((".gz", ".zst")):
            yield f"{one.path}: has {size:,} bytes, of which {one.offset:,} were read: it was cut or exchanged"


def is_same(progress: Progress, stream: BinaryIO, *, appends: bool, size: int) -> bool:
    """Tell whether a file holds what was read under this progress; the stream is left anywhere."""
    if not appends:
        return size == progress.size and (progress.head, progress.tail) == _whole_marks(stream, size)
    if not starts_alike(progress, stream):
        return False
    if not progress.tail:
        return True
    count = min(_MARK_BYTES, progress.offset)
    stream.seek(progress.offset - count)
    return content_hash(stream.read(count)) == progress.tail


def starts_alike(progress: Progress, stream: BinaryIO) -> bool:
    """Tell whether a file begins as what was read under this progress; the stream is left anywhere."""
    stream.seek(0)
    return content_hash(stream.read(progress.head_bytes)) == progress.head


class Marker:
    """Takes the marks of a file while it is read."""

    def __init__(self, file: BinaryIO, stream: BinaryIO, *, appends: bool, size: int) -> None:
        self._file = file if file is stream else None
        self._appends = appends
        if appends:
            stream.seek(0)
            self._head = stream.read(_MARK_BYTES)
        else:
            self._marks = _whole_marks(stream, size)

    def mark(self, progress: Progress) -> None:
        """Bring the progress's marks up to its offset."""
        if not self._appends:
            progress.head, progress.tail = self._marks
            return
        head = self._head[: progress.offset]
        progress.head, progress.head_bytes = content_hash(head), len(head)
        progress.tail = ""
        if self._file is not None:
            count = min(_MARK_BYTES, progress.offset)
            progress.tail = content_hash(os.pread(self._file.fileno(), count, progress.offset - count))


def _whole_marks(stream: BinaryIO, size: int) -> tuple[str, str]:
    stream.seek(0)
    head = stream.read(_MARK_BYTES)
    stream.seek(max(0, size - _MARK_BYTES))
    return content_hash(head), content_hash(stream.read(_MARK_BYTES))
