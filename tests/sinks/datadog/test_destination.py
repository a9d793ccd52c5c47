"""Datadog's API as a destination: keys, timeouts, names that would merge, and the contract of all sinks."""

import time
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlvitals import delivery
from mlvitals.clock import HOUR, SECOND
from mlvitals.contracts.sinks import SINK_DEMANDS, Demand, sink_context
from mlvitals.delivery import Verdict
from mlvitals.errors import ConfigError
from mlvitals.sinks import datadog
from mlvitals.sinks.datadog import DatadogSink
from mlvitals.sinks.datadog.config import SITES, EndpointsConfig
from mlvitals.sinks.datadog.tagbook import TagBook
from mlvitals.state import Store
from mlvitals.telemetry import MetricPoint
from mlvitals.transport.secret import Secret
from tests.intake.datadog import KEY, SERIES, Scripted, is_normal

END = 1_795_000_000 * SECOND // HOUR * HOUR
METRIC = "mlvitals.feature.drift.location"

every_demand = pytest.mark.parametrize("demand", SINK_DEMANDS, ids=[one.__name__ for one in SINK_DEMANDS])


@every_demand
@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_the_sink_keeps_its_contract(tmp_path, datadog_intake, compression, demand: Demand):
    endpoints = EndpointsConfig(**datadog_intake.endpoints)
    config = DatadogSink(api_key=Secret(KEY), endpoints=endpoints, compression=compression)
    with sink_context(tmp_path) as context:
        demand(config, context, [KEY])


@every_demand
def test_the_sink_keeps_its_contract_though_nobody_answers(tmp_path, demand: Demand):
    nowhere = dict.fromkeys(("metrics", "logs", "events"), "http://127.0.0.1:9")
    config = DatadogSink(api_key=Secret(KEY), endpoints=EndpointsConfig(**nowhere), timeout="1s")
    with sink_context(tmp_path) as context:
        demand(config, context, [KEY])


def test_all_three_intakes_take_what_is_sent(open_sink, window, change, datadog_intake):
    sink = open_sink()
    points, logs = window(END, [1.0, 2.0])
    outcomes = [sink.send(request) for request in sink.encode(points, [*logs, change(END)])]
    assert [(outcome.verdict, outcome.reason) for outcome in outcomes] == [(Verdict.OK, "")] * 3
    assert len(datadog_intake.series) == 2
    assert [one["mlvitals"]["event"] for one in datadog_intake.logs] == ["mlvitals.window.closed"] * 2 + [
        "mlvitals.change"
    ]
    assert len(datadog_intake.events) == 1


def test_a_gauge_that_is_sent_twice_is_the_same_gauge(open_sink, points, datadog_intake):
    sink = open_sink()
    (request,) = sink.encode(points([1.0], END), [])
    assert [sink.send(request).verdict for _ in range(3)] == ["ok"] * 3
    assert datadog_intake.query(METRIC) == {END // SECOND: 1.0}


def test_a_refused_key_holds_the_queue_and_is_not_told(open_sink, points, datadog_intake):
    datadog_intake.key = "another"
    sink = open_sink()
    outcome = sink.send(sink.encode(points([1.0], END), [])[0])
    assert (outcome.verdict, outcome.reason) == (Verdict.MISCONFIGURED, "HTTP 403: Forbidden: the API key is refused")
    assert sink.probe().verdict is Verdict.MISCONFIGURED
    echo = Scripted(status=403, body=f'{{"errors":["no such key: {KEY}"]}}'.encode())
    datadog_intake.will(echo)
    assert KEY not in sink.send(sink.encode(points([1.0], END), [])[0]).reason


def test_a_key_that_was_exchanged_while_a_request_was_on_its_way_is_read_again(
    open_sink, points, datadog_intake, tmp_path
):
    file = tmp_path / "key"
    file.write_text("old-key-of-yesterday")
    sink = open_sink(api_key=Secret(file=file))
    (request,) = sink.encode(points([1.0], END), [])
    assert sink.send(request).verdict == "misconfigured"
    datadog_intake.will(Scripted(status=403, act=lambda: file.write_text(KEY)))
    assert sink.send(request).verdict == "ok"
    assert datadog_intake.query(METRIC) == {END // SECOND: 1.0}


def test_no_answer_ends_in_time_and_is_tried_again(open_sink, points, datadog_intake):
    sink = open_sink(timeout="300ms")
    (request,) = sink.encode(points([1.0], END), [])
    for script in (Scripted(delay=1.5), Scripted(drop=True)):
        datadog_intake.will(script)
        began = time.monotonic()
        assert sink.send(request).verdict == "retry"
        assert time.monotonic() - began < 1.4


def test_a_probe_leaves_nothing_and_says_whether_the_key_is_valid(open_sink, datadog_intake):
    outcome = open_sink().probe()
    assert outcome.verdict == "ok"
    assert outcome.reason.endswith("takes the API key")
    assert datadog_intake.requests == []


def named(feature, value=1.0, model="card-fraud"):
    attributes = {"model": model, "model_version": "7", "environment": "prod", "feature": feature}
    return MetricPoint(name=METRIC, unit="{sd}", value=value, time=END, start=END - HOUR, attributes=attributes)


def test_values_that_datadog_would_merge_stay_two_series_and_it_is_told_once(open_sink, datadog_intake):
    sink = open_sink()
    requests = sink.encode([named("a-b", 1.0), named("A-b", 2.0), named("A-B", 3.0)], [])
    (outcome,) = [sink.send(request) for request in requests]
    assert len(datadog_intake.series) == 3
    assert datadog_intake.query(METRIC, "feature:a-b") == {END // SECOND: 1.0}
    assert "`feature` 'A-b' leaves as `feature:a-b_" in outcome.reason
    assert sink.send(sink.encode([named("A-b", 2.0)], [])[0]).reason == ""
    assert len(datadog_intake.series) == 3


def test_a_value_keeps_its_tag_over_a_restart_whoever_comes_first(open_sink, datadog_intake):
    first = open_sink()
    first.send(first.encode([named("a-b", 1.0)], [])[0])
    before = first.encode([named("A-b", 2.0)], [])
    after = open_sink().encode([named("A-b", 2.0)], [])
    assert before == after
    other = open_sink()
    assert other.send(other.encode([named("A-b", 2.0), named("a-b", 1.0)], [])[0]).verdict == "ok"
    assert datadog_intake.query(METRIC, "feature:a-b") == {END // SECOND: 1.0}
    assert len(datadog_intake.series) == 2


def test_a_tag_that_was_taken_back_with_its_transaction_is_given_out_anew(open_sink, context):
    class Undo(Exception):  # noqa: N818  # none of ours
        pass

    sink = open_sink()

    def encode_and_undo():
        with context.store.transaction():
            sink.encode([named("A-b")], [])
            raise Undo

    with pytest.raises(Undo):
        encode_and_undo()
    requests = sink.encode([named("a-b"), named("A-b")], [])
    assert requests == open_sink().encode([named("a-b"), named("A-b")], [])
    rows = context.store.connection.execute("SELECT tag, value FROM datadog_tag WHERE key = 'feature'").fetchall()
    assert dict(rows)["feature:a-b"] == "a-b"


@settings(max_examples=50)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), unique=True, min_size=2, max_size=20))
def test_no_two_values_share_a_tag(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("tags") / "state.db"
    with Store.open(path, [delivery.MIGRATIONS, datadog.MIGRATIONS]) as store:
        book = TagBook(store, "datadog")
        book.refresh()
        tags = [book.tag("feature", value) for value in values]
        assert len(set(tags)) == len(values)
        assert all(is_normal(tag) or not value for tag, value in zip(tags, values, strict=True))
        again = TagBook(store, "datadog")
        again.refresh()
        assert [again.tag("feature", value) for value in reversed(values)] == list(reversed(tags))


def test_an_attribute_that_is_no_text_is_a_bug(open_sink):
    with pytest.raises(ValueError, match="which is no text"):
        open_sink().encode([replace(named("a"), attributes={"feature": 7})], [])
    with pytest.raises(KeyError):
        open_sink().encode([replace(named("a"), name="mlvitals.nothing")], [])


def convert(**keys):
    return msgspec.convert({"type": "datadog", **keys}, DatadogSink, dec_hook=lambda kind, value: kind(value))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"site": "datadoghq.de"}, "`site` must be one of datadoghq.com"),
        ({"site": "intern.example", "endpoints": {"metrics": "http://a", "logs": "http://a"}}, "all three `endpoints`"),
        ({"site": "ddog-gov.com", "historical": True}, "government sites"),
        ({"timeout": "0s"}, "longer than nothing"),
        ({"key_file": "k"}, "`key_file` needs `cert_file`"),
        ({"endpoints": {"logs": "ftp://a"}}, "`logs` must be an http"),
        ({"endpoints": {"logs": "https://me:hunter2@a"}}, "`logs` must hold no user"),
        ({"compression": "brotli"}, "Invalid enum value"),
    ],
)
def test_what_cannot_work_is_refused_without_telling_a_secret(keys, said):
    with pytest.raises(msgspec.ValidationError, match=said) as refused:
        convert(**keys)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("site", SITES)
def test_every_site_has_its_own_three_addresses(context, site):
    sink = convert(site=site, api_key=KEY).open(context)
    ways = sink._ways
    assert ways.metrics._base == f"https://api.{site}"
    assert {route: way._base for route, way in ways.others.items()} == {
        "logs": f"https://http-intake.logs.{site}",
        "events": f"https://event-management-intake.{site}",
    }
    sink.close()


def test_the_key_comes_from_the_environment_where_none_is_given(monkeypatch, context, datadog_intake):
    sink = convert(endpoints=datadog_intake.endpoints)
    monkeypatch.delenv("DD_API_KEY", raising=False)
    with pytest.raises(ConfigError, match="there is no API key: give `api_key`, or set DD_API_KEY"):
        sink.open(context)
    monkeypatch.setenv("DD_API_KEY", KEY)
    opened = sink.open(context)
    assert opened.probe().verdict == "ok"
    opened.close()


def test_the_intake_itself_finds_what_a_sink_must_not_send(open_sink, points, datadog_intake, clock):
    sink = open_sink(compression="none")
    (request,) = sink.encode(points([1.0], END), [])
    wrong = [
        (b"feature:feature_0", b"feature:Feature_0"),
        (b'"value":1.0', b'"value":NaN'),
        (b'"type":3', b'"type":7'),
        (b'"type":3', b'"type":3,"type":3'),
        (b"mlvitals.feature.drift.location", b"1st"),
    ]
    for before, after in wrong:
        assert sink.send(replace(request, body=request.body.replace(before, after))).verdict == "poison"
    assert len(datadog_intake.faults) == len(wrong)
    datadog_intake.faults.clear()
    clock.moment = END + 2 * HOUR
    assert sink.send(request).verdict == "ok"  # as Datadog answers to what it drops
    assert datadog_intake.dropped == {SERIES: 1}
