"""What requests hold, item by item, and a book of what was sent and taken."""

import gzip
import json
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

Item = tuple[Any, ...]


@dataclass
class Book:
    """What one destination was sent and what of it was taken.

    taken: of each item the contents that were taken, and how often. bodies: of each sequence of items the bodies that
    carried it. faults: what no request may be.
    """

    taken: dict[Item, Counter[Any]] = field(default_factory=lambda: defaultdict(Counter))
    bodies: dict[tuple[str, tuple[Item, ...]], Counter[bytes]] = field(default_factory=lambda: defaultdict(Counter))
    faults: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def sent(self, route: str, items: Mapping[Item, Any], body: bytes) -> None:
        with self.lock:
            self.bodies[route, tuple(items)][body] += 1

    def take(self, items: Mapping[Item, Any]) -> None:
        with self.lock:
            for item, content in items.items():
                self.taken[item][content] += 1

    @property
    def resends(self) -> int:
        """How often a body came again."""
        return sum(bodies.total() - 1 for bodies in self.bodies.values())


def read_otlp(route: str, body: bytes) -> dict[Item, Any]:
    """Return the items of an OTLP body, each with its content, in order."""
    message = ExportMetricsServiceRequest() if route == "metrics" else ExportLogsServiceRequest()
    message.ParseFromString(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
    if route == "logs":
        records = (
            record for outer in message.resource_logs for scope in outer.scope_logs for record in scope.log_records
        )
        return {("log", record.SerializeToString(deterministic=True)): None for record in records}
    metrics = (
        metric for outer in message.resource_metrics for scope in outer.scope_metrics for metric in scope.metrics
    )
    return {
        (kind, metric.name, attributes(point), point.time_unix_nano): point.as_double
        for metric in metrics
        for kind, data in [("total", metric.sum) if metric.HasField("sum") else ("point", metric.gauge)]
        for point in data.data_points
    }


def attributes(point: Any) -> Item:
    return tuple(sorted((one.key, one.value.string_value) for one in point.attributes))


def read_datadog(route: str, content: Any) -> dict[Item, Any]:
    """Return the items of what Datadog is sent, each with its content, in order."""
    if route == "metrics":
        return {
            ("point", one["metric"], tuple(one["tags"]), point["timestamp"]): point["value"]
            for one in content["series"]
            for point in one["points"]
        }
    if route == "logs":
        return {
            ("log", one["mlvitals"]["id"], one["mlvitals"].get("part", 0), one["timestamp"]): json.dumps(
                {name: told for name, told in one.items() if name != "timestamp"}, sort_keys=True
            )
            for one in content
        }
    event = content["data"]["attributes"]
    return {("event", event["aggregation_key"]): json.dumps(event, sort_keys=True)}


def read_bulk(body: bytes) -> dict[Item, Any]:
    """Return the documents of a body of `_bulk`, each by what names it."""
    lines = body.split(b"\n")[:-1]
    found: dict[Item, Any] = {}
    for action, source in zip(lines[::2], lines[1::2], strict=True):
        ((_, target),) = json.loads(action).items()
        found["document", target["_index"], target["_id"], target.get("version", 1)] = source
    return found
