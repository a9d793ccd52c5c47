"""What is written by hand is what the protobuf library would write, to the byte, and reads back as what was meant."""

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord as OtlpRecord
from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber

from mlvitals.signals.spec import Export, Instrument, Layer, MetricSpec, Orientation, Stage
from mlvitals.sinks.agent import VERSION
from mlvitals.sinks.otlp.encode import Encoder
from mlvitals.sinks.otlp.envelope import SCHEMA_URL
from mlvitals.sinks.otlp.wire import varint
from mlvitals.telemetry import LogRecord, MetricPoint, Service, Severity
from mlvitals.telemetry.naming.otel import Spelling, attribute_name

NAMES = {
    "mlvitals.a.gauge": Instrument.GAUGE,
    "mlvitals.a.total": Instrument.COUNTER,
    "mlvitals.größe": Instrument.GAUGE,
}
SPECS = {
    name: MetricSpec(
        name=name,
        unit="{thing}",
        brief=f"About {name}." * 20 if instrument is Instrument.COUNTER else "",
        layer=Layer.DATA,
        stage=Stage.WINDOW,
        orientation=Orientation.NEITHER,
        level=Export.LEAN,
        instrument=instrument,
    )
    for name, instrument in NAMES.items()
}
SERVICE = Service(name="fraud", environment="prüf", tags={"team": "risk", "empty": ""})
RESOURCE = {"k8s.pod.name": "a-1", "team": "over"}

TEXT = st.sampled_from(["", "x", "größe\n🙂", "y" * 200])
FINITE = st.floats(allow_nan=False, allow_infinity=False)
TIMES = st.sampled_from([-5, 0, 1, 1_700_000_000_000_000, 1_700_000_003_600_000])
POINTS = st.builds(
    MetricPoint,
    name=st.sampled_from(sorted(NAMES)),
    unit=st.sampled_from(["{thing}", "", "s"]),
    value=FINITE,
    time=TIMES,
    start=TIMES,
    attributes=st.dictionaries(st.sampled_from(["model", "feature", "method", "bound"]), TEXT),
    tags=st.dictionaries(st.sampled_from(["team", "mlvitals.model.name", "model", "größe"]), TEXT),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | FINITE | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
RECORDS = st.builds(
    LogRecord,
    event_name=TEXT,
    time=TIMES,
    severity=st.sampled_from(Severity),
    attributes=st.dictionaries(st.sampled_from(["model", "owner"]), TEXT),
    tags=st.dictionaries(st.sampled_from(["team", "größe"]), TEXT),
    body=st.dictionaries(TEXT, JSON),
)


def any_value(value):
    message = AnyValue()
    match value:
        case bool():
            message.bool_value = value
        case int():
            message.int_value = value
        case float():
            message.double_value = value
        case str():
            message.string_value = value
        case list():
            message.array_value.SetInParent()
            message.array_value.values.extend(any_value(one) for one in value)
        case dict():
            message.kvlist_value.SetInParent()
            message.kvlist_value.values.extend(key_values(value))
    return message


def key_values(values):
    return [KeyValue(key=key, value=any_value(value)) for key, value in sorted(values.items())]


def around(message, part, scope_part):
    """Fill in the resource and the scope as the library does; return the scope."""
    instance = uuid.uuid5(uuid.UUID("4d63009a-8d0f-11ee-aad7-4c796ed8e320"), "prüf/fraud")
    own = {"service.name": "fraud", "service.instance.id": str(instance), "deployment.environment.name": "prüf"}
    outer = getattr(message, part).add(schema_url=SCHEMA_URL)
    outer.resource.attributes.extend(key_values({**RESOURCE, **SERVICE.tags, **own}))
    scope = getattr(outer, scope_part).add(schema_url=SCHEMA_URL)
    scope.scope.name, scope.scope.version = "mlvitals", VERSION
    return scope


def spelled(attributes, tags, spelling):
    return {**tags, **{attribute_name(short, spelling): value for short, value in attributes.items()}}


def in_the_order_of_attributes(attributes, tags, spelling):
    """Return a point's pairs: ours by short name, then the tags that are not called as one of ours."""
    own = {attribute_name(short, spelling): value for short, value in sorted(attributes.items())}
    return [*own.items(), *((name, value) for name, value in sorted(tags.items()) if name not in own)]


def metrics_by_the_library(points, spelling):
    message = ExportMetricsServiceRequest()
    scope = around(message, "resource_metrics", "scope_metrics")
    found = {}
    for point in sorted((one for one in points if one.time >= 0), key=lambda one: one.time):
        if (point.name, point.unit) not in found:
            spec = SPECS[point.name]
            metric = scope.metrics.add(name=point.name, description=spec.brief, unit=point.unit)
            found[point.name, point.unit] = metric.sum if spec.instrument is Instrument.COUNTER else metric.gauge
            if spec.instrument is Instrument.COUNTER:
                metric.sum.aggregation_temporality, metric.sum.is_monotonic = 2, True
        found[point.name, point.unit].data_points.add(
            start_time_unix_nano=max(point.start, 0) * 1000,
            time_unix_nano=point.time * 1000,
            as_double=point.value,
            attributes=[
                KeyValue(key=name, value=AnyValue(string_value=value))
                for name, value in in_the_order_of_attributes(point.attributes, point.tags, spelling)
            ],
        )
    return message


def logs_by_the_library(records, spelling):
    message = ExportLogsServiceRequest()
    scope = around(message, "resource_logs", "scope_logs")
    for record in records:
        moment = max(record.time, 0) * 1000
        scope.log_records.append(
            OtlpRecord(
                time_unix_nano=moment,
                observed_time_unix_nano=moment,
                severity_number=SeverityNumber.Value(f"SEVERITY_NUMBER_{record.severity}"),
                severity_text=record.severity.value,
                event_name=record.event_name,
                attributes=key_values(spelled(record.attributes, record.tags, spelling)),
                body=any_value(record.body),
            )
        )
    return message


@pytest.fixture(scope="module")
def encoders():
    """One for each spelling, kept over all examples, so that what it remembers is tested too."""
    return {spelling: Encoder(SERVICE, SPECS, spelling, RESOURCE) for spelling in Spelling}


@given(points=st.lists(POINTS, min_size=1, max_size=12), spelling=st.sampled_from(Spelling))
def test_points_are_the_bytes_of_the_library(encoders, points, spelling):
    expected = metrics_by_the_library(points, spelling)
    for encoder in (encoders[spelling], encoders[spelling], Encoder(SERVICE, SPECS, spelling, RESOURCE)):
        requests = encoder.metrics(points, compressed=False)
        if any(point.time >= 0 for point in points):
            (request,) = requests
            assert ExportMetricsServiceRequest.FromString(request.body) == expected
            assert request.body == expected.SerializeToString(deterministic=True)
        else:
            assert requests == []


@given(points=st.lists(POINTS, min_size=1, max_size=6), others=st.lists(st.tuples(FINITE, TIMES, TIMES), min_size=6))
def test_the_next_windows_of_the_same_series_are_the_bytes_of_the_library_too(encoders, points, others):
    for shift in range(3):
        window = [
            MetricPoint(
                name=point.name,
                unit=point.unit,
                value=value,
                time=max(time, 0) + shift,
                start=start + shift,
                attributes=dict(point.attributes),
                tags=dict(point.tags),
            )
            for point, (value, time, start) in zip(points, others, strict=False)
        ]
        (request,) = encoders[Spelling.OTEL].metrics(window, compressed=False)
        assert request.body == metrics_by_the_library(window, Spelling.OTEL).SerializeToString(deterministic=True)


@given(records=st.lists(RECORDS, min_size=1, max_size=5), spelling=st.sampled_from(Spelling))
def test_records_are_the_bytes_of_the_library(encoders, records, spelling):
    expected = logs_by_the_library(records, spelling)
    (request,) = encoders[spelling].logs(records, compressed=False)
    assert ExportLogsServiceRequest.FromString(request.body) == expected
    assert request.body == expected.SerializeToString(deterministic=True)


@given(st.integers(-(2**63), 2**64 - 1))
def test_every_integer_is_the_bytes_of_the_library(number):
    message = AnyValue(int_value=number) if number < 2**63 else None
    if message is not None:
        assert b"\x18" + varint(number) == message.SerializeToString()
    assert varint(number)[-1] < 0x80


def test_a_counter_is_a_total_since_its_start_that_only_grows():
    point = MetricPoint(name="mlvitals.a.total", unit="{event}", value=7.0, time=2_000_000, start=1_000_000)
    (request,) = Encoder(SERVICE, SPECS, Spelling.OTEL, {}).metrics([point], compressed=False)
    message = ExportMetricsServiceRequest.FromString(request.body)
    (metric,) = message.resource_metrics[0].scope_metrics[0].metrics
    assert (metric.WhichOneof("data"), metric.sum.is_monotonic, metric.sum.aggregation_temporality) == ("sum", True, 2)
    (told,) = metric.sum.data_points
    assert (told.as_double, told.start_time_unix_nano, told.time_unix_nano) == (7.0, 1_000_000_000, 2_000_000_000)


def test_an_attribute_that_is_no_text_is_a_bug_and_not_another_series():
    attributes: Any = {"class": 3}
    point = MetricPoint(name="mlvitals.a.gauge", unit="1", value=7.0, time=2, start=1, attributes=attributes)
    with pytest.raises(ValueError, match=r"the attribute mlvitals\.class is 3, which is no text"):
        Encoder(SERVICE, SPECS, Spelling.OTEL, {}).metrics([point], compressed=False)


def test_what_a_caller_changes_afterwards_changes_no_later_window():
    attributes = {"model": "a"}
    encoder = Encoder(SERVICE, SPECS, Spelling.OTEL, {})

    def window(value):
        return [
            MetricPoint(name="mlvitals.a.gauge", unit="1", value=value, time=2, start=1, attributes=attributes)
            for _ in range(3)
        ]

    encoder.metrics(window(1.0), compressed=False)
    attributes["model"] = "b"
    expected = metrics_by_the_library(window(2.0), Spelling.OTEL)
    (request,) = encoder.metrics(window(2.0), compressed=False)
    told = ExportMetricsServiceRequest.FromString(request.body)
    assert told.resource_metrics[0].scope_metrics == expected.resource_metrics[0].scope_metrics


def test_a_time_beyond_the_protocol_is_a_bug():
    late = MetricPoint(name="mlvitals.a.gauge", unit="1", value=7.0, time=2**64 // 1000 + 1, start=1)
    with pytest.raises(ValueError, match="are no time in OTLP"):
        Encoder(SERVICE, SPECS, Spelling.OTEL, {}).metrics([late], compressed=False)


def test_more_series_than_are_remembered_change_nothing():
    encoder = Encoder(SERVICE, SPECS, Spelling.OTEL, RESOURCE)

    def window(number):
        return [
            MetricPoint(
                name="mlvitals.a.gauge",
                unit="1",
                value=float(index),
                time=2,
                start=1,
                attributes={"segment": f"{number}/{index}"},
            )
            for index in range(12_000)
        ]

    for number in range(4):
        encoder.metrics(window(number), compressed=False)
    fresh = Encoder(SERVICE, SPECS, Spelling.OTEL, RESOURCE)
    assert encoder.metrics(window(1), compressed=False) == fresh.metrics(window(1), compressed=False)


def test_no_attribute_of_a_record_is_dropped_however_many_there_are():
    tags = {f"tag_{number:03}": "x" for number in range(201)}
    (request,) = Encoder(SERVICE, SPECS, Spelling.OTEL, {}).logs(
        [LogRecord(event_name="e", time=1, tags=tags)], compressed=False
    )
    message = ExportLogsServiceRequest.FromString(request.body)
    (record,) = message.resource_logs[0].scope_logs[0].log_records
    assert {pair.key: pair.value.string_value for pair in record.attributes} == tags


def test_a_series_that_comes_and_goes_takes_no_other_with_it(encoders):
    names = ["a", "b", "c", "d", "e"]
    for turn in range(20):
        window = [
            MetricPoint(
                name="mlvitals.a.gauge",
                unit="1",
                value=turn + 0.1 * place,
                time=turn + 2,
                start=turn + 1,
                attributes={"feature": name, "method": "psi"},
            )
            for place, name in enumerate(names)
            if place != turn % 7
        ]
        (request,) = encoders[Spelling.OTEL].metrics(window, compressed=False)
        assert request.body == metrics_by_the_library(window, Spelling.OTEL).SerializeToString(deterministic=True)
