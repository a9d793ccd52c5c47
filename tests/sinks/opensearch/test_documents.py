"""What stands in a document: golden ones, ids that follow from what is told, nothing that is no value."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from mlvitals.clock import HOUR, SECOND
from mlvitals.signals.spec import Export, Instrument, Layer, MetricSpec, Orientation, Stage
from mlvitals.sinks.opensearch.documents import Layout
from mlvitals.telemetry import LogRecord, MetricPoint, Service, Severity
from mlvitals.telemetry.naming.opensearch import Schema

GOLDEN = Path(__file__).parent / "golden"
BEATS = MetricSpec(
    name="mlvitals.pipeline.beats",
    unit="{beat}",
    brief="How often it beat.",
    layer=Layer.PIPELINE,
    stage=Stage.RUNNING,
    orientation=Orientation.NEITHER,
    level=Export.LEAN,
    instrument=Instrument.COUNTER,
)
START = 1_793_491_200 * SECOND


@pytest.fixture
def layout(specs, service):
    def layout(schema=Schema.SS4O, **other):
        given = {"service": service, "specs": {**specs, BEATS.name: BEATS}, "namespace": "default"} | other
        return Layout(schema=schema, **given)

    return layout


def beat(**other):
    point = MetricPoint(
        name=BEATS.name,
        unit="{beat}",
        value=3.0,
        time=START + HOUR,
        start=START,
        attributes={"environment": "prod", "outcome": "ok"},
        tags={"host.name": "a"},
    )
    return replace(point, **other)


def read(documents):
    return [(json.loads(one.action), json.loads(one.source)) for one in documents]


def identity(documents):
    [(action, _)] = read(documents)
    [target] = action.values()
    return target["_id"]


@pytest.mark.parametrize("schema", list(Schema))
def test_documents_are_the_golden_ones(layout, closed, measurement, change, schema):
    revised = measurement(revision=2, value=None, status="no_data", threshold=None, samples=0, evidence={})
    record = closed(measurement(), revised | {"attributes": {"feature": "hour", "segment": "channel=web"}})
    failure = replace(change, severity=Severity.ERROR, body={"cause": ["a", 1, None]}, tags={"a.b": "c"})
    one = layout(schema)
    documents = [*one.metrics([beat()], [record, change]), *one.logs([record, change, failure])]
    lines = b"".join(part + b"\n" for document in documents for part in (document.action, document.source))
    assert lines == (GOLDEN / f"documents.{schema}.ndjson").read_bytes()


def test_a_measurement_stands_in_the_month_of_its_windows_end_wherever_it_is_plotted(layout, closed, measurement):
    [document] = layout().metrics([], [closed(measurement(), time=START + 90 * 24 * HOUR)])
    [(action, source)] = read([document])
    assert action["index"]["_index"] == "ss4o_metrics-mlvitals-default-2026.11"
    assert source["@timestamp"] == "2027-01-30T00:00:00Z"
    assert document.time == START + 90 * 24 * HOUR


def test_a_revision_has_the_id_of_what_it_revises_and_whatever_else_is_told_another(layout, closed, measurement):
    def of(**other):
        return identity(layout().metrics([], [closed(measurement(**other))]))

    assert of(revision=3, value=9.0, status="warning", samples=7, reference_hash=None) == of()
    assert of(attributes={"comparison": "operating", "feature": "amount"}) == of()
    others = [
        of(),
        of(signal="mlvitals.feature.drift.shape"),
        of(model="other"),
        of(model_version="8"),
        of(environment="test"),
        of(window_start="2026-11-01T00:30:00Z"),
        of(window_end="2026-11-01T00:30:00Z"),
        of(attributes={"feature": "amount"}),
        of(attributes={"feature": "amountcomparison", "comparison": "operating"}),
    ]
    assert len(set(others)) == len(others)
    assert max(len(one.encode()) for one in others) <= 512


def test_points_of_what_the_documents_tell_leave_no_document(layout, points):
    assert list(layout().metrics(points([1.0]), [])) == []


def test_points_of_the_job_are_told_apart_by_service_time_and_attributes(layout, service):
    def of(point, **other):
        return identity(layout(**other).metrics([point], []))

    others = [
        of(beat()),
        of(beat(), service=replace(service, name="other")),
        of(beat(time=START)),
        of(beat(attributes={"environment": "prod"})),
    ]
    assert len(set(others)) == len(others)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("key", ["value", "lower", "upper", "threshold"])
def test_what_is_no_number_is_a_bug_and_leaves_nothing(layout, closed, measurement, key, value):
    with pytest.raises(ValueError, match="is not a value"):
        list(layout().metrics([], [closed(measurement(**{key: value}))]))
    with pytest.raises(ValueError, match="is not a value"):
        list(layout().metrics([beat(value=value)], []))


def test_evidence_that_is_no_number_is_left_out(layout, closed, measurement):
    [(_, source)] = read(layout().metrics([], [closed(measurement(evidence={"median": math.nan, "cell": "a"}))]))
    assert source["evidence"] == {"cell": "a"}


def test_a_metric_that_nobody_knows_is_a_bug(layout):
    with pytest.raises(KeyError):
        list(layout().metrics([beat(name="mlvitals.unknown")], []))


def test_records_are_told_apart_by_all_they_say(layout, change):
    def of(record, **other):
        return identity(layout(**other).logs([record]))

    others = [
        of(change),
        of(replace(change, time=change.time + 1)),
        of(replace(change, body={"kind": "deploy", "text": "terminal_view 4.3"})),
        of(replace(change, attributes={"model": "other"})),
        of(change, service=Service(name="other", environment="prod")),
    ]
    assert len(set(others)) == len(others)
    assert of(replace(change, body=dict(reversed(list(change.body.items()))))) == of(change)


def test_a_record_without_words_is_told_by_its_name(layout):
    [(_, source)] = read(layout().logs([LogRecord(event_name="mlvitals.audit", time=START)]))
    assert (source["body"], source["details"]) == ("mlvitals.audit", {})
