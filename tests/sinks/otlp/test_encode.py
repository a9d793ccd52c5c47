import gzip
import itertools
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from mlvitals.sinks.agent import VERSION
from mlvitals.sinks.otlp.encode import BODY_BYTES, ITEMS, Encoder
from mlvitals.sinks.otlp.split import split
from mlvitals.telemetry import LogRecord, MetricPoint, Severity
from mlvitals.telemetry.naming.otel import Spelling

START = 1_600_000_000_000_000
STAMP = START + 3_600_000_000
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.fixture(scope="module")
def encoder(service, specs):
    return Encoder(service, specs, Spelling.OTEL, {})


def metrics_of(request):
    return ExportMetricsServiceRequest.FromString(gzip.decompress(request.body))


def logs_of(request):
    return ExportLogsServiceRequest.FromString(gzip.decompress(request.body))


def gauges(message):
    (outer,) = message.resource_metrics
    (scope,) = outer.scope_metrics
    return scope.metrics


def data_points(message):
    return [point for metric in gauges(message) for point in metric.gauge.data_points]


def plain(attributes):
    return {pair.key: pair.value.string_value for pair in attributes}


def value_of(any_value):
    kind = any_value.WhichOneof("value")
    if kind == "kvlist_value":
        return {pair.key: value_of(pair.value) for pair in any_value.kvlist_value.values}
    if kind == "array_value":
        return [value_of(one) for one in any_value.array_value.values]
    return None if kind is None else getattr(any_value, kind)


def test_a_point_arrives_as_it_is(encoder, points):
    (request,) = encoder.metrics(points([0.1]), compressed=True)
    assert (request.route, request.items, request.first, request.last) == ("metrics", 1, STAMP, STAMP)
    (metric,) = gauges(metrics_of(request))
    assert (metric.name, metric.unit) == ("mlvitals.feature.drift.location", "{sd}")
    assert metric.description == "About mlvitals.feature.drift.location."
    assert metric.WhichOneof("data") == "gauge"
    (point,) = metric.gauge.data_points
    assert point.start_time_unix_nano == START * 1000
    assert point.time_unix_nano == STAMP * 1000
    assert point.WhichOneof("value") == "as_double"
    assert point.as_double == 0.1
    assert point.flags == 0
    assert plain(point.attributes) == {
        "mlvitals.environment": "prod",
        "mlvitals.feature.name": "feature_0",
        "mlvitals.model.name": "card-fraud",
        "mlvitals.model.version": "7",
    }


def test_attributes_can_be_spelled_short(service, specs, points):
    (request,) = Encoder(service, specs, Spelling.SHORT, {}).metrics(points([0.1]), compressed=True)
    (point,) = data_points(metrics_of(request))
    assert plain(point.attributes) == {
        "environment": "prod",
        "feature": "feature_0",
        "model": "card-fraud",
        "model_version": "7",
    }


def test_one_resource_and_one_scope_say_who_speaks(encoder, points):
    (request,) = encoder.metrics(points([1.0, 2.0]), compressed=True)
    (outer,) = metrics_of(request).resource_metrics
    (scope,) = outer.scope_metrics
    resource = plain(outer.resource.attributes)
    assert resource.pop("service.instance.id") == "775f829c-2b3a-53eb-8f8c-284e402d2669"
    assert resource == {
        "service.name": "fraud-monitoring",
        "deployment.environment.name": "prod",
        "team": "risk",
        "area": "eu",
    }
    assert (scope.scope.name, scope.scope.version) == ("mlvitals", VERSION)
    assert outer.schema_url == scope.schema_url == "https://opentelemetry.io/schemas/1.27.0"


def test_points_of_a_metric_stand_together(encoder, points):
    count = MetricPoint(name="mlvitals.prediction.count", unit="{prediction}", value=3.0, time=STAMP, start=START)
    one, two = points([1.0, 2.0])
    (request,) = encoder.metrics([one, count, two], compressed=True)
    assert [
        (metric.name.rpartition(".")[2], len(metric.gauge.data_points)) for metric in gauges(metrics_of(request))
    ] == [
        ("location", 2),
        ("count", 1),
    ]


def test_points_leave_by_time(encoder, points):
    late, early = points([1.0], STAMP + 5)[0], points([2.0], STAMP)[0]
    (request,) = encoder.metrics([late, early], compressed=True)
    assert [point.as_double for point in data_points(metrics_of(request))] == [2.0, 1.0]
    assert (request.first, request.last) == (STAMP, STAMP + 5)


@given(values=st.lists(FINITE, min_size=1, max_size=20))
def test_no_value_is_changed(encoder, points, values):
    (request,) = encoder.metrics(points(values), compressed=True)
    told = [point.as_double for point in data_points(metrics_of(request))]
    assert [value.hex() for value in told] == [value.hex() for value in values]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_a_bug(encoder, points, value):
    with pytest.raises(ValueError, match=r"mlvitals\.feature\.drift\.location: .* is not a value"):
        encoder.metrics(points([1.0, value]), compressed=True)


def test_a_name_outside_the_registry_is_a_bug(encoder):
    with pytest.raises(KeyError, match="unheard"):
        encoder.metrics([MetricPoint(name="unheard", unit="1", value=1.0, time=1, start=0)], compressed=True)


def test_the_same_items_give_the_same_bytes(service, specs, points):
    record = LogRecord(event_name="e", time=1, attributes={"model": "m", "environment": "p"}, body={"b": 1, "a": 2})
    turned = LogRecord(event_name="e", time=1, attributes={"environment": "p", "model": "m"}, body={"a": 2, "b": 1})
    one, other = (Encoder(service, specs, Spelling.OTEL, {}) for _ in range(2))
    assert (
        one.metrics(points([1.0, 2.0]), compressed=True)
        == other.metrics(points([1.0, 2.0]), compressed=True)
        == one.metrics(points([1.0, 2.0]), compressed=True)
    )
    assert one.logs([record], compressed=True) == other.logs([turned], compressed=True)


def test_without_compression_the_body_is_the_message(service, specs, points, encoder):
    (bare,) = Encoder(service, specs, Spelling.OTEL, {}).metrics(points([1.0]), compressed=False)
    (packed,) = encoder.metrics(points([1.0]), compressed=True)
    assert gzip.decompress(packed.body) == bare.body


def test_requests_are_bounded_in_items(encoder, points):
    requests = encoder.metrics(points([float(number) for number in range(2 * ITEMS + 1)]), compressed=True)
    assert [request.items for request in requests] == [ITEMS, ITEMS, 1]
    told = itertools.chain.from_iterable(data_points(metrics_of(request)) for request in requests)
    assert [point.as_double for point in told] == [float(number) for number in range(2 * ITEMS + 1)]


def test_requests_are_bounded_in_bytes(encoder):
    long = [
        MetricPoint(
            name="mlvitals.prediction.count",
            unit="{prediction}",
            value=1.0,
            time=STAMP,
            start=START,
            attributes={"segment": f"{number:04}" + "x" * 4_000},
        )
        for number in range(1_000)
    ]
    requests = encoder.metrics(long, compressed=True)
    sizes = [len(gzip.decompress(request.body)) for request in requests]
    assert sum(request.items for request in requests) == 1_000
    assert len(requests) == 2
    assert all(size <= BODY_BYTES for size in sizes)

    records = [LogRecord(event_name="e", time=STAMP, body={"text": "x" * 500_000}) for _ in range(13)]
    requests = encoder.logs(records, compressed=True)
    assert [request.items for request in requests] == [6, 6, 1]
    assert all(len(gzip.decompress(request.body)) <= BODY_BYTES for request in requests)


def test_an_item_beyond_the_bound_leaves_alone(encoder):
    records = [LogRecord(event_name="e", time=STAMP, body={"text": "x" * size}) for size in (1, BODY_BYTES, 1)]
    assert [request.items for request in encoder.logs(records, compressed=True)] == [1, 1, 1]


def test_a_time_before_1970_has_no_place_in_the_protocol(encoder, points):
    assert encoder.metrics(points([1.0], -1), compressed=True) == []
    (request,) = encoder.metrics(
        [MetricPoint(name="mlvitals.prediction.count", unit="1", value=1.0, time=0, start=-5)], compressed=True
    )
    (point,) = data_points(metrics_of(request))
    assert (point.start_time_unix_nano, point.time_unix_nano) == (0, 0)
    (request,) = encoder.logs(
        [LogRecord(event_name="e", time=-1, body={"window_start": "1969-12-31T00:00:00Z"})], compressed=True
    )
    (outer,) = logs_of(request).resource_logs
    (record,) = outer.scope_logs[0].log_records
    assert record.time_unix_nano == record.observed_time_unix_nano == 0
    assert value_of(record.body) == {"window_start": "1969-12-31T00:00:00Z"}
    assert request.first == -1


def test_a_record_arrives_as_it_is(encoder):
    body = {"measurements": [{"value": 0.1, "samples": 3, "late": False, "lower": None, "evidence": {}}, "größer", []]}
    record = LogRecord(
        event_name="mlvitals.window.closed",
        time=STAMP,
        severity=Severity.WARN,
        attributes={"model": "m", "owner": "risk"},
        body=body,
    )
    (request,) = encoder.logs([record], compressed=True)
    assert (request.route, request.items, request.first, request.last) == ("logs", 1, STAMP, STAMP)
    (outer,) = logs_of(request).resource_logs
    (scope,) = outer.scope_logs
    (told,) = scope.log_records
    assert told.event_name == "mlvitals.window.closed"
    assert told.time_unix_nano == told.observed_time_unix_nano == STAMP * 1000
    assert (told.severity_number, told.severity_text) == (13, "WARN")
    assert plain(told.attributes) == {"mlvitals.model.name": "m", "mlvitals.owner": "risk"}
    assert value_of(told.body) == body
    assert type(value_of(told.body)["measurements"][0]["samples"]) is int
    assert value_of(told.body)["measurements"][0]["late"] is False


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | FINITE | st.sampled_from([0, 1, 0.0, -0.0, 1.0, ""]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner, max_size=4),
    max_leaves=20,
)


@given(body=st.dictionaries(st.sampled_from("abc"), JSON))
def test_any_json_value_arrives_unchanged_and_of_its_type(encoder, body):
    (request,) = encoder.logs([LogRecord(event_name="e", time=1, body=body)], compressed=True)
    (record,) = logs_of(request).resource_logs[0].scope_logs[0].log_records
    assert json.dumps(value_of(record.body), sort_keys=True) == json.dumps(body, sort_keys=True)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**63, -(2**63) - 1, b"x", {1, 2}, object()])
def test_what_the_protocol_cannot_hold_is_a_bug(encoder, value):
    with pytest.raises(ValueError, match="has no place in a log's body"):
        encoder.logs([LogRecord(event_name="e", time=1, body={"deep": [{"x": value}]})], compressed=True)


def test_nothing_is_no_request(encoder):
    assert encoder.metrics([], compressed=True) == encoder.logs([], compressed=True) == []


@settings(max_examples=50, deadline=None)
@given(
    names=st.lists(
        st.sampled_from(["mlvitals.prediction.count", "mlvitals.feature.drift.location"]), min_size=2, max_size=15
    )
)
def test_halves_carry_the_items_of_the_whole_in_order(encoder, names):
    points = [
        MetricPoint(name=name, unit="1", value=float(number), time=STAMP + number, start=START)
        for number, name in enumerate(names)
    ]
    (whole,) = encoder.metrics(points, compressed=True)
    halves = split(whole)
    assert len(halves) == 2
    told = [point.as_double for half in halves for point in data_points(metrics_of(half))]
    assert told == [point.as_double for point in data_points(metrics_of(whole))]
    assert [half.items for half in halves] == [len(names) // 2, len(names) - len(names) // 2]
    for half in halves:
        stamps = [point.time_unix_nano // 1000 for point in data_points(metrics_of(half))]
        assert (half.first, half.last, half.route) == (min(stamps), max(stamps), "metrics")
        assert all(metric.gauge.data_points and metric.unit == "1" for metric in gauges(metrics_of(half)))
        assert metrics_of(half).resource_metrics[0].resource == metrics_of(whole).resource_metrics[0].resource


def test_logs_are_halved_down_to_one(encoder):
    (whole,) = encoder.logs([LogRecord(event_name=f"e{number}", time=number) for number in range(3)], compressed=True)
    one, rest = split(whole)
    assert split(one) == []
    two, three = split(rest)
    assert [part.items for part in (one, two, three)] == [1, 1, 1]
    assert [(part.first, part.last) for part in (one, two, three)] == [(0, 0), (1, 1), (2, 2)]


@pytest.mark.parametrize("body", [b"not gzip", gzip.compress(b"\xff\xff\xff"), gzip.compress(b"x" * 99)[:-9]])
def test_a_body_that_is_not_ours_is_not_split(encoder, points, body):
    (request,) = encoder.metrics(points([1.0, 2.0]), compressed=True)
    broken = replace(request, body=body)
    with pytest.raises(ValueError, match=r"not a (compressed body|body of ExportMetricsServiceRequest)"):
        split(broken)


def test_a_body_with_other_items_than_it_says_is_not_split(encoder, points):
    (two,) = encoder.metrics(points([1.0, 2.0]), compressed=True)
    with pytest.raises(ValueError, match="a body of 2 items says that it holds 3"):
        split(replace(two, items=3))
