"""What a collector received, read from OTLP's JSON with nothing lost: values to the bit, times in nanoseconds."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedPoint:
    """A point of a metric. Times are nanoseconds since the epoch. kind: `gauge`, `sum`, …"""

    name: str
    unit: str
    description: str
    kind: str
    value: float
    time: int
    start: int
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRecord:
    """A record of a log. Times are nanoseconds since the epoch."""

    event_name: str
    time: int
    severity: str
    attributes: Mapping[str, Any]
    body: Any
    resource: Mapping[str, Any]


def received_points(line: str) -> Iterator[ReceivedPoint]:
    """Yield the points of one exported request."""
    for outer in json.loads(line)["resourceMetrics"]:
        resource = _attributes(outer["resource"])
        for metric in (metric for scope in outer["scopeMetrics"] for metric in scope["metrics"]):
            for kind in ("gauge", "sum"):
                for point in metric.get(kind, {}).get("dataPoints", ()):
                    yield ReceivedPoint(
                        name=metric["name"],
                        unit=metric.get("unit", ""),
                        description=metric.get("description", ""),
                        kind=kind,
                        value=_number(point),
                        time=int(point["timeUnixNano"]),
                        start=int(point.get("startTimeUnixNano", 0)),
                        attributes=_attributes(point),
                        resource=resource,
                    )


def received_records(line: str) -> Iterator[ReceivedRecord]:
    """Yield the records of one exported request."""
    for outer in json.loads(line)["resourceLogs"]:
        resource = _attributes(outer["resource"])
        for record in (record for scope in outer["scopeLogs"] for record in scope["logRecords"]):
            yield ReceivedRecord(
                event_name=record.get("eventName", ""),
                time=int(record.get("timeUnixNano", 0)),
                severity=record.get("severityText", ""),
                attributes=_attributes(record),
                body=_value(record.get("body", {})),
                resource=resource,
            )


def _number(point: Mapping[str, Any]) -> float:
    return float(point["asDouble"]) if "asDouble" in point else int(point["asInt"])


def _attributes(holder: Mapping[str, Any]) -> dict[str, Any]:
    return {pair["key"]: _value(pair["value"]) for pair in holder.get("attributes", ())}


def _value(told: Mapping[str, Any]) -> Any:
    kind: str
    value: Any
    kind, value = next(iter(told.items()), ("", None))
    match kind:
        case "intValue":
            return int(value)
        case "doubleValue":
            return float(value)
        case "arrayValue":
            return [_value(one) for one in value.get("values", ())]
        case "kvlistValue":
            return {pair["key"]: _value(pair["value"]) for pair in value.get("values", ())}
        case _:
            return value
