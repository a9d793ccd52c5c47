"""The `stdout` sink: a JSON line for each point and each log record, for a log shipper to take away."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec

from mlvitals.clock import format_time
from mlvitals.delivery import Outcome, Request, Verdict
from mlvitals.sinks.base import QueueConfig, SinkContext
from mlvitals.telemetry import LogRecord, MetricPoint, Service


class StdoutSink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="stdout"):
    """Print points and logs as JSON lines."""

    name: str = "stdout"
    queue: QueueConfig = QueueConfig()

    def open(self, context: SinkContext) -> "StdoutDestination":
        """Return the destination."""
        return StdoutDestination(name=self.name, service=context.service, stream=context.stdout)


@dataclass(frozen=True, slots=True, kw_only=True)
class StdoutDestination:
    """Standard output as a destination; lines are whole, and may come twice after a crash."""

    name: str
    service: Service
    stream: BinaryIO

    def encode(self, points: Sequence[MetricPoint], logs: Sequence[LogRecord]) -> list[Request]:
        """Return one request for the points and one for the logs."""
        metrics = [self._point(point) for point in points], [point.time for point in points]
        records = [self._record(record) for record in logs], [record.time for record in logs]
        return [
            Request(
                route=route,
                body=msgspec.json.Encoder(order="deterministic").encode_lines(lines),
                items=len(lines),
                first=min(times),
                last=max(times),
            )
            for route, (lines, times) in (("metrics", metrics), ("logs", records))
            if lines
        ]

    def split(self, request: Request) -> list[Request]:
        """Return nothing: no request is ever refused for what it holds."""
        del request
        return []

    @property
    def routes(self) -> tuple[str, ...]:
        """Return what requests may be about."""
        return ("metrics", "logs")

    @property
    def renewal(self) -> None:
        """None: nothing is too old."""

    def send(self, request: Request) -> Outcome:
        """Print the lines; a closed pipe holds the queue."""
        try:
            self.stream.write(request.body)
            self.stream.flush()
        except OSError as error:
            return Outcome(verdict=Verdict.MISCONFIGURED, reason=f"standard output: {error.strerror}")
        return Outcome(verdict=Verdict.OK)

    def probe(self) -> Outcome:
        """Return ok: there is nothing to reach."""
        return Outcome(verdict=Verdict.OK)

    def close(self) -> None:
        """Leave the stream open: it is not ours."""

    def _point(self, point: MetricPoint) -> dict[str, Any]:
        if not math.isfinite(point.value):
            raise ValueError(f"{point.name}: {point.value} is not a value")
        return {
            "type": "metric",
            "name": point.name,
            "unit": point.unit,
            "value": point.value,
            "start": format_time(point.start),
            "time": format_time(point.time),
            "attributes": point.attributes,
            "service": self.service.name,
            "tags": {**self.service.tags, **point.tags},
        }

    def _record(self, record: LogRecord) -> dict[str, Any]:
        return {
            "type": "log",
            "event_name": record.event_name,
            "time": format_time(record.time),
            "severity": record.severity,
            "attributes": record.attributes,
            "body": record.body,
            "service": self.service.name,
            "tags": {**self.service.tags, **record.tags},
        }
