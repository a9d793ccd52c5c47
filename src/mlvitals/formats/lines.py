"""Cutting a stream of lines into blocks, by content and offset only."""

from collections.abc import Iterator
from typing import BinaryIO, Final

from mlvitals.formats.base import Cut

BLOCK_BYTES: Final = 4 << 20
LONGEST_LINE: Final = 64 << 20

# Stands for a row that does not end within the bound, which is not held. No row can read like this: none holds a NUL.
UNENDING: Final = b"\0row without an end"

_CHUNK: Final = 1 << 20


class Window:
    """The bytes of a stream from a moving offset on, with the number of the line that starts there."""

    def __init__(self, stream: BinaryIO, offset: int, line: int) -> None:
        stream.seek(offset)
        self._stream = stream
        self.held = bytearray()
        self.offset = offset
        self.line = line

    def fill(self, size: int) -> bool:
        """Hold at least `size` bytes; return False where the stream ends before."""
        while len(self.held) < size:
            if not self.more(size - len(self.held)):
                return False
        return True

    def more(self, size: int = _CHUNK) -> bool:
        """Hold some more; return False at the stream's end."""
        chunk = self._stream.read(size)
        self.held += chunk
        return bool(chunk)

    def take(self, size: int) -> Cut:
        """Cut off the first `size` bytes."""
        with memoryview(self.held) as view:
            data = bytes(view[:size])
        return self._cut(data, size, data.count(b"\n"))

    def skip_line(self) -> bool:
        """Drop bytes through the next line end; return False where the stream ends before."""
        while True:
            end = self.held.find(b"\n") + 1
            dropped = end or len(self.held)
            del self.held[:dropped]
            self.offset += dropped
            if end:
                return True
            if not self.more():
                return False

    def unending(self) -> Cut:
        """Return what stands for a row that was skipped."""
        return self._cut(UNENDING + b"\n", 0, 1)

    def _cut(self, data: bytes, size: int, lines: int) -> Cut:
        first = self.line
        del self.held[:size]
        self.offset += size
        self.line += lines
        return Cut(data=data, offset=self.offset, first_line=first, next_line=self.line)


def cut_lines(
    stream: BinaryIO,
    offset: int,
    line: int,
    *,
    complete: bool,
    block: int = BLOCK_BYTES,
    longest: int = LONGEST_LINE,
) -> Iterator[Cut]:
    """Cut a stream at the first line end at or after each multiple of `block`, and at the last line end there is.

    The grid is absolute, so that reading on from any earlier cut cuts alike.

    Args:
        stream: the decompressed bytes.
        offset: where a line starts.
        line: that line's number.
        complete: a last line without its end is a line too; otherwise it waits.
        block: the grid.
        longest: a line beyond this many bytes is skipped over, and stands as one unreadable row; at least `block`.

    """
    window = Window(stream, offset, line)
    while True:
        target = block - window.offset % block
        if not window.fill(target):
            yield from _last(window, complete=complete)
            return
        start = window.held.rfind(b"\n", 0, target - 1) + 1
        end = _end_of_line(window, start, target - 1, longest)
        if end is None:
            yield from _last(window, complete=complete)
            return
        if end - start <= longest:
            yield window.take(end)
            continue
        if start:
            yield window.take(start)
        if not window.skip_line() and not complete:
            return
        yield window.unending()


def _end_of_line(window: Window, start: int, searched: int, longest: int) -> int | None:
    """Return the offset after the line's end, anything beyond the bound if it is too long, None if it has no end."""
    while True:
        end = window.held.find(b"\n", searched) + 1
        if end:
            return end
        searched = len(window.held)
        if searched - start > longest:
            return searched
        if not window.more():
            return None


def _last(window: Window, *, complete: bool) -> Iterator[Cut]:
    end = len(window.held) if complete else window.held.rfind(b"\n") + 1
    if end:
        yield window.take(end)
