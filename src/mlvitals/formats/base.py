"""The contract of a format: how to cut a stream into batches, and how to read a batch into columns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

import pyarrow as pa

from mlvitals.events import EventBatch, RawBatch


class Want(StrEnum):
    """How a feature's column is best decoded."""

    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodePlan:
    """What the pipeline will look at, so that nothing else is decoded.

    features: names (without prefix) and how to read them, None for every feature as its type says. JSON Lines give
        other features too, so that new ones are seen; formats with columns leave them unread.
    ids: prediction ids are needed (labels are joined, or duplicates are looked for). Without them there are no label
        events: `label` and `label_timestamp` of a combined row stand beside its prediction, as a reference needs them.
    model: the model of an event that names none; None refuses such events.
    predictions, labels: what the source is read for; rows of the other kind are skipped.
    times: a prediction needs its time. Without them one that has none is read with a null, as training sets hold it.
    probabilities: `prediction.probabilities` is read, a column for each class; else it only tells that there was one.
    rankings: `prediction.ranking` and `relevance` are read; else a ranking only tells that there was a prediction.
    """

    features: Mapping[str, Want] | None = None
    ids: bool = True
    model: str | None = None
    predictions: bool = True
    labels: bool = True
    times: bool = True
    probabilities: bool = True
    rankings: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A piece of a stream: whole rows, and where the next piece starts.

    offset: after the rows; bytes of the decompressed stream in a format that `appends`, else known to the format only.
    first_line, next_line: the numbers of the first row's line, and of the line at `offset`.
    """

    data: bytes | pa.RecordBatch
    offset: int
    header: bytes = b""
    first_line: int = 1
    next_line: int = 1


class Format(Protocol):
    """A way in which events are written.

    appends: rows may be appended to a file that has been read, and offsets are bytes; otherwise a file is whole.
    """

    @property
    def appends(self) -> bool:
        """Whether a file may grow, and offsets are bytes of the decompressed stream."""
        ...

    def cut(self, stream: BinaryIO, path: Path, offset: int, line: int = 1, *, complete: bool) -> Iterator[Cut]:
        """Cut a (decompressed) stream into batches from an earlier cut's end on, by content only.

        Args:
            stream: seekable, or standing at `offset` already.
            path: for messages.
            offset: 0, or the `offset` of a cut.
            line: 1, or the `next_line` of that cut.
            complete: nothing will be appended any more, so that a last line without its newline is a line.

        Raises:
            InputError: the file is not of this format at all.

        """
        ...

    def decode(self, raw: RawBatch) -> EventBatch:
        """Read a batch; raise nothing for what stands in it: a bad row is counted, and loses only itself."""
        ...


@runtime_checkable
class Mapped(Format, Protocol):
    """A format that may be read by a mapping, so that a path of it may lead nowhere."""

    @property
    def is_mapped(self) -> bool:
        """Whether there is a mapping."""
        ...

    def unseen(self, raw: RawBatch) -> list[str]:
        """Return the native fields whose paths lead to nothing in a batch, with these paths."""
        ...
