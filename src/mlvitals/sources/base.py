"""The contract of a source: bytes with a position that can be returned to."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Protocol

from mlvitals.events import RawBatch
from mlvitals.formats.base import Format


class Role(StrEnum):
    """What a source carries; only sources of predictions hold the watermark."""

    PREDICTIONS = "predictions"
    LABELS = "labels"
    BOTH = "both"


class Source(Protocol):
    """Where events come from.

    `read` yields what is there now, in a stable order, and ends; calling it again yields what has come since. A batch's
    `position` says where the source stands after it. `restore` goes back to a position. Cuts depend on the input's
    content and the position only, so that a replay cuts alike.
    """

    @property
    def format(self) -> Format:
        """The opened format that decodes this source's batches."""
        ...

    @property
    def problems(self) -> list[str]:
        """What the last `read` could not read, and notes on what it started anew."""
        ...

    @property
    def faults(self) -> list[str]:
        """Of the problems, what could not be read."""
        ...

    @property
    def name(self) -> str:
        """A stable name: it keys the position in the state."""
        ...

    def restore(self, position: bytes) -> None:
        """Stand where the source stood after the batch with this position."""
        ...

    def read(self, *, complete: bool = False) -> Iterator[RawBatch]:
        """Yield what can be read now.

        Args:
            complete: take the input as final: a last line without its end is a line.

        Raises:
            InputError: the input cannot be opened at all.

        """
        ...

    def check(self) -> list[str]:
        """Return what would keep the source from being read, without reading it."""
        ...

    def commit(self, position: bytes) -> None:
        """Learn that everything up to this position is durable (a queue may forget it)."""
        ...

    def close(self) -> None:
        """Give back what `read` opened."""
        ...
