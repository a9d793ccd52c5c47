"""What is sent to Datadog, byte by byte, and within all its bounds."""

import gzip
import json
import math
from dataclasses import replace

import msgspec
import pytest
import zstandard

from mlvitals.clock import HOUR, MINUTE, SECOND
from mlvitals.signals.spec import Status
from mlvitals.sinks.datadog.requests import open_body
from mlvitals.telemetry import LogRecord, MetricPoint, Severity

END = 1_795_000_000 * SECOND // HOUR * HOUR
TAGS = ["area:eu", "env:prod", "feature:feature_0", "model:card-fraud", "model_version:7"]


def told(request):
    return json.loads(gzip.decompress(request.body))


def test_a_point_is_a_gauge_without_a_host_in_this_very_spelling(open_sink, points):
    (request,) = open_sink(compression="none").encode(points([0.1], END), [])
    assert request.body == (
        b'{"series":[{"metric":"mlvitals.feature.drift.location","points":[{"timestamp":1794999600,"value":0.1}],'
        b'"tags":["area:eu","env:prod","feature:feature_0","model:card-fraud","model_version:7",'
        b'"service:fraud-monitoring","team:risk"],"type":3}]}'
    )
    assert (request.route, request.items, request.first, request.last) == ("metrics", 1, END, END)


def test_a_measurement_is_a_log_in_this_very_spelling(open_sink, window):
    _, logs = window(END, [1.5], status=Status.WARNING)
    (request,) = open_sink(compression="none").encode([], logs)
    (log,) = json.loads(request.body)
    identity = log["mlvitals"].pop("id")
    assert len(identity) == 32
    assert log == {
        "timestamp": END // 1_000,
        "ddsource": "mlvitals",
        "ddtags": ",".join([*TAGS, "service:fraud-monitoring", "team:risk"]),
        "service": "fraud-monitoring",
        "status": "warn",
        "message": "card-fraud 7: mlvitals.feature.drift.location 1.5 (warning, feature feature_0)",
        "mlvitals": {
            "event": "mlvitals.window.closed",
            "time": "2026-11-18T11:00:00Z",
            "signal": "mlvitals.feature.drift.location",
            "value": 1.5,
            "unit": "{sd}",
            "model": "card-fraud",
            "model_version": "7",
            "environment": "prod",
            "window_start": "2020-09-13T12:26:40Z",
            "window_end": "2020-09-13T13:26:40Z",
            "attributes": {"feature": "feature_0"},
            "samples": 100,
            "status": "warning",
            "evidence": {"median": 3.0, "note": "größer"},
            "revision": 0,
        },
    }


def test_a_change_is_an_event_over_graphs_and_a_log(open_sink, change, datadog_intake):
    sink = open_sink(compression="none")
    logs, event = sink.encode([], [change(END)])
    assert json.loads(logs.body)[0]["message"] == "card-fraud: mlvitals.change v8"
    (attributes,) = [json.loads(event.body)["data"]["attributes"]]
    assert len(attributes.pop("aggregation_key")) == 32
    assert attributes == {
        "category": "change",
        "integration_id": "custom-events",
        "title": "deploy: card-fraud",
        "message": "v8",
        "timestamp": "2026-11-18T11:00:00Z",
        "tags": ["area:eu", "env:prod", "kind:deploy", "model:card-fraud", "service:fraud-monitoring", "team:risk"],
        "attributes": {
            "changed_resource": {"name": "card-fraud", "type": "configuration"},
            "change_metadata": {"kind": "deploy", "model": "card-fraud"},
            "impacted_resources": [{"name": "fraud-monitoring", "type": "service"}],
        },
    }
    for request in sink.encode([], [change(END), change(END, "", "flag", model=""), change(END, "x" * 9_000)]):
        assert sink.send(request).verdict == "ok"
    assert [one["attributes"]["changed_resource"]["type"] for one in datadog_intake.events] == [
        "configuration",
        "feature_flag",
        "configuration",
    ]


def test_a_log_tells_how_grave_it_is(open_sink, window):
    kinds = {Status.OK: "info", Status.NO_DATA: "info", Status.WARNING: "warn", Status.ALERT: "error"}
    for status, level in kinds.items():
        _, logs = window(END, [1.0], status=status)
        assert told(open_sink().encode([], logs)[0])[0]["status"] == level
    for severity, level in {Severity.INFO: "info", Severity.WARN: "warn", Severity.ERROR: "error"}.items():
        record = LogRecord(event_name="mlvitals.other", time=END, severity=severity)
        assert told(open_sink().encode([], [record])[0])[0]["status"] == level


@pytest.mark.parametrize("name", ["id", "event", "time"])
def test_no_attribute_takes_the_place_of_what_tells_one_log_from_another(open_sink, name):
    record = LogRecord(event_name="mlvitals.other", time=END, attributes={name: "mine"})
    assert told(open_sink().encode([], [record])[0])[0]["mlvitals"][name] != "mine"


def test_a_value_that_is_no_number_never_leaves(open_sink, points, window, datadog_intake):
    for value in (math.nan, math.inf, -math.inf):
        with pytest.raises(ValueError, match="is not a value"):
            open_sink().encode(points([1.0, value], END), [])
    _, logs = window(END, [1.0], evidence={"worst": math.nan, "most": math.inf})
    (request,) = open_sink().encode([], logs)
    assert open_sink().send(request).verdict == "ok"
    assert datadog_intake.logs[0]["mlvitals"]["evidence"] == {"worst": None, "most": None}


@pytest.mark.parametrize("value", [1e-300, 1.7976931348623157e308, -0.0, 5, 1 / 3, 2**53 + 1.0])
def test_a_value_arrives_to_the_bit(open_sink, points, datadog_intake, value):
    sink = open_sink()
    assert sink.send(sink.encode(points([value], END), [])[0]).verdict == "ok"
    assert datadog_intake.query("mlvitals.feature.drift.location") == {END // SECOND: value}


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_what_waits_is_sent_as_it_was_compressed_also_when_the_configuration_has_changed(
    open_sink, window, datadog_intake, compression
):
    requests = open_sink(compression=compression).encode(*window(END, [1.0, 2.0]))
    other = open_sink(compression="gzip" if compression == "none" else "none")
    assert [other.send(request).verdict for request in requests] == ["ok", "ok"]
    sent = [one.headers.get("content-encoding") for one in datadog_intake.requests]
    assert sent == {"gzip": ["gzip", "gzip"], "zstd": ["zstd1", "gzip"], "none": [None, None]}[compression]


def test_a_service_s_own_version_is_its_tag_and_the_model_s_another(open_sink, points):
    sink = open_sink()
    tagged = replace(points([1.0], END)[0], tags={"version": "1.4", "Model": "mine", "team": "Credit"})
    (request,) = sink.encode([tagged], [])
    tags = told(request)["series"][0]["tags"]
    assert "version:1.4" in tags
    assert "model_version:7" in tags
    assert [tag for tag in tags if tag.startswith(("model:", "team:"))] == ["model:card-fraud", "team:credit"]


def unlike(number):
    """Points that hardly compress."""
    return MetricPoint(
        name="mlvitals.feature.drift.location",
        unit="{sd}",
        value=math.sin(number) * 10 ** (number % 300),
        time=END,
        start=END - HOUR,
        attributes={"feature": f"{number * 2_654_435_761 % 2**32:x}{math.sin(number)}{math.cos(number) * 1e9}"},
    )


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_many_points_are_cut_into_requests_within_both_bounds(open_sink, compression):
    points = [unlike(number) for number in range(12_000)]
    requests = open_sink(compression=compression).encode(points, [])
    assert len(requests) > 1
    assert sum(request.items for request in requests) == len(points)
    for request in requests:
        assert len(request.body) <= 512_000
        whole = sum(len(item.content) + 1 for item in open_body(request))
        assert whole <= 5 * 1024 * 1024


def test_logs_are_cut_by_number_and_by_bytes(open_sink, window, datadog_intake):
    sink = open_sink()
    requests = sink.encode(*window(END, [1.0] * 2_100))[1:]
    assert [request.items for request in requests] == [1_000, 1_000, 100]
    _, logs = window(END, [1.0] * 30, evidence={"cells": "x" * 400_000})
    heavy = sink.encode([], logs)
    assert [request.items for request in heavy] == [12, 12, 6]
    assert all(sink.send(request).verdict == "ok" for request in heavy)
    assert len(datadog_intake.logs) == 30


@pytest.mark.parametrize("filling", ["x", '"', "\n", "🙂", "\x00"])
def test_a_log_that_would_be_cut_off_becomes_several_that_hold_all_of_it(open_sink, window, datadog_intake, filling):
    sink = open_sink()
    _, logs = window(END, [1.0], evidence={"cells": filling * 1_200_000})
    for request in sink.encode([], logs):
        assert sink.send(request).verdict == "ok"
    parts = [one["mlvitals"] for one in datadog_intake.logs]
    assert len(parts) > 1
    assert [(one["part"], one["parts"]) for one in parts] == [(place + 1, len(parts)) for place in range(len(parts))]
    assert len({one["id"] for one in parts}) == 1
    whole = json.loads("".join(one["json"] for one in parts))
    assert whole["evidence"] == {"cells": filling * 1_200_000}


def test_halves_hold_the_same_items_down_to_one(open_sink, window):
    sink = open_sink()
    for request in sink.encode(*window(END, [float(number) for number in range(7)])):
        waiting, single = [request], []
        while waiting:
            one = waiting.pop(0)
            waiting += sink.split(one)
            single += [] if sink.split(one) else open_body(one)
        assert sorted(single) == sorted(open_body(request))


def test_logs_and_events_may_be_left_out(open_sink, window, change):
    points, logs = window(END)
    sink = open_sink(logs=False, events=False)
    assert sink.routes == ("metrics",)
    assert [request.route for request in sink.encode(points, [*logs, change(END)])] == ["metrics"]


def test_zstd_is_readable_by_who_does_not_know_its_size(open_sink, points):
    (request,) = open_sink(compression="zstd").encode(points([1.0], END), [])
    with zstandard.ZstdDecompressor().stream_reader(request.body) as reader:
        assert msgspec.json.decode(reader.read())["series"][0]["type"] == 3


def test_a_point_ahead_of_the_clock_waits_instead_of_being_dropped(open_sink, points, clock, datadog_intake):
    sink = open_sink()
    (request,) = sink.encode(points([1.0], END + 30 * MINUTE), [])
    clock.moment = END
    outcome = sink.send(request)
    assert (outcome.verdict, outcome.retry_after) == ("retry", 20 * 60)
    assert datadog_intake.requests == []
    clock.moment = END + 20 * MINUTE
    assert sink.send(request).verdict == "ok"
    assert datadog_intake.dropped == {}
