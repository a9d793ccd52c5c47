"""Standard input as a source."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from mlvitals.errors import InputError
from mlvitals.events import RawBatch
from mlvitals.formats import Format


class StandardInput:
    """Reads standard input to its end, in blocks.

    Its position cannot be returned to: what was read before a restart is gone, and the next process reads what its own
    standard input holds.
    """

    def __init__(self, name: str, file_format: Format, stream: BinaryIO | None = None) -> None:
        self._name = name
        self._format = file_format
        self._stream = stream

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
        """Return nothing: what cannot be read raises."""
        return []

    @property
    def faults(self) -> list[str]:
        """Return nothing: what cannot be read raises."""
        return []

    def restore(self, position: bytes) -> None:
        """Do nothing: a pipe has no way back."""

    def read(self, *, complete: bool = True) -> Iterator[RawBatch]:  # noqa: ARG002  # a pipe's end is always final
        """Yield everything up to the end of standard input.

        Raises:
            InputError: the format needs a whole file.

        """
        if not self._format.appends:
            raise InputError("standard input: this format cannot be read from a pipe")
        forward = Forward(self._stream or sys.stdin.buffer)
        for cut in self._format.cut(cast("BinaryIO", forward), Path("-"), 0, complete=True):
            yield RawBatch(
                data=cut.data,
                place="standard input",
                position=b"",
                header=cut.header,
                first_line=cut.first_line,
            )

    def commit(self, position: bytes) -> None:
        """Do nothing: a pipe forgets by itself."""

    def check(self) -> list[str]:
        """Return nothing: a pipe is there."""
        return []

    def close(self) -> None:
        """Do nothing: standard input is not ours to close."""


class Forward:
    """A stream that counts what was read, so that a seek to where it stands is none."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._position = 0

    def read(self, size: int) -> bytes:
        """Read `size` bytes, fewer only at the end."""
        data = self._stream.read(size)
        self._position += len(data)
        return data

    def readline(self, limit: int) -> bytes:
        """Read up to a line's end, `limit` bytes, or the end."""
        data = self._stream.readline(limit)
        self._position += len(data)
        return data

    def seek(self, offset: int) -> int:
        """Stay where the stream stands.

        Raises:
            UnsupportedOperation: it does not stand there.

        """
        if offset != self._position:
            raise io.UnsupportedOperation("a pipe cannot be read again")
        return offset
