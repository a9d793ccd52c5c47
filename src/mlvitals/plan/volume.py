"""How much leaves for a destination: measured by rendering windows and encoding them as the destination does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from mlvitals.clock import DAY, WEEK
from mlvitals.delivery import Request, Sink
from mlvitals.engines.judging import Emission
from mlvitals.plan.windows import Saturated
from mlvitals.signals.catalogue import Catalogue
from mlvitals.signals.spec import Export
from mlvitals.signals.traffic import PREDICTION_COUNT
from mlvitals.sinks.packing import unpack
from mlvitals.telemetry import LogRecord, MetricPoint, Service, render
from mlvitals.windows.window import WindowSize

DAYS_OF_MONTH: Final = Fraction(1461, 48)  # a twelfth of 365¼

_POINT: Final = MetricPoint(
    name=PREDICTION_COUNT.spec.name,
    unit=PREDICTION_COUNT.spec.unit,
    value=1.0,
    time=1_767_225_600_000_000,
    start=1_767_222_000_000_000,
    attributes={"model": "m", "model_version": "1", "environment": "e"},
)


@dataclass(frozen=True, slots=True)
class Volume:
    """Documents (or records of a log) with their bytes: as they are stored, and as they are sent, compressed or not."""

    events: Fraction = Fraction(0)
    content: Fraction = Fraction(0)
    sent: Fraction = Fraction(0)

    def __add__(self, other: "Volume") -> "Volume":
        return Volume(self.events + other.events, self.content + other.content, self.sent + other.sent)

    def __mul__(self, times: int | Fraction) -> "Volume":
        return Volume(self.events * times, self.content * times, self.sent * times)


def takes_points(sink: Sink) -> bool:
    """Tell whether a destination draws series: some read what happened in documents and logs, and encode no point."""
    return bool(sink.encode([_POINT], []))


def windows_of_day(size: WindowSize) -> Fraction:
    """Return how many windows of a size a day has, of months the mean."""
    return size.per_week * DAY / WEEK


def log_records(window: Saturated, service: Service, signals: Catalogue) -> tuple[list[LogRecord], list[LogRecord]]:
    """Return what is told of a version's window: of all its predictions, and of those of one segment."""
    return _records(window.whole, service, signals), _records(window.parted, service, signals)


def volume_of_window(sink: Sink, records: tuple[Sequence[LogRecord], Sequence[LogRecord]], segments: int) -> Volume:
    """Return the volume of a version's window at a destination; each segment is told in a request of its own."""
    of_all, of_one = (volume_of_requests(sink.encode([], part)) for part in records)
    return of_all + of_one * segments


def _records(emissions: Iterable[Emission], service: Service, signals: Catalogue) -> list[LogRecord]:
    return [
        record
        for one in emissions
        for record in render(
            one.measurements,
            stamp=one.stamp,
            start=one.start,
            level=Export.LEAN,
            specs=signals.specs,
            service=service,
        )[1]
    ]


def volume_of_requests(requests: Sequence[Request]) -> Volume:
    """Return the volume of requests that hold documents or records of a log, and no points."""
    return Volume(
        Fraction(sum(request.items for request in requests)),
        Fraction(sum(len(unpack(request.body)) for request in requests)),
        Fraction(sum(len(request.body) for request in requests)),
    )
