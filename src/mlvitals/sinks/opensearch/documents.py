"""Measurements, points and log records as documents: pure, with identities that follow from what they say."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from mlvitals.clock import format_time, parse_time
from mlvitals.hashing import content_hash
from mlvitals.signals.spec import Instrument, MetricSpec, Stage
from mlvitals.telemetry import WINDOW_CLOSED, LogRecord, MetricPoint, Service, Severity
from mlvitals.telemetry.naming import opensearch as naming
from mlvitals.telemetry.naming.opensearch import Schema

ENCODER: Final = msgspec.json.Encoder(order="deterministic")

_NUMBERS: Final = ("value", "lower", "upper", "threshold")
_PLAIN: Final = ("unit", "status", "samples", "reference_samples", "reference_hash", "revision")
_IDENTITY: Final = ("environment", "model", "model_version", "signal", "window_start", "window_end")

_SEVERITY_WORDS: Final = {Severity.INFO: "info", Severity.WARN: "warn", Severity.ERROR: "error"}
_ECS_VERSION: Final = "8.11.0"


class Document(NamedTuple):
    """The two lines of an item, each without its newline, and its stamp in microseconds since the epoch."""

    action: bytes
    source: bytes
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Lays documents out for one destination.

    specs: every metric that may be told, by name; only points of those known while the job runs become documents, for
    any other point stands in a measurement.
    """

    service: Service
    specs: Mapping[str, MetricSpec]
    schema: Schema
    namespace: str

    def metrics(self, points: Sequence[MetricPoint], logs: Sequence[LogRecord]) -> Iterator[Document]:
        """Yield the documents of all measurements, then those of points that no measurement tells.

        Raises:
            ValueError: a value is not finite.
            KeyError: a point's name stands in no spec.

        """
        for record in logs:
            if record.event_name == WINDOW_CLOSED:
                for one in record.body["measurements"]:
                    yield self._measurement(record, one)
        for point in points:
            if self.specs[point.name].stage is Stage.RUNNING:
                yield self._point(point)

    def logs(self, records: Sequence[LogRecord]) -> Iterator[Document]:
        """Yield the documents of all records but those whose measurements are documents of their own."""
        for record in records:
            if record.event_name != WINDOW_CLOSED:
                yield self._record(record)

    def _measurement(self, record: LogRecord, one: Mapping[str, Any]) -> Document:
        name = one["signal"]
        attributes = {**record.attributes, **one["attributes"]}
        attributes |= {key: one[key] for key in ("model", "model_version", "environment")}
        body: dict[str, Any] = {naming.TIME: _spelled(record.time), naming.SIGNAL: name, "kind": "GAUGE"}
        body |= {key: told for key in _PLAIN if (told := one[key]) is not None}
        body |= {key: _finite(told, name) for key in _NUMBERS if (told := one[key]) is not None}
        body |= {"window_start": one["window_start"], "window_end": one["window_end"]}
        evidence = {key: told for key, told in one["evidence"].items() if _defined(told)}
        if evidence:
            body["evidence"] = evidence
        pairs = [text for pair in sorted(one["attributes"].items()) for text in pair]
        identity = _identity("measurement", *(one[key] for key in _IDENTITY), *pairs)
        end = _parsed(one["window_end"])
        return self._versioned(body, attributes, record.tags, identity, (end, record.time, one["revision"]))

    def _point(self, point: MetricPoint) -> Document:
        total = self.specs[point.name].instrument is Instrument.COUNTER
        body: dict[str, Any] = {
            naming.TIME: format_time(point.time),
            naming.SIGNAL: point.name,
            "unit": point.unit,
            "kind": "SUM" if total else "GAUGE",
            "value": _finite(point.value, point.name),
        }
        if total:
            totals = {"aggregationTemporality": "CUMULATIVE", "monotonic": True, "startTime": format_time(point.start)}
            body |= totals
        pairs = [text for pair in sorted(point.attributes.items()) for text in pair]
        # No model tells two jobs apart here: the service does.
        identity = _identity(
            "point", self.service.name, self.service.environment, point.name, body[naming.TIME], *pairs
        )
        return self._versioned(body, point.attributes, point.tags, identity, (point.time, point.time, 0))

    def _versioned(
        self,
        body: dict[str, Any],
        attributes: Mapping[str, str],
        tags: Mapping[str, str],
        identity: str,
        when: tuple[int, int, int],
    ) -> Document:
        """Return a document of a plain index, that an older revision never replaces; `when`: month, stamp, revision."""
        month, stamp, revision = when
        if self.schema is Schema.SS4O and naming.VALUE in body:
            body[naming.SS4O_VALUE] = body[naming.VALUE]
        action = {
            "index": {
                "_index": _index(self.schema, self.namespace, month),
                "_id": identity,
                "version": revision,
                "version_type": "external_gte",
            }
        }
        source = self._enclose(body, attributes, tags, kind="metrics")
        return Document(ENCODER.encode(action), ENCODER.encode(source), stamp)

    def _record(self, record: LogRecord) -> Document:
        text = record.body.get("text")
        message = text if isinstance(text, str) and text else record.event_name
        body: dict[str, Any] = {naming.TIME: format_time(record.time), "details": record.body}
        if self.schema is Schema.SS4O:
            body |= {
                "observedTimestamp": body[naming.TIME],  # when it was seen would differ in every replay
                "severity": {"number": record.severity.number, "text": record.severity.value},
                "event": {"domain": "ml", "name": record.event_name},
                "body": message,
            }
        else:
            body |= {
                "log": {"level": _SEVERITY_WORDS[record.severity]},
                "event": {"kind": "event", "action": record.event_name},
                "message": message,
            }
        source = self._enclose(body, record.attributes, record.tags, kind="logs")
        encoded = ENCODER.encode(source)
        stream = naming.logs_stream(self.schema, self.namespace)
        identity = content_hash(b"log", self.service.name.encode(), record.event_name.encode(), encoded)
        return Document(ENCODER.encode({"create": {"_index": stream, "_id": identity}}), encoded, record.time)

    def _enclose(
        self, body: dict[str, Any], attributes: Mapping[str, str], tags: Mapping[str, str], *, kind: str
    ) -> dict[str, Any]:
        """Return a whole document: what it says, about what, and who says it."""
        dataset = naming.DATASET if kind == "metrics" else naming.LOG_DATASET
        stream = {"type": kind, "dataset": dataset, "namespace": self.namespace}
        document = dict(body)
        for short, value in attributes.items():
            _put(document, _path(short, self.schema), value)
        if tags or self.service.tags:
            document["labels"] = naming.labels(self.service.tags, tags)
        if self.schema is Schema.SS4O:
            document["serviceName"] = self.service.name
            _put(document, ("attributes", "data_stream"), stream)
            return document
        document["service"] = {"name": self.service.name, "environment": self.service.environment}
        document["ecs"] = {"version": _ECS_VERSION}
        document["event"] = {
            "module": naming.DATASET,
            "dataset": dataset,
            "kind": "metric",
            **document.get("event", {}),
        }
        if kind == "logs":
            document["data_stream"] = stream
        return document


# What all measurements of a window share is spelled once.
_spelled: Final = lru_cache(maxsize=64)(format_time)
_parsed: Final = lru_cache(maxsize=64)(parse_time)
_index: Final = lru_cache(maxsize=64)(naming.metrics_index)


@lru_cache(maxsize=1_024)
def _path(short: str, schema: Schema) -> tuple[str, ...]:
    return tuple(naming.attribute_field(short, schema).split("."))


def _put(document: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for step in path[:-1]:
        document = document.setdefault(step, {})
    document[path[-1]] = value


def _identity(*parts: str) -> str:
    return content_hash(*(part.encode("utf-8", "surrogatepass") for part in parts))


def _finite(value: float, name: str) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{name}: {value} is not a value")
    return value


def _defined(told: object) -> bool:
    return not isinstance(told, float) or math.isfinite(told)
