"""JSON values as OTLP values, in bytes; what has no place in the protocol is a bug and raises."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from mlvitals.sinks.otlp.wire import DELIMITED, FIXED64, VARINT, delimited, pack_double, repeated, tag, text, varint

_INTEGERS: Final = range(-(2**63), 2**63)
_REPEATED: Final = frozenset({str, int, bool, type(None)})

# Fields of opentelemetry.proto.common.v1: of KeyValue, and of the choice in AnyValue.
_KEY: Final = 1
_VALUE: Final = tag(2, DELIMITED)
_STRING: Final = tag(1, DELIMITED)
_BOOL: Final = tag(2, VARINT)
_INT: Final = tag(3, VARINT)
_DOUBLE: Final = tag(4, FIXED64)
_ARRAY: Final = tag(5, DELIMITED)
_KEY_VALUE_LIST: Final = tag(6, DELIMITED)
_VALUES: Final = 1  # of ArrayValue and of KeyValueList
_ENTRY: Final = tag(_VALUES, DELIMITED)

_DOUBLE_BYTES: Final = len(_DOUBLE) + 8


def any_value(value: Any) -> bytes:
    """Return a JSON value as an `AnyValue`; an absent one is the empty value.

    Raises:
        ValueError: the value is no JSON value, not finite, or an integer beyond 64 bits.

    """
    match value:
        case dict() | Mapping():  # first, for what else is in a document seldom comes here
            written = _KEY_VALUE_LIST + delimited(_ENTRY.join((b"", *key_values(value))))
        case float() if math.isfinite(value):
            written = _DOUBLE + pack_double(value)
        case str():
            written = _STRING + delimited(value.encode())
        case bool():
            written = _BOOL + varint(value)
        case int() if value in _INTEGERS:
            written = _INT + varint(value)
        case None:
            written = b""
        case list() | Sequence() if not isinstance(value, bytes | bytearray | memoryview):
            written = _ARRAY + delimited(repeated(_VALUES, [delimited(any_value(one)) for one in value]))
        case _:
            raise ValueError(f"{value!r} ({type(value).__name__}) has no place in a log's body")
    return written


def key_values(values: Mapping[str, Any]) -> list[bytes]:
    """Return a mapping's entries by ascending key: each a `KeyValue` after its length.

    Raises:
        ValueError: as `any_value`.

    """
    written = []
    for key in _in_order(tuple(values)):
        value = values[key]
        kind = type(value)
        if kind in _REPEATED:
            written.append(_repeated_entry(key, value))
        elif kind is float and math.isfinite(value):
            # Not among those that are kept, because 0.0 and -0.0 are one key of a cache.
            written.append(_before_double(key) + pack_double(value))
        else:
            written.append(_entry(key, any_value(value)))
    return written


# Documents of one kind have the same keys, and most of their entries, again and again.
@lru_cache(maxsize=1_024)
def _in_order(keys: tuple[str, ...]) -> list[str]:
    return sorted(keys)


@lru_cache(maxsize=16_384, typed=True)
def _repeated_entry(key: str, value: Any) -> bytes:
    return _entry(key, any_value(value))


def _entry(key: str, value: bytes) -> bytes:
    return delimited(_before_value(key) + delimited(value))


@lru_cache(maxsize=1_024)
def _before_value(key: str) -> bytes:
    return text(_KEY, key) + _VALUE


@lru_cache(maxsize=1_024)
def _before_double(key: str) -> bytes:
    head = _before_value(key) + varint(_DOUBLE_BYTES) + _DOUBLE
    return varint(len(head) + 8) + head
