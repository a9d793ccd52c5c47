"""The contract of a format: how to cut a stream into batches, and how to read a batch into columns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Protocol

import pyarrow as pa

from mlvitals.events import EventBatch, RawBatch


class Want(StrEnum):
    """How a feature's column is best decoded."""

    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodePlan:
    """What the pipeline will look at, so that nothing else is decoded.

    features: names (without prefix) and how to read them, None for every feature as its type says.
    ids: prediction ids are needed (labels are joined, or duplicates are looked for).
    model: the model of an event that names none; None refuses such events.
    predictions, labels: what the source is read for; rows of the other kind are skipped.
    """

    features: Mapping[str, Want] | None = None
    ids: bool = True
    model: str | None = None
    predictions: bool = True
    labels: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A piece of a stream: whole rows, and the offset after them (opaque to all but the format that made it)."""

    data: bytes | pa.RecordBatch
    offset: int
    header: bytes = b""
    first_line: int = 1


class Format(Protocol):
    """A way in which events are written."""

    def cut(self, stream: BinaryIO, path: Path, offset: int, *, complete: bool) -> Iterator[Cut]:
        """Cut a (decompressed) stream into batches from `offset` on, by content only.

        `complete`: nothing will be appended any more, so that a last line without its newline is a line.
        """
        ...

    def decode(self, raw: RawBatch) -> EventBatch:
        """Read a batch; raise nothing for what stands in it: a bad row is counted, with its reason, and loses only itself."""
        ...
