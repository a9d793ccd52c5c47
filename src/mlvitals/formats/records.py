"""Cutting CSV into blocks of whole records: a line break inside quotes ends none."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt

from mlvitals.formats.base import Cut
from mlvitals.formats.lines import BLOCK_BYTES, line_cut, unending_cut

# A quote that is never closed would swallow all that follows; a record with line breaks may have this many bytes.
LONGEST_RECORD: Final = 4 << 20

_LINE_FEED, _RETURN, _QUOTE = b'\n\r"'

Offsets = npt.NDArray[np.int64]


def record_ends(data: bytes, delimiter: str) -> Offsets:
    """Return the offsets after each record that ends in `data`, which starts with a record.

    Quotes count only at the start of a field, as Arrow's reader has it. Where every quote opens or closes a field (or
    is doubled inside one), a line break is outside exactly if an even number of quotes stand before it; anything else
    is read field by field.
    """
    characters = np.frombuffer(data, dtype=np.uint8)
    breaks = np.flatnonzero(characters == _LINE_FEED)
    outside: Offsets = breaks + 1
    if b'"' not in data:
        return outside
    quotes = np.flatnonzero(characters == _QUOTE)
    if not _are_paired(characters, quotes, ord(delimiter)):
        ends = [match.end() for match in _record_pattern(delimiter).finditer(data) if match[1]]
        return np.array(ends, dtype=np.int64)
    before: Offsets = np.searchsorted(quotes, breaks)
    return np.extract(before % 2 == 0, outside)


def cut_records(
    stream: BinaryIO,
    offset: int,
    line: int,
    delimiter: str,
    *,
    complete: bool,
    block: int = BLOCK_BYTES,
    longest: int = LONGEST_RECORD,
) -> Iterator[Cut]:
    """Cut a stream at the first record end at or after each multiple of `block`, and at the last there is.

    Args:
        stream: the decompressed bytes, buffered, standing anywhere.
        offset: where a record starts.
        line: that record's line number.
        delimiter: between fields.
        complete: a last record without its line end is a record too; otherwise it waits.
        block: the grid.
        longest: past this many bytes (or at the end of a complete stream) a quote is taken as never closed: the
            record's first line stands as one unreadable row, and reading goes on after it.

    """
    stream.seek(offset)
    held = b""
    while True:
        target = block - offset % block
        data = held + stream.read(max(0, target - len(held)))
        ends = record_ends(data, delimiter)
        reached = np.searchsorted(ends, target)
        if reached < len(ends):
            end = int(ends[reached])
            held = data[end:]
            cut = line_cut(data[:end], offset, line)
            offset, line = cut.offset, cut.next_line
            yield cut
            continue
        start = int(ends[-1]) if len(ends) else 0
        last, ended = _read_record(stream, data[start:], delimiter, longest)
        closed = ended or (complete and _is_closed(last, delimiter) and len(last) <= longest)
        end = start + len(last) if closed else start
        if end:
            cut = line_cut((data[:start] + last)[:end], offset, line)
            offset, line = cut.offset, cut.next_line
            yield cut
        if not closed:
            if not complete and len(last) <= longest:
                return
            first = last.find(b"\n") + 1 or len(last)
            held = last[first:]
            offset += first
            yield unending_cut(offset, line)
            line += 1
        elif not ended:
            return
        else:
            held = b""


def _read_record(stream: BinaryIO, begun: bytes, delimiter: str, longest: int) -> tuple[bytes, bool]:
    """Read on to the end of a record; return its bytes, and whether its end was found within the bound."""
    parts = [begun]
    size = len(begun)
    while size <= longest:
        part = stream.readline(longest + 1 - size)
        if not part:
            break
        parts.append(part)
        size += len(part)
        # Inside quotes only a line with a quote can end the record.
        if part.endswith(b"\n") and (len(parts) == 2 or b'"' in part):
            record = b"".join(parts)
            ends = record_ends(record, delimiter)
            if len(ends) and ends[-1] == len(record):
                return record, True
    return b"".join(parts), False


def _is_closed(record: bytes, delimiter: str) -> bool:
    return record == b"" or len(record_ends(record + b"\n", delimiter)) > 0


def _are_paired(characters: npt.NDArray[np.uint8], quotes: Offsets, delimiter: int) -> bool:
    """Tell whether odd quotes open a field and even ones close it, doubled ones inside aside."""
    opening, closing = quotes[0::2], quotes[1::2]
    before = characters[opening - 1]
    opens = (opening == 0) | (before == delimiter) | (before == _LINE_FEED) | (before == _RETURN)
    opens[1:] |= opening[1:] == closing[: len(opening) - 1] + 1
    after = characters[np.minimum(closing + 1, len(characters) - 1)]
    closes = (closing == len(characters) - 1) | (after == delimiter) | (after == _LINE_FEED) | (after == _RETURN)
    reopened = opening[1:] == closing[: len(opening) - 1] + 1
    closes[: len(reopened)] |= reopened
    return bool(opens.all() and closes.all())


@lru_cache(maxsize=8)
def _record_pattern(delimiter: str) -> re.Pattern[bytes]:
    between = re.escape(delimiter.encode())
    rest = rb"[^\n" + between + rb"]*+"
    field = rb'(?:"(?:[^"]++|"")*+"' + rest + rb'|(?!")' + rest + rb")"
    # The second branch takes all that is left once no record matches, so that no search goes on inside a field.
    return re.compile(rb"(" + field + rb"(?:" + between + field + rb")*+\n)|(?s:.+)")
