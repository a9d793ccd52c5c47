"""Points and log records as OTLP requests: pure, deterministic and bounded in size."""

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Final

from mlvitals.delivery import Request
from mlvitals.signals.spec import MetricSpec
from mlvitals.sinks.otlp.envelope import Envelope
from mlvitals.sinks.otlp.mould import Figures, Moulds, make_mould
from mlvitals.sinks.otlp.series import SeriesBook
from mlvitals.sinks.otlp.values import any_value, key_values
from mlvitals.sinks.otlp.wire import VARINT, fixed64, message, repeated, tag, text, varint
from mlvitals.sinks.packing import Compression, pack
from mlvitals.telemetry import LogRecord, MetricPoint, Service
from mlvitals.telemetry.naming.otel import Spelling, attribute_name

METRICS: Final = "metrics"
LOGS: Final = "logs"

ITEMS: Final = 2_000
BODY_BYTES: Final = 3 * 1024 * 1024  # uncompressed; a collector's gRPC takes 4 MiB, its HTTP more

_NANOSECONDS: Final = 1_000

# Fields of the protocol's messages: of ScopeLogs, of LogRecord.
_ITEMS: Final = 2
_RECORD_TIME, _SEVERITY, _SEVERITY_TEXT, _BODY, _ATTRIBUTES, _OBSERVED, _EVENT_NAME = 1, 2, 3, 5, 6, 11, 12

_PACKED: Final[Mapping[bool, Compression]] = {True: "gzip", False: "none"}


class Encoder:
    """Encodes for one destination.

    The protocol's times are unsigned: it cannot tell a time before 1970. Points stamped there leave in the documents of
    `mlvitals.window.closed` only, whose record's own time is then 0, "unknown"; an earlier start is 0 as well.
    """

    def __init__(
        self, service: Service, specs: Mapping[str, MetricSpec], spelling: Spelling, resource: Mapping[str, str]
    ) -> None:
        """Learn who speaks, of what and how it is spelled; `resource` holds more attributes of the service."""
        self._envelope = Envelope(service, resource)
        self._spelling = spelling
        self._book = SeriesBook(specs, spelling)
        self._moulds = Moulds()

    def metrics(self, points: Sequence[MetricPoint], *, compressed: bool) -> list[Request]:
        """Return requests that carry the points by time: gauges, and totals since their start.

        Raises:
            ValueError: a value is not finite, or an attribute no text.
            KeyError: a name stands in no spec.

        """
        ordered = sorted(points, key=attrgetter("time"))
        if ordered and ordered[0].time < 0:
            ordered = [point for point in ordered if point.time >= 0]
        return [
            request
            for first in range(0, len(ordered), ITEMS)
            for request in self._metrics_requests(ordered[first : first + ITEMS], compressed=compressed)
        ]

    def logs(self, records: Sequence[LogRecord], *, compressed: bool) -> list[Request]:
        """Return requests that carry the records in their order.

        Raises:
            ValueError: a body holds what the protocol cannot.

        """
        return [self._logs_request(chunk, compressed=compressed) for chunk in self._record_chunks(records)]

    def _metrics_requests(self, points: list[MetricPoint], *, compressed: bool) -> list[Request]:
        figures = Figures.of(points)
        mould = self._moulds.find(points, figures)
        if mould is None:
            mould = make_mould(points, self._book.find(points), figures, self._envelope)
            if len(mould.content) > BODY_BYTES and len(points) > 1:
                middle = len(points) // 2
                halves = points[:middle], points[middle:]
                return [request for half in halves for request in self._metrics_requests(half, compressed=compressed)]
            self._moulds.keep(points, mould)
        body = pack(mould.fill(figures), _PACKED[compressed])
        return [Request(route=METRICS, body=body, items=len(points), first=points[0].time, last=points[-1].time)]

    def _logs_request(self, chunk: Sequence[tuple[LogRecord, bytes]], *, compressed: bool) -> Request:
        content = self._envelope.around([encoded for _, encoded in chunk], sum(len(encoded) for _, encoded in chunk))
        times = [record.time for record, _ in chunk]
        body = pack(content, _PACKED[compressed])
        return Request(route=LOGS, body=body, items=len(chunk), first=min(times), last=max(times))

    def _record_chunks(self, records: Sequence[LogRecord]) -> Iterator[list[tuple[LogRecord, bytes]]]:
        chunk: list[tuple[LogRecord, bytes]] = []
        size = self._envelope.size
        for record in records:
            encoded = message(_ITEMS, self._record(record))
            length = len(encoded)
            if chunk and (len(chunk) == ITEMS or size + length > BODY_BYTES):
                yield chunk
                chunk, size = [], self._envelope.size
            chunk.append((record, encoded))
            size += length
        if chunk:
            yield chunk

    def _record(self, record: LogRecord) -> bytes:
        moment = max(record.time, 0) * _NANOSECONDS
        attributes = {attribute_name(short, self._spelling): value for short, value in record.attributes.items()}
        return b"".join(
            (
                fixed64(_RECORD_TIME, moment),
                tag(_SEVERITY, VARINT),
                varint(record.severity.number),
                text(_SEVERITY_TEXT, record.severity),
                message(_BODY, any_value(record.body)),
                repeated(_ATTRIBUTES, key_values({**record.tags, **attributes})),
                fixed64(_OBSERVED, moment),  # when it was seen would differ in every replay
                text(_EVENT_NAME, record.event_name),
            )
        )


def empty(route: str, *, compressed: bool) -> Request:
    """Return a request without items, which a receiver must take: a message without a field has no bytes."""
    return Request(route=route, body=pack(b"", _PACKED[compressed]), items=0, first=0, last=0)
