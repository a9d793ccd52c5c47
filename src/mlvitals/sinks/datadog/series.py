"""Points as series of the v2 intake: a gauge with one point each, of which all but time and value is kept as bytes."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from operator import attrgetter
from typing import Final

import msgspec

from mlvitals.clock import SECOND
from mlvitals.signals.spec import MetricSpec
from mlvitals.sinks.datadog.requests import Item
from mlvitals.sinks.datadog.tagbook import TagBook
from mlvitals.telemetry import MetricPoint, Service
from mlvitals.telemetry.naming import datadog as naming

_GAUGE: Final = 3  # MetricIntakeType
_SERIES: Final = 32_768  # the most that are kept, about 0.6 kB each

_Around = tuple[bytes, bytes]  # what stands before a point's time, and behind its value


class SeriesEncoder:
    """Encodes points for one destination.

    All are gauges, totals too, for a gauge that is sent twice is the same gauge. They have no host: the pod that
    happens to run the job would make every series a new one.
    """

    def __init__(self, service: Service, specs: Mapping[str, MetricSpec], tags: TagBook) -> None:
        self._service = service
        self._specs = specs
        self._tags = tags
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
        for point in sorted(points, key=attrgetter("time")):
            if point.tags is not tags:
                tags = point.tags
                known = self._under(tags)
            attributes = point.attributes
            key = (point.name, point.unit, *attributes, *attributes.values())
            try:
                before, after = known[key]
            except KeyError:
                before, after = known[key] = self._around(point)
            value = point.value
            if not isfinite(value):
                raise ValueError(f"{point.name}: {value} is not a value")
            if point.time != time:
                time = point.time
                stamp = b'%d,"value":' % (time // SECOND)
                second = time // SECOND * SECOND
            yield Item(b"".join((before, stamp, repr(float(value)).encode(), after)), second)

    def _under(self, tags: Mapping[str, str]) -> dict[tuple[str, ...], _Around]:
        if sum(map(len, self._known.values())) > _SERIES:
            self._known.clear()
        return self._known.setdefault((*tags, *tags.values()), {})

    def _around(self, point: MetricPoint) -> _Around:
        name = naming.metric_name(self._specs[point.name].name)
        rest: dict[str, object] = {
            "type": _GAUGE,
            "tags": all_tags(self._service, point.attributes, point.tags, self._tags),
        }
        unit = naming.unit_name(point.unit)
        if unit is not None:
            rest["unit"] = unit
        before = b'{"metric":%b,"points":[{"timestamp":' % msgspec.json.encode(name)
        return before, b"}],%b" % msgspec.json.encode(rest, order="sorted")[1:]


def all_tags(service: Service, attributes: Mapping[str, str], tags: Mapping[str, str], book: TagBook) -> list[str]:
    """Return the tags of a point or a log: attributes, who speaks, and a person's own where neither is so called.

    `env` and `service` are unified service tagging's. `version`, the third, is left to the person's own tags: a release
    of ours would begin every series anew. The model's version is `model_version`.
    """
    own = {"environment": service.environment, **attributes}
    spelled = [book.tag(short, value) for short, value in own.items()]
    spelled.append(naming.tag("service", service.name))
    keys = {tag.partition(":")[0] for tag in spelled}
    for name, value in {**service.tags, **tags}.items():
        key = naming.tag_key(name)
        if key not in keys:
            spelled.append(naming.tag(key, value))
    return sorted({tag for tag in spelled if tag})
