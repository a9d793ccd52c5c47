"""Compressed files as streams: gzip and zstd, of several members, cut short, or damaged."""

import io
import zlib
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import zstandard

GZIP_MAGIC: Final = b"\x1f\x8b"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_MAGIC_BYTES: Final = 4

# What one read may inflate to is bounded by the input it is given: zstd repeats 128 KiB in a few bytes.
_INPUT_BYTES: Final = 4 << 10
_BUFFER_BYTES: Final = 1 << 20


class _Member(Protocol):
    """A decompressor of one member (gzip) or frame (zstd)."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


class CompressedStream(io.RawIOBase):
    """The decompressed bytes of a file; what is whole can be read, whatever comes after it.

    fault: why the bytes end early, if they do: damage that no waiting heals.
    unfinished: the bytes end inside a member: more may be appended.
    """

    def __init__(self, file: BinaryIO, kind: str) -> None:
        super().__init__()
        self._file = file
        self._kind = kind
        self._restart()

    def _restart(self) -> None:
        self._file.seek(0)
        self._member: _Member | None = None
        self._input = b""
        self._output = memoryview(b"")
        self._position = 0
        self.fault: str | None = None

    @property
    def unfinished(self) -> bool:
        """Whether the last member has not ended."""
        return self._member is not None and self.fault is None

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True: forwards by reading on, backwards by starting anew."""
        return True

    def tell(self) -> int:
        """Return the offset in the decompressed bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to an absolute offset, or to the end if it lies beyond."""
        if whence == io.SEEK_CUR:
            offset += self._position
        elif whence != io.SEEK_SET:
            raise io.UnsupportedOperation("the size of a compressed stream is not known")
        if offset < self._position:
            self._restart()
        while self._position < offset and self._fill():
            self._take(offset - self._position)
        return self._position

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # narrower than Buffer
        """Read up to the buffer's length; 0 at the end of what is whole."""
        if not self._fill():
            return 0
        part = self._take(len(buffer))
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        """Close the file too."""
        self._file.close()
        super().close()

    def _take(self, size: int) -> memoryview:
        part = self._output[:size]
        self._output = self._output[size:]
        self._position += len(part)
        return part

    def _fill(self) -> bool:
        while not self._output and self.fault is None:
            if not self._input:
                self._input = self._file.read(_INPUT_BYTES)
                if not self._input:
                    return False
            self._inflate()
        return bool(self._output)

    def _inflate(self) -> None:
        if self._member is None:
            # Some writers pad gzip files with zeros (RFC 1952 is silent, gzip itself skips them).
            self._input = self._input.lstrip(b"\0") if self._kind == "gzip" else self._input
            if not self._input:
                return
            self._member = _open_member(self._kind)
        try:
            self._output = memoryview(self._member.decompress(self._input))
        except (zlib.error, zstandard.ZstdError):
            self.fault = f"damaged {self._kind} data after byte {self._position} of its content"
            self._input = b""
            return
        self._input = self._member.unused_data if self._member.eof else b""
        if self._member.eof:
            self._member = None


def open_stream(file: BinaryIO, path: Path) -> tuple[BinaryIO, CompressedStream | None]:
    """Return a buffered, seekable stream of a file's content, decompressed if it is compressed by its first bytes.

    Args:
        file: stands at 0.
        path: a name in .gz or .zst makes a file compressed even where too few bytes have been written to tell.

    """
    magic = file.read(_MAGIC_BYTES)
    file.seek(0)
    suffix = path.suffix.lower()
    if magic.startswith(GZIP_MAGIC) or (suffix == ".gz" and GZIP_MAGIC.startswith(magic[:2])):
        kind = "gzip"
    elif magic == ZSTD_MAGIC or (suffix in {".zst", ".zstd"} and ZSTD_MAGIC.startswith(magic)):
        kind = "zstd"
    else:
        return file, None
    raw = CompressedStream(file, kind)
    return io.BufferedReader(raw, _BUFFER_BYTES), raw


def _open_member(kind: str) -> _Member:
    if kind == "gzip":
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    member: _Member = zstandard.ZstdDecompressor().decompressobj()
    return member
