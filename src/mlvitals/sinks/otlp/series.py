"""What is the same in every window of a series: its metric and its attributes, as bytes, made once and kept."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from mlvitals.signals.spec import Instrument, MetricSpec
from mlvitals.sinks.otlp.values import key_values
from mlvitals.sinks.otlp.wire import DELIMITED, FIXED64, VARINT, delimited, repeated, tag, text, varint
from mlvitals.telemetry import MetricPoint
from mlvitals.telemetry.naming.otel import Spelling, attribute_name

# Fields of opentelemetry.proto.metrics.v1.
_DATA_POINTS: Final = tag(1, DELIMITED)  # of Gauge and of Sum
_GAUGE: Final = tag(5, DELIMITED)
_SUM: Final = tag(7, DELIMITED)
_CUMULATIVE_AND_MONOTONIC: Final = tag(2, VARINT) + varint(2) + tag(3, VARINT) + varint(1)
_BLANK: Final = bytes(8)
_START: Final = tag(2, FIXED64) + _BLANK
_TIME: Final = tag(3, FIXED64) + _BLANK
_VALUE: Final = tag(4, FIXED64) + _BLANK
_ATTRIBUTES: Final = 7

# The most that are kept, about 0.7 kB each; beyond, all are made anew, which takes some microseconds each.
_SERIES: Final = 32_768


class Metric:
    """What stands around a metric's points: a `Metric` message with one `Gauge`, or one `Sum`."""

    __slots__ = ("_data", "_head", "_tail")

    def __init__(self, name: str, unit: str, spec: MetricSpec) -> None:
        self._head = text(1, name) + text(2, spec.brief) + text(3, unit)
        counter = spec.instrument is Instrument.COUNTER
        self._data = _SUM if counter else _GAUGE
        self._tail = _CUMULATIVE_AND_MONOTONIC if counter else b""

    def around(self, size: int) -> tuple[bytes, bytes]:
        """Return what stands before and after so many bytes of points."""
        return self._head + self._data + varint(size + len(self._tail)), self._tail


class Series(NamedTuple):
    """A series: its metric, a point of it whose times and value are left blank, and how many bytes follow these."""

    metric: Metric
    point: bytes
    tail: int

    def timed(self, point: MetricPoint) -> bytes:
        """Return a blank point with the times that a point has: one of 0 is the default, and takes no room."""
        if point.start > 0 and point.time > 0:
            return self.point
        return blank(self.point[len(self.point) - self.tail :], start=point.start > 0, time=point.time > 0)


def blank(tail: bytes, *, start: bool, time: bool) -> bytes:
    """Return a point with blanks for its value and its times, before what else it has."""
    content = (_START if start else b"") + (_TIME if time else b"") + _VALUE + tail
    return _DATA_POINTS + delimited(content)


class SeriesBook:
    """The series of one destination, by everything that tells one from another."""

    def __init__(self, specs: Mapping[str, MetricSpec], spelling: Spelling) -> None:
        self._specs = specs
        self._spelling = spelling
        self._metrics: dict[tuple[str, str], Metric] = {}
        self._known: dict[tuple[str, ...], dict[tuple[str, ...], Series]] = {}
        self._attribute = lru_cache(maxsize=16_384)(self._encode_attribute)
        self._tag = lru_cache(maxsize=1_024)(_encode_pair)

    def find(self, points: list[MetricPoint]) -> Iterator[Series]:
        """Yield the series of points.

        Raises:
            KeyError: a name stands in no spec.
            ValueError: an attribute is no text, or has no short name.

        """
        if sum(map(len, self._known.values())) > _SERIES:
            self._known.clear()
        tags: Mapping[str, str] | None = None
        known: dict[tuple[str, ...], Series] = {}
        for point in points:
            if point.tags is not tags:
                tags = point.tags
                known = self._known.setdefault((*tags, *tags.values()), {})
            attributes = point.attributes
            # Flat, and in the mapping's own order, because that is the quickest to make and to look up.
            key = (point.name, point.unit, *attributes, *attributes.values())
            series = known.get(key)
            if series is None:
                series = known[key] = self._learn(point)
            yield series

    def _learn(self, point: MetricPoint) -> Series:
        metric = self._metrics.get((point.name, point.unit))
        if metric is None:
            metric = Metric(point.name, point.unit, self._specs[point.name])
            self._metrics[point.name, point.unit] = metric
        pairs = [self._attribute(*pair) for pair in sorted(point.attributes.items())]
        if point.tags:
            own = {attribute_name(short, self._spelling) for short in point.attributes}
            pairs += [self._tag(*pair) for pair in sorted(point.tags.items()) if pair[0] not in own]
        tail = repeated(_ATTRIBUTES, pairs)
        return Series(metric, blank(tail, start=True, time=True), len(tail))

    def _encode_attribute(self, short: str, value: str) -> bytes:
        return _encode_pair(attribute_name(short, self._spelling), value)


def _encode_pair(name: str, value: str) -> bytes:
    if not isinstance(value, str):
        raise ValueError(f"the attribute {name} is {value!r}, which is no text")  # noqa: TRY004  # a point's content
    return key_values({name: value})[0]
