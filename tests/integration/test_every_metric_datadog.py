"""What the Datadog sink sends is what others read out of its protocol, and what a collector would tell Datadog."""

import math

import pytest

from mlvitals.clock import MILLISECOND, SECOND
from mlvitals.delivery import Verdict
from mlvitals.signals.registry import REGISTRY
from mlvitals.sinks.datadog import DatadogSink
from mlvitals.sinks.datadog.config import EndpointsConfig
from mlvitals.sinks.otlp import OtlpSink
from mlvitals.telemetry import CHANGE, WINDOW_CLOSED
from mlvitals.telemetry.naming import datadog as naming
from mlvitals.telemetry.naming.otel import Spelling
from mlvitals.transport.secret import Secret
from tests.stack.holding import by_identity, delivered

pytestmark = pytest.mark.integration

# What OpenTelemetry calls the tags that the collector's receiver takes for attributes of the resource, and back.
OF_RESOURCES = {"deployment.environment.name": "env", "service.name": "service", "cloud.region": "region"}


def sink_to(address):
    """A sink that sends metrics and logs to a reader of the protocol, and no events, which none of them reads."""
    endpoints = EndpointsConfig(metrics=address, logs=address, events=address)
    return DatadogSink(api_key=Secret("not-a-real-key"), endpoints=endpoints, events=False)


def inverse(context):
    """A function from tags to the attributes' own values, by short names, and the rest of the tags."""
    book = context.store.connection.execute("SELECT tag, key, value FROM datadog_tag").fetchall()
    known = {tag: (short, value) for tag, short, value in book}
    assert len(known) == len(book)

    def split(tags):
        attributes = frozenset(known[tag] for tag in tags if tag in known)
        return attributes, frozenset(tag for tag in tags if tag not in known)

    return split


def told(everything):
    """What shall be held: name, attributes, other tags and stamp -> value."""
    service = everything.service
    for point in everything.points:
        own = {"environment": service.environment, **point.attributes}
        pairs = {naming.tag_key(name): value for name, value in {**service.tags, **point.tags}.items()}
        others = {naming.tag(key, value) for key, value in {"service": service.name, **pairs}.items()}
        yield (point.name, frozenset(own.items()), frozenset(others), point.time), point.value


def test_the_strict_intake_holds_every_point_record_and_change(datadog_intake, deliver, context, every_point):
    endpoints = EndpointsConfig(**datadog_intake.endpoints)
    sink = DatadogSink(api_key=Secret(datadog_intake.key), endpoints=endpoints)
    delivered(deliver(sink, every_point.points, every_point.logs))
    split, names = inverse(context), naming.Inverse(REGISTRY.values())
    held = [
        ((names.metric(name).name, *split(tags), second * SECOND), value)
        for (name, tags), points in datadog_intake.series.items()
        for second, value in points.items()
    ]
    assert by_identity(held) == by_identity(told(every_point))
    assert datadog_intake.units == {spec.name: naming.unit_name(spec.unit) for spec in REGISTRY.values()}
    records = [*measurements(every_point), *changes(every_point)]
    assert len({one["mlvitals"]["id"] for one in datadog_intake.logs}) == len(datadog_intake.logs) == len(records)
    assert len(datadog_intake.events) == len(list(changes(every_point)))
    assert datadog_intake.dropped == {}


def test_victoria_metrics_holds_every_point(victoria_metrics, deliver, context, every_point):
    delivered(deliver(sink_to(victoria_metrics.datadog), every_point.points, []))
    split, names = inverse(context), naming.Inverse(REGISTRY.values())
    held = [
        (
            (
                names.metric(series["metric"]["__name__"]).name,
                *split(frozenset(f"{key}:{value}" for key, value in series["metric"].items() if key != "__name__")),
                stamp * MILLISECOND,
            ),
            value,
        )
        for series in victoria_metrics.export('{__name__=~"mlvitals.+"}')
        for stamp, value in zip(series["timestamps"], series["values"], strict=True)
    ]
    found, expected = by_identity(held), by_identity(told(every_point))
    assert found.keys() == expected.keys()
    largest: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for (name, attributes, _, _), value in expected.items():
        largest[name, attributes] = max(abs(value), largest.get((name, attributes), 0.0))
    # It keeps twelve digits of a value, and eighteen of what stands in a series together.
    unlike = {
        identity: (value, expected[identity])
        for identity, value in found.items()
        if not math.isclose(value, expected[identity], rel_tol=1e-12, abs_tol=2e-18 * largest[identity[:2]])
    }
    assert unlike == {}


def tags_of(one):
    """The tags of what the collector's receiver read, of which it makes attributes of the point and of the resource."""
    named = {OF_RESOURCES.get(name, name): value for name, value in {**one.attributes, **one.resource}.items()}
    return frozenset(f"{key}:{value}" for key, value in named.items() if key != "source")


def test_a_collector_holds_every_point(collector, deliver, context, every_point):
    collector.forget()
    delivered(deliver(sink_to(collector.datadog), every_point.points, []))
    split, names = inverse(context), naming.Inverse(REGISTRY.values())
    received = collector.read_metrics("datadog", count=len(every_point.points))
    held = [((names.metric(one.name).name, *split(tags_of(one)), one.time // 1_000), one.value) for one in received]
    assert by_identity(held) == by_identity(told(every_point))
    assert {one.kind for one in received} == {"gauge"}


def test_the_way_by_otlp_and_a_collector_gives_the_same_names_and_tags(collector, deliver, every_point):
    collector.forget()
    delivered(deliver(sink_to(collector.datadog), every_point.points, []))
    delivered(deliver(OtlpSink(endpoint=collector.http, attributes=Spelling.SHORT), every_point.points, []))
    ours = collector.read_metrics("datadog", count=len(every_point.points))
    theirs = collector.read_metrics("otlp", count=len(every_point.points))

    def as_datadog_stores(one):
        # Its exporter tells the resource by tags, but for what names the instance, and Datadog spells what arrives.
        resource = {OF_RESOURCES.get(name, name): value for name, value in one.resource.items()}
        named = {**resource, **one.attributes}
        del named["service.instance.id"], named["environment"]
        return one.name, frozenset(naming.tag(naming.tag_key(key), value) for key, value in named.items())

    assert {as_datadog_stores(one) for one in theirs} == {(one.name, tags_of(one)) for one in ours}


def test_a_collector_holds_every_measurement_and_change_as_a_log_of_its_own(collector, deliver, context, every_point):
    collector.forget()
    delivered(deliver(sink_to(collector.datadog), [], every_point.logs))
    expected = by_identity([*measurements(every_point), *changes(every_point)])
    split = inverse(context)
    held = []
    for one in collector.read_logs("datadog", count=len(expected)):
        own = one.attributes["mlvitals"]
        text = (own["value"], own["unit"]) if own["event"] == WINDOW_CLOSED else own["body"]["text"]
        held.append(((own["event"], own.get("signal"), split(tags_of_log(one))[0], one.time // 1_000), text))
    assert by_identity(held) == expected


def measurements(everything):
    """What logs shall tell of measurements: event, signal, attributes and stamp -> value and unit."""
    whose = {"environment": everything.service.environment, "owner": everything.service.owner}
    for stamp, one in everything.measurements:
        attributes = {"model": one.model, "model_version": one.model_version, **whose, **one.attributes}
        yield (WINDOW_CLOSED, one.signal, frozenset(attributes.items()), stamp), (one.value, one.unit)


def changes(everything):
    """What logs shall tell of changes: event, no signal, attributes and stamp -> text."""
    for one in everything.logs:
        if one.event_name == CHANGE:
            yield (CHANGE, None, frozenset(one.attributes.items()), one.time), one.body["text"]


def tags_of_log(one):
    told_beside = {"mlvitals", "datadog.ddsource"}
    named = {
        OF_RESOURCES.get(name, name): value
        for name, value in {**one.attributes, **one.resource}.items()
        if name not in told_beside
    }
    return frozenset(f"{key}:{value}" for key, value in named.items())


def test_a_reader_that_drops_what_it_does_not_know_is_not_taken_for_datadog(victoria_logs, deliver, every_point):
    # This VictoriaLogs reads logs of texts alone; it drops others, says so in its own log, and answers 200.
    [outcome, *_] = deliver(sink_to(victoria_logs.datadog), [], every_point.logs)
    assert outcome.verdict is Verdict.MISCONFIGURED
    assert "not an answer of Datadog's" in outcome.reason
