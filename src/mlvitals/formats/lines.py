"""Cutting a stream of lines into blocks, by content and offset only."""

from collections.abc import Iterator
from typing import BinaryIO, Final

import numpy as np

from mlvitals.formats.base import Cut

BLOCK_BYTES: Final = 4 << 20
LONGEST_LINE: Final = 64 << 20

# Stands for a row that does not end within the bound, which is not held. No row can read like this: none holds a NUL.
UNENDING: Final = b"\0row without an end"

_CHUNK: Final = 1 << 20
_LINE_FEED: Final = ord("\n")


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
        stream: the decompressed bytes, buffered.
        offset: where a line starts.
        line: that line's number.
        complete: a last line without its end is a line too; otherwise it waits.
        block: the grid.
        longest: a line beyond this many bytes is skipped over, and stands as one unreadable row; at least `block`.

    """
    stream.seek(offset)
    while True:
        target = block - offset % block
        data = stream.read(target)
        start = data.rfind(b"\n") + 1
        if len(data) < target or start == target:
            end = start
        else:
            data += stream.readline(longest + 1 - (len(data) - start))
            end = len(data) if data.endswith(b"\n") else start
        unending = len(data) - start > longest
        if complete and not unending:
            end = len(data)
        if unending:
            end = start
        if end:
            cut = line_cut(data[:end] if end < len(data) else data, offset, line)
            offset, line = cut.offset, cut.next_line
            yield cut
        if unending:
            skipped, found = _skip_line(stream, data)
            if not found and not complete:
                return
            offset += len(data) - start + skipped
            yield unending_cut(offset, line)
            line += 1
        elif len(data) < target or end < len(data):
            return


def line_cut(data: bytes, offset: int, line: int) -> Cut:
    """Return a cut of lines that stands at this offset."""
    lines = int(np.count_nonzero(np.frombuffer(data, dtype=np.uint8) == _LINE_FEED))
    return Cut(data=data, offset=offset + len(data), first_line=line, next_line=line + lines)


def unending_cut(offset: int, line: int) -> Cut:
    """Return what stands for a row that ends at this offset and was not held."""
    return Cut(data=UNENDING + b"\n", offset=offset, first_line=line, next_line=line + 1)


def _skip_line(stream: BinaryIO, held: bytes) -> tuple[int, bool]:
    """Read on to the end of a line that `held` may have reached; return the bytes read, and whether it ends."""
    skipped = 0
    found = held.endswith(b"\n")
    while not found:
        chunk = stream.readline(_CHUNK)
        if not chunk:
            break
        skipped += len(chunk)
        found = chunk.endswith(b"\n")
    return skipped, found
