"""Encoding points as requests, ours against the stock clients: ratios of CPU times, within one run.

OTLP: `encode_metrics` and `SerializeToString` of opentelemetry-exporter-otlp-proto-common, given the SDK's data
classes. Datadog: building datadog-api-client's models of points, and serialising them as that client does. Ours is
given its `MetricPoint`s. What is given is built before the clock starts; nothing is compressed on either side.

The series are those of windows: the same every round, with fresh values, times and mappings. Told apart: the first
round, in which ours knows no series yet, and rounds in which the same series come in another order each time. The ratio
is that of the best rounds, taken in turns, as other work on the machine only ever adds. Prints JSON; exits with 1 where
one is below 20.
"""

import gc
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from datadog_api_client.model_utils import data_to_dict
from datadog_api_client.v2.model.metric_intake_type import MetricIntakeType
from datadog_api_client.v2.model.metric_payload import MetricPayload
from datadog_api_client.v2.model.metric_point import MetricPoint as DatadogPoint
from datadog_api_client.v2.model.metric_series import MetricSeries
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.metrics.export import Gauge, Metric, MetricsData, NumberDataPoint, ResourceMetrics, ScopeMetrics
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from mlvitals.contracts.sinks import sink_context
from mlvitals.delivery import Request
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Instrument, MetricSpec, Stage
from mlvitals.sinks.datadog import DatadogSink
from mlvitals.sinks.otlp.encode import Encoder
from mlvitals.telemetry import MetricPoint, Service
from mlvitals.telemetry.naming.otel import Spelling, attribute_name
from mlvitals.transport.secret import Secret

POINTS = 10_000
ROUNDS = 16
LEAST_RATIO = 20

SERVICE = Service(name="fraud-monitoring", environment="prod", tags={"team": "risk"})
FEATURES = [f"feature_{number}" for number in range(40)]
VALUES = {"comparison": ("operating", "training"), "method": ("psi", "js"), "quantile": ("0.5", "0.95", "0.99")}


def series() -> Iterator[tuple[MetricSpec, dict[str, str]]]:
    """Yield the series of models in the order in which their windows are told: by metric, then by what it is about."""
    specs = [one for one in REGISTRY.values() if one.stage is not Stage.RUNNING and one.instrument is Instrument.GAUGE]
    for number in range(1_000):
        of_the_model = {"model": f"model-{number}", "model_version": "2018.06.1", "environment": "prod"}
        for spec in specs:
            identities: list[dict[str, str]] = [of_the_model]
            for name in spec.attributes:
                values = FEATURES if name == "feature" else VALUES.get(name, (f"a {name}",))
                identities = [{**one, name: value} for one in identities for value in values]
            for one in identities:
                yield spec, one


SERIES = [one for one, _ in zip(series(), range(POINTS), strict=False)]


def points(turn: int) -> list[MetricPoint]:
    """Return a window's points."""
    start = (1_800_000_000 + 3_600 * turn) * 1_000_000
    return [
        MetricPoint(
            name=spec.name,
            unit=spec.unit,
            value=(index * 7919 + turn) % 1009 / 1009,
            time=start + 3_600_000_000,
            start=start,
            attributes=dict(attributes),
            tags=SERVICE.model_tags,
        )
        for index, (spec, attributes) in enumerate(SERIES)
    ]


def turned(window: list[MetricPoint], by: int) -> list[MetricPoint]:
    """Return a window's points in an order that no other turn has."""
    return window[by:] + window[:by]


def sdk_data(window: Sequence[MetricPoint]) -> MetricsData:
    """Return the same points as the SDK's data classes."""
    metrics = [
        Metric(
            name=name,
            description=REGISTRY[name].brief,
            unit=REGISTRY[name].unit,
            data=Gauge(
                data_points=[
                    NumberDataPoint(
                        attributes={attribute_name(short): value for short, value in point.attributes.items()},
                        start_time_unix_nano=point.start * 1_000,
                        time_unix_nano=point.time * 1_000,
                        value=point.value,
                    )
                    for point in members
                ]
            ),
        )
        for name, members in groupby(sorted(window, key=lambda point: point.name), key=lambda point: point.name)
    ]
    resource = Resource({"service.name": SERVICE.name, **SERVICE.tags})
    scope = ScopeMetrics(InstrumentationScope("mlvitals", "0"), metrics, "")
    return MetricsData([ResourceMetrics(resource, [scope], "")])


def clocked(work: Callable[[Any], object], given: object) -> float:
    """Return CPU milliseconds."""
    gc.collect()
    began = time.process_time()
    work(given)
    return (time.process_time() - began) * 1e3


def compared(
    ours: Callable[[list[MetricPoint]], object],
    stock: Callable[[Any], object],
    given: Callable[[Sequence[MetricPoint]], object],
) -> dict[str, float]:
    """Return the times of both and their ratio; `given` makes of points what the stock client is given."""
    first = clocked(ours, points(0)), clocked(stock, given(points(0)))
    rounds = [
        (clocked(ours, points(turn)), clocked(stock, given(points(turn))), clocked(ours, turned(points(turn), turn)))
        for turn in range(1, ROUNDS)
    ]
    mine, its, other = (min(times) for times in zip(*rounds, strict=True))
    return {
        "ours, ms": round(mine, 2),
        "stock, ms": round(its, 2),
        "ratio": round(its / mine, 1),
        "first, ms": round(first[0], 2),
        "first ratio": round(first[1] / first[0], 1),
        "in another order, ms": round(other, 2),
        "in another order, ratio": round(its / other, 1),
    }


def otlp() -> dict[str, float]:
    encoder = Encoder(SERVICE, REGISTRY, Spelling.OTEL, {})

    def ours(window: list[MetricPoint]) -> list[Request]:
        return encoder.metrics(window, compressed=False)

    read = [ExportMetricsServiceRequest.FromString(request.body) for request in ours(points(0))]
    scopes = [outer.scope_metrics[0] for message in read for outer in message.resource_metrics]
    assert sum(len(metric.gauge.data_points) for scope in scopes for metric in scope.metrics) == POINTS
    encoder = Encoder(SERVICE, REGISTRY, Spelling.OTEL, {})
    return compared(ours, lambda data: encode_metrics(data).SerializeToString(), sdk_data)


def datadog_models(window: Sequence[MetricPoint]) -> str:
    """Build the client's models of points, and serialise them as it does to send them."""
    payload = MetricPayload(
        series=[
            MetricSeries(
                metric=point.name,
                type=MetricIntakeType.GAUGE,
                points=[DatadogPoint(timestamp=point.time // 1_000_000, value=point.value)],
                tags=[f"{key}:{value}" for key, value in point.attributes.items()],
            )
            for point in window
        ]
    )
    return json.dumps(data_to_dict(payload))


def datadog() -> dict[str, float]:
    config = DatadogSink(api_key=Secret("nobody's"), compression="none")
    with TemporaryDirectory() as folder, sink_context(Path(folder)) as context:
        sink = config.open(context)
        sent = sum(request.items for request in sink.encode(points(0), []))
        assert sent == POINTS == len(json.loads(datadog_models(points(0)))["series"])
        sink.close()
        sink = config.open(context)
        return compared(lambda window: sink.encode(window, []), datadog_models, list)


def main() -> int:
    attributes = sum(len(attributes) for _, attributes in SERIES) / POINTS
    report = {"points": POINTS, "metrics": len({spec.name for spec, _ in SERIES}), "attributes each": attributes}
    ratios = {"otlp": otlp(), "datadog": datadog()}
    print(json.dumps(report | ratios, indent=2))
    return int(any(one["ratio"] < LEAST_RATIO for one in ratios.values()))


if __name__ == "__main__":
    sys.exit(main())
