"""JSON Lines, plain or compressed: their times are shifted, every other byte of a value stays as it was."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, cast

import msgspec
import zstandard

from mlvitals import wire
from mlvitals.clock import format_time, parse_time
from mlvitals.errors import InputError
from mlvitals.replay.shift import Shift
from mlvitals.sources.compression import open_stream

SUFFIXES: Final = (".jsonl", ".jsonl.gz", ".jsonl.zst")
FEATURE_TIMES: Final = "feature_times"
MOMENTS: Final = (wire.TIMESTAMP, wire.LABEL_TIMESTAMP)

_EVENT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT: Final = msgspec.json.Decoder(str)
_TEXTS: Final = msgspec.json.Decoder(dict[str, str])
_NO_EVENT: Final = (msgspec.MsgspecError, UnicodeDecodeError, KeyError, ValueError)


class ShiftedLine(NamedTuple):
    """A line after the shift, and its event's new time; None where the line is no event and is unchanged."""

    line: bytes
    moment: int | None


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield a file's lines with their ends, decompressed if it is compressed.

    Raises:
        InputError: the file cannot be read to its end.

    """
    try:
        with path.open("rb") as file:
            stream, compressed = open_stream(file, path)
            yield from stream
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    if compressed is not None and (compressed.fault is not None or compressed.unfinished):
        raise InputError(f"{path}: {compressed.fault or 'ends inside compressed data'}")


@contextmanager
def open_target(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing, compressed as its name says; the same lines make the same file."""
    with path.open("wb") as raw:
        if path.suffix == ".gz":
            with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as stream:
                yield cast("BinaryIO", stream)
        elif path.suffix == ".zst":
            with zstandard.ZstdCompressor().stream_writer(raw, closefd=False) as stream:
                yield cast("BinaryIO", stream)
        else:
            yield raw


def moments(line: bytes) -> list[int]:
    """Return the times that a line holds of its events; none where it is no event."""
    try:
        event = _EVENT.decode(line)
        return [parse_time(_TEXT.decode(event[name])) for name in MOMENTS if name in event]
    except _NO_EVENT:
        return []


def shift_line(line: bytes, shift: Shift) -> ShiftedLine:
    """Shift the times of one event; what is no event with readable times stays as it is."""
    try:
        event = _EVENT.decode(line)
        moment = shift.time(parse_time(_TEXT.decode(event[wire.TIMESTAMP])))
        event[wire.TIMESTAMP] = _raw(format_time(moment))
        if wire.LABEL_TIMESTAMP in event:
            event[wire.LABEL_TIMESTAMP] = _raw(_shift_text(_TEXT.decode(event[wire.LABEL_TIMESTAMP]), shift))
        if FEATURE_TIMES in event:
            times = _TEXTS.decode(event[FEATURE_TIMES])
            event[FEATURE_TIMES] = _raw({group: _shift_text(text, shift) for group, text in times.items()})
    except _NO_EVENT:
        return ShiftedLine(line, None)
    end = b"\n" if line.endswith(b"\n") else b""
    return ShiftedLine(msgspec.json.encode(event) + end, moment)


def _shift_text(text: str, shift: Shift) -> str:
    return format_time(shift.time(parse_time(text)))


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
