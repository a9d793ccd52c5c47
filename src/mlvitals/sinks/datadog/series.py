"""Points as series of the v2 intake: a gauge with one point each, of which all but time and value is kept as bytes."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from operator import attrgetter
from typing import Final

import msgspec

from mlvitals.clock import SECOND
from mlvitals.signals.spec import MetricSpec
from mlvitals.sinks.datadog.requests import Item
from mlvitals.sinks.datadog.tagging import Tagging
from mlvitals.telemetry import MetricPoint
from mlvitals.telemetry.naming import datadog as naming

_GAUGE: Final = 3  # MetricIntakeType
_SERIES: Final = 32_768  # the most that are kept, about 0.6 kB each

_Around = tuple[bytes, bytes]  # what stands before a point's time, and behind its value


class SeriesEncoder:
    """Encodes points for one destination.

    All are gauges, totals too, for a gauge that is sent twice is the same gauge. They have no host: the pod that
    happens to run the job would make every series a new one.
    """

    def __init__(self, specs: Mapping[str, MetricSpec], tagging: Tagging) -> None:
        self._specs = specs
        self._tagging = tagging
        self._known: dict[tuple[str, ...], dict[tuple[str, ...], _Around]] = {}

    def forget(self) -> None:
        """Forget what was made with tags that are not given out any more."""
        self._known.clear()

    def items(self, points: Sequence[MetricPoint]) -> Iterator[Item]:
        """Yield the points by time.

        Raises:
            ValueError: a value is not finite, or an attribute no text.
            KeyError: a name stands in no spec.

        """
        # A window has thousands of points: what they share is looked at only where it changes.
        tags = time = None
        stamp, second = b"", 0
        known: dict[tuple[str, ...], _Around] = {}
        ordered = sorted(points, key=attrgetter("time"))
        for point, value in zip(ordered, _values(ordered), strict=True):
            if point.tags is not tags:
                tags = point.tags
                known = self._under(tags)
            attributes = point.attributes
            key = (point.name, point.unit, *attributes, *attributes.values())
            try:
                before, after = known[key]
            except KeyError:
                before, after = known[key] = self._around(point)
            if point.time != time:
                time = point.time
                stamp = b'%d,"value":' % (time // SECOND)
                second = time // SECOND * SECOND
            yield Item(b"".join((before, stamp, value, after)), second)

    def _under(self, tags: Mapping[str, str]) -> dict[tuple[str, ...], _Around]:
        if sum(map(len, self._known.values())) > _SERIES:
            self._known.clear()
        return self._known.setdefault((*tags, *tags.values()), {})

    def _around(self, point: MetricPoint) -> _Around:
        name = naming.metric_name(self._specs[point.name].name)
        rest: dict[str, object] = {
            "type": _GAUGE,
            "tags": self._tagging.tags(point.attributes, point.tags),
        }
        unit = naming.unit_name(point.unit)
        if unit is not None:
            rest["unit"] = unit
        before = b'{"metric":%b,"points":[{"timestamp":' % msgspec.json.encode(name)
        return before, b"}],%b" % msgspec.json.encode(rest, order="sorted")[1:]


def _values(points: Sequence[MetricPoint]) -> list[bytes]:
    """Return the values as JSON. A list is spelled at once, because that takes less than each by itself."""
    values = [float(point.value) for point in points]
    for point, value in zip(points, values, strict=True):
        if not isfinite(value):
            raise ValueError(f"{point.name}: {value} is not a value")
    return repr(values)[1:-1].encode().split(b", ") if values else []
