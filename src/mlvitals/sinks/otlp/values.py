"""JSON values as OTLP values; what has no place in the protocol is a bug and raises."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue, KeyValueList

_INTEGERS: Final = range(-(2**63), 2**63)
_REPEATED: Final = frozenset({str, int, bool, type(None)})


def any_value(value: Any) -> AnyValue:
    """Return a JSON value as an OTLP value; an absent one is the empty value.

    Raises:
        ValueError: the value is no JSON value, not finite, or an integer beyond 64 bits.

    """
    message = AnyValue()
    _fill(message, value)
    return message


def key_value_list(values: Mapping[str, Any]) -> KeyValueList:
    """Return a mapping's entries by ascending key.

    Raises:
        ValueError: as `any_value`.

    """
    entries = KeyValueList()
    _fill_entries(entries, values)
    return entries


def _fill(message: AnyValue, value: Any) -> None:
    # In place, because a message that is given to another one is copied, at each level again.
    match value:
        case float() if math.isfinite(value):
            message.double_value = value
        case str():
            message.string_value = value
        case bool():
            message.bool_value = value
        case int() if value in _INTEGERS:
            message.int_value = value
        case None:
            pass
        case Mapping():
            message.kvlist_value.SetInParent()
            _fill_entries(message.kvlist_value, value)
        case Sequence() if not isinstance(value, bytes | bytearray | memoryview):
            message.array_value.SetInParent()
            for one in value:
                _fill(message.array_value.values.add(), one)
        case _:
            raise ValueError(f"{value!r} ({type(value).__name__}) has no place in a log's body")


def _fill_entries(entries: KeyValueList, values: Mapping[str, Any]) -> None:
    # Documents repeat most of their entries: those are encoded once and joined, for a message's bytes are its fields'
    # bytes one after the other. Floats are not among them, because 0.0 and -0.0 are one key of a cache.
    ready: list[bytes] = []
    for key, value in sorted(values.items()):
        if type(value) in _REPEATED:
            ready.append(_encoded(key, value))
            continue
        entries.MergeFromString(b"".join(ready))
        ready.clear()
        _fill(entries.values.add(key=key).value, value)
    entries.MergeFromString(b"".join(ready))


@lru_cache(maxsize=16_384, typed=True)
def _encoded(key: str, value: Any) -> bytes:
    encoded: bytes = KeyValueList(values=[KeyValue(key=key, value=any_value(value))]).SerializeToString()
    return encoded
