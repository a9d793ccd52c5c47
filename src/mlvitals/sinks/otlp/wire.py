"""Protocol Buffers' wire format, as far as OTLP needs it to be written.

A message's bytes are its fields' bytes one after the other, so that parts can be kept and joined. In the order of the
fields' numbers, and without those that hold their default, they are what the library's deterministic serialisation
gives; the tests hold each against the other. Source: protobuf.dev, "Encoding".
"""

import struct
from collections.abc import Iterable
from typing import Final

VARINT: Final = 0
FIXED64: Final = 1
DELIMITED: Final = 2

_SHORT: Final = tuple(bytes((number,)) for number in range(0x80))

pack_double: Final = struct.Struct("<d").pack
pack_fixed64: Final = struct.Struct("<Q").pack


def tag(number: int, kind: int) -> bytes:
    """Return what stands before a field's content: its number and the kind of its content."""
    return varint(number << 3 | kind)


def varint(number: int) -> bytes:
    """Return an integer of up to 64 bits, seven of them a byte, the least first; a negative one as its complement."""
    if 0 <= number < 0x80:
        return _SHORT[number]
    if 0 <= number < 0x4000:  # as nearly all lengths are
        return bytes((number & 0x7F | 0x80, number >> 7))
    rest = number & 0xFFFF_FFFF_FFFF_FFFF
    written = bytearray()
    while rest >= 0x80:
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    written.append(rest)
    return bytes(written)


def delimited(content: bytes) -> bytes:
    """Return a content after its length, as it stands behind the tag of a field of variable length."""
    return varint(len(content)) + content


def message(number: int, content: bytes) -> bytes:
    """Return a field that holds a message, an empty one too."""
    return tag(number, DELIMITED) + delimited(content)


def text(number: int, value: str) -> bytes:
    """Return a field that holds a text; an empty one is the default and needs no bytes."""
    return message(number, value.encode()) if value else b""


def fixed64(number: int, value: int) -> bytes:
    """Return a field that holds an integer in eight bytes; 0 is the default and needs none."""
    return tag(number, FIXED64) + pack_fixed64(value) if value else b""


def repeated(number: int, delimited_contents: Iterable[bytes]) -> bytes:
    """Return a field that comes once for each of some contents, which stand after their lengths already."""
    return tag(number, DELIMITED).join((b"", *delimited_contents))
