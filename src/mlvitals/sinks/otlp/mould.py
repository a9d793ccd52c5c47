"""A request for metrics with blanks for times and values: windows bring the same series again and again.

To tell whether they do takes less than to look up each series, and to fill the blanks less than to join the pieces.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mlvitals.sinks.otlp.envelope import Envelope
from mlvitals.sinks.otlp.series import Metric, Series
from mlvitals.sinks.otlp.wire import DELIMITED, tag, varint
from mlvitals.telemetry import MetricPoint

_METRICS: Final = tag(2, DELIMITED)  # of ScopeMetrics
_NANOSECONDS: Final = 1_000
_LATEST: Final = (2**64 - 1) // _NANOSECONDS
_STEP: Final = 9  # from one blank to the next: eight bytes, and the tag between them

# The most points that moulds are kept for, at half a kilobyte each.
_POINTS: Final = 32_768

_Offsets = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Figures:
    """What differs from window to window: columns of starts and times (microseconds) and of values."""

    starts: npt.NDArray[np.uint64]
    times: npt.NDArray[np.uint64]
    values: npt.NDArray[np.float64]

    @classmethod
    def of(cls, points: list[MetricPoint]) -> "Figures":
        """Read them from points, a start before 1970 as 0.

        Raises:
            ValueError: a value is not finite, or a time beyond what the protocol can tell (the year 2554).

        """
        values = np.array([point.value for point in points], dtype=np.float64)
        if not np.isfinite(values).all():
            wrong = points[int(np.flatnonzero(~np.isfinite(values))[0])]
            raise ValueError(f"{wrong.name}: {wrong.value} is not a value")
        starts, times = [point.start for point in points], [point.time for point in points]
        if max(times) > _LATEST or max(starts) > _LATEST:
            raise ValueError(f"{max(*times, *starts)} microseconds since the epoch are no time in OTLP")
        if min(starts) < 0:
            starts = [max(start, 0) for start in starts]
        return cls(np.array(starts, dtype=np.uint64), np.array(times, dtype=np.uint64), values)


@dataclass(frozen=True, slots=True, eq=False)
class Mould:
    """The request of some series in some order, blank.

    values, times, starts: where the blanks stand, of the points that have them. The order of points in the request is
    by metric, that of the offsets as points are given.
    """

    series: tuple[list[Any], ...]
    content: bytes
    values: _Offsets
    timed: npt.NDArray[np.bool_]
    started: npt.NDArray[np.bool_]
    times: _Offsets
    starts: _Offsets

    def fits(self, points: list[MetricPoint], figures: Figures) -> bool:
        """Tell whether these are the same series in the same order, with times where it has blanks for them."""
        return (
            self.series == _columns(points)
            and np.array_equal(self.timed, figures.times > 0)
            and np.array_equal(self.started, figures.starts > 0)
        )

    def fill(self, figures: Figures) -> bytes:
        """Return the request with these figures."""
        content = bytearray(self.content)
        # Eight bytes from any place on, as one number.
        room = np.ndarray(len(content) - 7, dtype="<u8", buffer=content, strides=(1,))
        room[self.values] = figures.values.view(np.uint64)
        room[self.times] = figures.times[self.timed] * np.uint64(_NANOSECONDS)
        room[self.starts] = figures.starts[self.started] * np.uint64(_NANOSECONDS)
        return bytes(content)


def make_mould(points: list[MetricPoint], series: Iterable[Series], figures: Figures, envelope: Envelope) -> Mould:
    """Return the mould of points and of their series, in the same order."""
    members: dict[Metric, list[tuple[int, bytes, int]]] = {}
    for place, (point, one) in enumerate(zip(points, series, strict=True)):
        members.setdefault(one.metric, []).append((place, one.timed(point), one.tail))
    values = np.empty(len(points), dtype=np.intp)
    pieces: list[bytes] = []
    size = 0
    for metric, its_points in members.items():
        places, blanks, tails = zip(*its_points, strict=True)
        ends = np.cumsum([len(one) for one in blanks])
        before, after = metric.around(int(ends[-1]))
        head = _METRICS + varint(len(before) + int(ends[-1]) + len(after)) + before
        values[list(places)] = size + len(head) + ends - np.array(tails) - 8
        pieces += [head, *blanks, after]
        size += len(head) + int(ends[-1]) + len(after)
    content = envelope.around(pieces, size)
    values += len(content) - size - envelope.after
    timed, started = figures.times > 0, figures.starts > 0
    return Mould(
        series=_copied(_columns(points)),
        content=content,
        values=values,
        timed=timed,
        started=started,
        times=values[timed] - _STEP,
        starts=(values - _STEP * (1 + timed))[started],
    )


class Moulds:
    """The moulds of one destination, by how many points they are for and by the first and the last of these."""

    def __init__(self) -> None:
        self._moulds: dict[tuple[Any, ...], Mould] = {}
        self._points = 0

    def find(self, points: list[MetricPoint], figures: Figures) -> Mould | None:
        """Return the mould for these points, if there is one."""
        mould = self._moulds.get(_key(points))
        return mould if mould is not None and mould.fits(points, figures) else None

    def keep(self, points: list[MetricPoint], mould: Mould) -> None:
        """Keep the mould of points, in place of another one of its key."""
        key = _key(points)
        if key not in self._moulds:
            if self._points > _POINTS:
                self._moulds.clear()
                self._points = 0
            self._points += len(points)
        self._moulds[key] = mould


def _columns(points: list[MetricPoint]) -> tuple[list[Any], ...]:
    return (
        [point.name for point in points],
        [point.attributes for point in points],
        [point.unit for point in points],
        [point.tags for point in points],
    )


def _copied(columns: tuple[list[Any], ...]) -> tuple[list[Any], ...]:
    """Return columns whose mappings are our own: those that were given may be changed afterwards."""
    names, attributes, units, tags = columns
    shared = {id(one): dict(one) for one in tags}
    return names, [dict(one) for one in attributes], units, [shared[id(one)] for one in tags]


def _key(points: list[MetricPoint]) -> tuple[Any, ...]:
    first, last = points[0], points[-1]
    return len(points), first.name, last.name, _flat(first.attributes), _flat(last.attributes)


def _flat(attributes: Mapping[str, str]) -> tuple[str, ...]:
    return (*attributes, *attributes.values())
