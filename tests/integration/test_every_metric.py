"""What leaves for every metric is what a backend holds: values, units, times, attributes and tags."""

import time
from functools import partial
from itertools import product
from urllib.parse import urlsplit

import pytest

from mlvitals.clock import MILLISECOND, SECOND
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Instrument
from mlvitals.sinks.otlp import OtlpSink
from mlvitals.sinks.otlp.settings import Transport
from mlvitals.sinks.prometheus import PrometheusSink
from mlvitals.telemetry.naming import prometheus as prometheus_naming
from mlvitals.telemetry.naming.otel import Spelling, attribute_name
from tests.stack.holding import by_identity, delivered
from tests.stack.serve.process import until

pytestmark = pytest.mark.integration


def told_by_otlp(everything, spelling):
    """What OTLP shall carry: name, names and values, stamp -> value, unit, start; times in nanoseconds."""
    return by_identity(
        [
            (
                (
                    point.name,
                    frozenset(
                        {attribute_name(short, spelling): value for short, value in point.attributes.items()}.items()
                        | point.tags.items()
                    ),
                    point.time * 1_000,
                ),
                (point.value, point.unit, point.start * 1_000),
            )
            for point in everything.points
        ]
    )


@pytest.fixture(params=product(Transport, ("gzip", "none")), ids="-".join)
def to_collector(request, collector):
    """A sink to the collector, of which a test says the spelling: by HTTP and by gRPC, compressed or not."""
    collector.forget()
    protocol, compression = request.param
    endpoint = collector.grpc if protocol is Transport.GRPC else collector.http
    return partial(OtlpSink, endpoint=endpoint, protocol=protocol, compression=compression)


@pytest.mark.parametrize("spelling", list(Spelling))
def test_a_collector_holds_every_point(collector, to_collector, deliver, every_point, spelling):
    delivered(deliver(to_collector(attributes=spelling), every_point.points, []))
    received = collector.read_metrics(count=len(every_point.points))
    held = by_identity(
        [
            ((one.name, frozenset(one.attributes.items()), one.time), (one.value, one.unit, one.start))
            for one in received
        ]
    )
    assert held == told_by_otlp(every_point, spelling)
    kinds = {Instrument.GAUGE: "gauge", Instrument.COUNTER: "sum"}
    assert {(one.name, one.kind) for one in received} == {
        (spec.name, kinds[spec.instrument]) for spec in REGISTRY.values()
    }


@pytest.mark.parametrize("spelling", list(Spelling))
def test_a_collector_holds_every_record(collector, to_collector, deliver, every_point, spelling):
    delivered(deliver(to_collector(attributes=spelling), [], every_point.logs))
    received = collector.read_logs(count=len(every_point.logs))
    told = [
        (
            one.event_name,
            one.time * 1_000,
            one.severity,
            {**one.tags} | {attribute_name(short, spelling): value for short, value in one.attributes.items()},
            one.body,
        )
        for one in every_point.logs
    ]
    assert [(one.event_name, one.time, one.severity, one.attributes, one.body) for one in received] == told


def test_metrics_and_logs_tell_a_collector_alike_who_speaks(collector, to_collector, deliver, every_point):
    delivered(deliver(to_collector(), every_point.points, every_point.logs))
    [resource] = {
        frozenset(one.resource.items())
        for one in (
            *collector.read_metrics(count=len(every_point.points)),
            *collector.read_logs(count=len(every_point.logs)),
        )
    }
    service = every_point.service
    assert resource >= service.tags.items()
    assert resource >= {("service.name", service.name), ("deployment.environment.name", service.environment)}


def test_prometheus_holds_every_point_that_otlp_sends(prometheus, deliver, every_point):
    delivered(deliver(OtlpSink(endpoint=prometheus.otlp), every_point.points, []))
    inverse = prometheus_naming.Inverse(REGISTRY.values())
    at = max(point.time for point in every_point.points) / SECOND
    pushed = f'{{__name__=~"mlvitals_.+", job="{every_point.service.name}"}}'
    series = prometheus.query_series(pushed, at=at)
    held = [
        ((inverse.metric(one.labels["__name__"]).name, frozenset(own(one.labels).items()), time), value)
        for one in series
        for time, value in one.samples.items()
    ]
    told = [
        (
            (
                point.name,
                frozenset(prometheus_naming.labels(point.attributes, point.tags).items()),
                point.time // MILLISECOND,
            ),
            point.value,
        )
        for point in every_point.points
    ]
    assert by_identity(held) == by_identity(told)
    attributes = {frozenset(point.attributes.items()) for point in every_point.points}
    assert {frozenset(inverse.attributes(one.labels).items()) for one in series} == attributes


def test_prometheus_holds_the_newest_point_of_every_series_that_it_scrapes(prometheus, context, every_point):
    sink = PrometheusSink(listen="127.0.0.1:0").open(context)
    delivered([sink.send(request) for request in sink.encode(every_point.points, [])])
    newest = max(point.time for point in every_point.points)
    told = by_identity(
        (
            (
                prometheus_naming.metric_name(point.name, point.unit, REGISTRY[point.name].instrument),
                frozenset(prometheus_naming.labels(point.attributes, point.tags).items()),
            ),
            point.value,
        )
        for point in every_point.points
        if point.time == newest
    )
    address = urlsplit(sink.serve())
    prometheus.scrape(address.netloc)

    def scraped():
        query = f'{{__name__=~"mlvitals_.+", instance="{address.netloc}"}}'
        return [
            ((one["metric"]["__name__"], frozenset(own(one["metric"]).items())), float(one["value"][1]))
            for one in prometheus.query(query, at=time.time())
        ]

    try:
        until(lambda: len(scraped()) >= len(told), what="Prometheus scraped every series")
        held, metadata = by_identity(scraped()), prometheus.metadata()
    finally:
        sink.close()
    assert held == told
    kept = {name: (known["type"], known["unit"], known["help"]) for name, [known] in metadata.items()}
    assert (
        kept.items()
        >= {
            name: (spec.instrument.value, prometheus_naming.unit_name(spec.unit), spec.brief)
            for name, spec in families().items()
        }.items()
    )


def families():
    """Every metric by the name that Prometheus keeps its metadata by."""
    named = {prometheus_naming.metric_name(spec.name, spec.unit, spec.instrument): spec for spec in REGISTRY.values()}
    return {
        name.removesuffix("_total") if spec.instrument is Instrument.COUNTER else name: spec
        for name, spec in named.items()
    }


def own(labels):
    """The labels of a series but those that Prometheus sets from the resource and the scope."""
    from_elsewhere = {"__name__", "job", "instance"}
    return {
        name: value
        for name, value in labels.items()
        if name not in from_elsewhere and not name.startswith("otel_scope_")
    }
