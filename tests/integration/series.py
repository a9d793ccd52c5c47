"""Points of any query of the catalogue, of its own making, as the sink writes them into a node."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlvitals.assets.documents import identity
from mlvitals.assets.query import Query
from mlvitals.clock import MINUTE, format_time
from mlvitals.contracts.sinks import sink_context
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Stage
from mlvitals.sinks.opensearch import OpenSearchSink
from mlvitals.telemetry import WINDOW_CLOSED, LogRecord, MetricPoint
from mlvitals.telemetry.naming.opensearch import Schema
from tests.stack.holding import delivered
from tests.stack.serve.process import ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A value of a query's series at a time (microseconds since the epoch), whose attributes end in `turn`."""

    query: Query
    time: int
    value: float
    turn: str = "0"

    @property
    def attributes(self) -> dict[str, str]:
        """Return a value for each attribute of the metric, those of the query as it wants them."""
        return {name: f"{name}-{self.turn}" for name in identity(self.query)} | dict(self.query.where)

    @property
    def running(self) -> bool:
        """Return whether it is told by the running job, and not by a window."""
        return REGISTRY[self.query.metric].stage is Stage.RUNNING


def write(
    address: str, folder: Path, samples: Sequence[Sample], *, namespace: str, schema: Schema = Schema.SS4O
) -> None:
    """Write samples into a node by the sink, so that they are found at once."""
    with sink_context(folder) as context:
        sink = OpenSearchSink(hosts=(address,), namespace=namespace, schema=schema).open(context)
        points = [_point(one) for one in samples if one.running]
        delivered([sink.send(request) for request in sink.encode(points, [*_records(samples)])])
        sink.close()
    ask(f"{address}/_refresh", method="POST")


def _point(sample: Sample) -> MetricPoint:
    return MetricPoint(
        name=sample.query.metric,
        unit=REGISTRY[sample.query.metric].unit,
        value=sample.value,
        time=sample.time,
        start=sample.time - MINUTE,
        attributes=sample.attributes,
    )


def _records(samples: Sequence[Sample]) -> Iterator[LogRecord]:
    of_windows = [one for one in samples if not one.running]
    for time in sorted({one.time for one in of_windows}):
        told = [_measurement(one) for one in of_windows if one.time == time]
        yield LogRecord(event_name=WINDOW_CLOSED, time=time, body={"measurements": told})


def _measurement(sample: Sample) -> Mapping[str, object]:
    told = sample.attributes
    whose = {name: told.pop(name) for name in ("environment", "model", "model_version")}
    return {
        "signal": sample.query.metric,
        "value": sample.value,
        "unit": REGISTRY[sample.query.metric].unit,
        **whose,
        "window_start": format_time(sample.time - MINUTE),
        "window_end": format_time(sample.time),
        "attributes": told,
        "samples": 10,
        "reference_samples": None,
        "lower": None,
        "upper": None,
        "status": "ok",
        "threshold": None,
        "evidence": {},
        "revision": 0,
        "reference_hash": None,
    }
