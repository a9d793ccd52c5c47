"""Points and log records as OTLP requests: pure, deterministic and bounded in size."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord as OtlpRecord
from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber
from opentelemetry.proto.metrics.v1.metrics_pb2 import NumberDataPoint

from mlvitals.delivery import Request
from mlvitals.signals.spec import MetricSpec
from mlvitals.sinks.otlp.envelope import SCHEMA_URL, SCOPE, pack, resource
from mlvitals.sinks.otlp.values import any_value, key_value_list
from mlvitals.telemetry import LogRecord, MetricPoint, Service, Severity
from mlvitals.telemetry.naming.otel import Spelling, attribute_name

METRICS: Final = "metrics"
LOGS: Final = "logs"

ITEMS: Final = 2_000
BODY_BYTES: Final = 3 * 1024 * 1024  # uncompressed; a collector's gRPC takes 4 MiB, its HTTP more

_NANOSECONDS: Final = 1_000
_POINT_BYTES: Final = 40  # a point's times, value and lengths
_METRIC_BYTES: Final = 40  # a metric's lengths
_ENVELOPE_BYTES: Final = 64 * 1024

_SEVERITIES: Final = {
    Severity.INFO: SeverityNumber.SEVERITY_NUMBER_INFO,
    Severity.WARN: SeverityNumber.SEVERITY_NUMBER_WARN,
    Severity.ERROR: SeverityNumber.SEVERITY_NUMBER_ERROR,
}


class Encoder:
    """Encodes for one destination.

    The protocol's times are unsigned: it cannot tell a time before 1970. Points stamped there leave in the documents of
    `mlvitals.window.closed` only, whose record's own time is then 0, "unknown"; an earlier start is 0 as well.
    """

    def __init__(
        self, service: Service, specs: Mapping[str, MetricSpec], spelling: Spelling, *, compressed: bool
    ) -> None:
        self._resource = resource(service)
        self._specs = specs
        self._spelling = spelling
        self.compressed = compressed
        # The same series come window after window, and their attributes share most of their pairs.
        self._attribute = lru_cache(maxsize=16_384)(self._encode_attribute)
        self._tag = lru_cache(maxsize=1_024)(_encode_pair)
        self._attributes = lru_cache(maxsize=16_384)(self._encode_attributes)

    def metrics(self, points: Sequence[MetricPoint]) -> list[Request]:
        """Return requests that carry the points by time, as gauges.

        Raises:
            ValueError: a value is not finite.
            KeyError: a name stands in no spec.

        """
        expressible = sorted((point for point in points if point.time >= 0), key=lambda point: point.time)
        return [self._metrics_request(chunk) for chunk in self._point_chunks(expressible)]

    def logs(self, records: Sequence[LogRecord]) -> list[Request]:
        """Return requests that carry the records in their order.

        Raises:
            ValueError: a body holds what the protocol cannot.

        """
        return [self._logs_request(chunk) for chunk in self._record_chunks(records)]

    def empty(self, route: str) -> Request:
        """Return a request without items, which a receiver must take."""
        message = ExportMetricsServiceRequest() if route == METRICS else ExportLogsServiceRequest()
        return Request(route=route, body=pack(message, compressed=self.compressed), items=0, first=0, last=0)

    def _metrics_request(self, chunk: Sequence[tuple[MetricPoint, bytes]]) -> Request:
        message = ExportMetricsServiceRequest()
        outer = message.resource_metrics.add(resource=self._resource, schema_url=SCHEMA_URL)
        scope = outer.scope_metrics.add(scope=SCOPE, schema_url=SCHEMA_URL)
        gauges: dict[tuple[str, str], Any] = {}
        for point, attributes in chunk:
            gauge = gauges.get((point.name, point.unit))
            if gauge is None:
                brief = self._specs[point.name].brief
                metric = scope.metrics.add(name=point.name, description=brief, unit=point.unit)
                gauge = gauges[point.name, point.unit] = metric.gauge.data_points
            gauge.add(
                start_time_unix_nano=max(point.start, 0) * _NANOSECONDS,
                time_unix_nano=point.time * _NANOSECONDS,
                as_double=point.value,
            ).MergeFromString(attributes)
        first, last = chunk[0][0].time, chunk[-1][0].time
        body = pack(message, compressed=self.compressed)
        return Request(route=METRICS, body=body, items=len(chunk), first=first, last=last)

    def _point_chunks(self, points: Sequence[MetricPoint]) -> Iterator[list[tuple[MetricPoint, bytes]]]:
        chunk: list[tuple[MetricPoint, bytes]] = []
        named: set[str] = set()
        size = _ENVELOPE_BYTES
        for point in points:
            if not math.isfinite(point.value):
                raise ValueError(f"{point.name}: {point.value} is not a value")
            attributes = self._attributes(tuple(point.attributes.items()), tuple(point.tags.items()))
            header = 0 if point.name in named else self._header_bytes(point.name)
            if len(chunk) == ITEMS or (chunk and size + _POINT_BYTES + len(attributes) + header > BODY_BYTES):
                yield chunk
                chunk, size, named = [], _ENVELOPE_BYTES, set()
                header = self._header_bytes(point.name)
            chunk.append((point, attributes))
            named.add(point.name)
            size += _POINT_BYTES + len(attributes) + header
        if chunk:
            yield chunk

    def _header_bytes(self, name: str) -> int:
        spec = self._specs[name]
        return _METRIC_BYTES + len(name) + len(spec.unit.encode()) + len(spec.brief.encode())

    def _encode_attributes(self, pairs: tuple[tuple[str, str], ...], tags: tuple[tuple[str, str], ...]) -> bytes:
        encoded = [self._attribute(*pair) for pair in sorted(pairs)]
        if tags:
            own = {attribute_name(short, self._spelling) for short, _ in pairs}
            encoded += [self._tag(*tag) for tag in sorted(tags) if tag[0] not in own]
        return b"".join(encoded)

    def _encode_attribute(self, short: str, value: str) -> bytes:
        return _encode_pair(attribute_name(short, self._spelling), value)

    def _logs_request(self, chunk: Sequence[tuple[LogRecord, OtlpRecord]]) -> Request:
        message = ExportLogsServiceRequest()
        outer = message.resource_logs.add(resource=self._resource, schema_url=SCHEMA_URL)
        outer.scope_logs.add(scope=SCOPE, schema_url=SCHEMA_URL, log_records=[encoded for _, encoded in chunk])
        times = [record.time for record, _ in chunk]
        body = pack(message, compressed=self.compressed)
        return Request(route=LOGS, body=body, items=len(chunk), first=min(times), last=max(times))

    def _record_chunks(self, records: Sequence[LogRecord]) -> Iterator[list[tuple[LogRecord, OtlpRecord]]]:
        chunk: list[tuple[LogRecord, OtlpRecord]] = []
        size = _ENVELOPE_BYTES
        for record in records:
            encoded = self._record(record)
            length = encoded.ByteSize() + _POINT_BYTES
            if chunk and (len(chunk) == ITEMS or size + length > BODY_BYTES):
                yield chunk
                chunk, size = [], _ENVELOPE_BYTES
            chunk.append((record, encoded))
            size += length
        if chunk:
            yield chunk

    def _record(self, record: LogRecord) -> OtlpRecord:
        moment = max(record.time, 0) * _NANOSECONDS
        return OtlpRecord(
            time_unix_nano=moment,
            observed_time_unix_nano=moment,  # when it was seen would differ in every replay
            severity_number=_SEVERITIES[record.severity],
            severity_text=record.severity,
            event_name=record.event_name,
            attributes=key_value_list(
                {**record.tags}
                | {attribute_name(short, self._spelling): value for short, value in record.attributes.items()}
            ).values,
            body=any_value(record.body),
        )


def _encode_pair(name: str, value: str) -> bytes:
    # A message's bytes are its fields' bytes one after the other, so that parts of a point can be kept and joined.
    encoded: bytes = NumberDataPoint(attributes=key_value_list({name: value}).values).SerializeToString(
        deterministic=True
    )
    return encoded
