"""JSON values as OTLP values; what has no place in the protocol is a bug and raises."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

_INTEGERS: Final = range(-(2**63), 2**63)


def any_value(value: Any) -> AnyValue:  # noqa: PLR0911  # one for each kind of value
    """Return a JSON value as an OTLP value; an absent one is the empty value.

    Raises:
        ValueError: the value is no JSON value, not finite, or an integer beyond 64 bits.

    """
    match value:
        case str():
            return AnyValue(string_value=value)
        case bool():
            return AnyValue(bool_value=value)
        case int() if value in _INTEGERS:
            return AnyValue(int_value=value)
        case float() if math.isfinite(value):
            return AnyValue(double_value=value)
        case None:
            return AnyValue()
        case Mapping():
            return AnyValue(kvlist_value=KeyValueList(values=key_values(value)))
        case Sequence() if not isinstance(value, bytes | bytearray | memoryview):
            return AnyValue(array_value=ArrayValue(values=[any_value(one) for one in value]))
        case _:
            raise ValueError(f"{value!r} ({type(value).__name__}) has no place in a log's body")


def key_values(values: Mapping[str, Any]) -> list[KeyValue]:
    """Return a mapping's entries by ascending key.

    Raises:
        ValueError: as `any_value`.

    """
    return [KeyValue(key=key, value=any_value(value)) for key, value in sorted(values.items())]
