"""What leaves for every metric is what a backend holds: values, units, times, attributes and tags."""

import pytest

from mlvitals.clock import SECOND
from mlvitals.delivery import Verdict
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Instrument
from mlvitals.sinks.otlp import OtlpSink
from mlvitals.telemetry.naming.otel import Spelling, attribute_name

pytestmark = pytest.mark.integration


def delivered(outcomes):
    """Every request was taken whole, without a warning."""
    assert outcomes != []
    assert [(one.verdict, one.reason) for one in outcomes] == [(Verdict.OK, "")] * len(outcomes)


def by_identity(held):
    """Everything held, by identity; none may be held twice."""
    by = dict(held)
    assert len(by) == len(held)
    return by


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


@pytest.mark.parametrize("compression", ["gzip", "none"])
@pytest.mark.parametrize("spelling", list(Spelling))
def test_a_collector_holds_every_point_that_otlp_sends(collector, deliver, every_point, spelling, compression):
    collector.forget()
    sink = OtlpSink(endpoint=collector.http, attributes=spelling, compression=compression)
    delivered(deliver(sink, every_point.points, []))
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
def test_a_collector_holds_every_record_that_otlp_sends(collector, deliver, every_point, spelling):
    collector.forget()
    delivered(deliver(OtlpSink(endpoint=collector.http, attributes=spelling), [], every_point.logs))
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


def test_a_collector_is_told_who_speaks_the_same_way_by_metrics_and_logs(collector, deliver, every_point):
    collector.forget()
    delivered(deliver(OtlpSink(endpoint=collector.http), every_point.points, every_point.logs))
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


def as_prometheus_translates(spec):
    """The name that Prometheus gives an OTLP metric by its default rules: no dots, and the unit told at the end."""
    name = spec.name.replace(".", "_")
    if spec.unit == "1" and spec.instrument is Instrument.GAUGE:
        name = "_".join([*(word for word in name.split("_") if word != "ratio"), "ratio"])
    for unit, suffix in (("s", "_seconds"), ("By", "_bytes")):
        name = name + suffix if spec.unit == unit and not name.endswith(suffix) else name
    if spec.unit.endswith("}/s"):
        name += "_per_second"
    return name + "_total" if spec.instrument is Instrument.COUNTER else name


def test_prometheus_holds_every_point_that_otlp_sends(prometheus, deliver, every_point):
    sink = OtlpSink(endpoint=prometheus.otlp)
    delivered(deliver(sink, every_point.points, []))
    by_name = {as_prometheus_translates(spec): spec for spec in REGISTRY.values()}
    assert len(by_name) == len(REGISTRY)
    at = max(point.time for point in every_point.points) / SECOND
    held = [
        (
            (by_name[series.labels["__name__"]].name, frozenset(own(series.labels).items()), time),
            value,
        )
        for series in prometheus.query_series('{__name__=~"mlvitals_.+"}', at=at)
        for time, value in series.samples.items()
    ]
    told = [
        (
            (
                point.name,
                frozenset(
                    {
                        attribute_name(short).replace(".", "_"): value for short, value in point.attributes.items()
                    }.items()
                    | point.tags.items()
                ),
                point.time // 1_000,
            ),
            point.value,
        )
        for point in every_point.points
    ]
    assert by_identity(held) == by_identity(told)


def own(labels):
    """The labels of a series but those that Prometheus sets from the resource and the scope."""
    set_by_prometheus = {"__name__", "job", "instance"}
    return {
        name: value
        for name, value in labels.items()
        if name not in set_by_prometheus and not name.startswith("otel_scope_")
    }
