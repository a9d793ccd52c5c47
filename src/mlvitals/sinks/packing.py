"""Bodies as they wait and leave: the same for the same content, and told apart by how they begin."""

import gzip
import zlib
from typing import Final, Literal

import zstandard

Compression = Literal["gzip", "zstd", "none"]

# Level 9, Python's default, takes twice as long for 4 % fewer bytes, level 3 two fifths of the time for 16 % more.
_GZIP_LEVEL: Final = 6
_ZSTD_LEVEL: Final = 3
_GZIP_MAGIC: Final = b"\x1f\x8b"  # RFC 1952, section 2.3.1
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"  # RFC 8878, section 3.1.1


def pack(content: bytes, compression: Compression) -> bytes:
    """Return what waits for some content."""
    match compression:
        case "gzip":
            return gzip.compress(content, _GZIP_LEVEL, mtime=0)
        case "zstd":
            return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(content)
    return content


def compression_of(body: bytes) -> Compression:
    """Return how a body is compressed, as its first bytes tell: neither is the beginning of JSON or of a message.

    What waits may be of a time when the configuration said otherwise.
    """
    if body.startswith(_GZIP_MAGIC):
        return "gzip"
    return "zstd" if body.startswith(_ZSTD_MAGIC) else "none"


def unpack(body: bytes) -> bytes:
    """Return the content of a body.

    Raises:
        ValueError: it begins like a compressed one and is none.

    """
    try:
        match compression_of(body):
            case "gzip":
                return gzip.decompress(body)
            case "zstd":
                return zstandard.ZstdDecompressor().stream_reader(body).read()
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise ValueError("not a compressed body") from error
    return body
