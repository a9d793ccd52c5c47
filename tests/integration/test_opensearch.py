"""The rules that the sink rests on, at a real OpenSearch node: names, versions, streams, templates, refusals."""

import json
import re
from dataclasses import replace

import pytest

from mlvitals.clock import HOUR, SECOND, SystemClock, format_time
from mlvitals.contracts.sinks import sink_context
from mlvitals.delivery import Verdict
from mlvitals.sinks.opensearch import OpenSearchSink
from mlvitals.sinks.opensearch.choices import Templates
from mlvitals.sinks.opensearch.config import LifecycleConfig
from mlvitals.sinks.packing import unpack
from mlvitals.telemetry import WINDOW_CLOSED, LogRecord, Service
from mlvitals.telemetry.naming.opensearch import Schema, logs_stream, metrics_alias

pytestmark = pytest.mark.integration

END = 1_793_491_200 * SECOND + HOUR  # 2026-11-01T01:00:00Z
OK = (Verdict.OK, "")


@pytest.fixture
def road(opensearch, tmp_path):
    """Open sinks to the node, by their configurations."""
    with sink_context(tmp_path) as context:
        given = replace(context, service=Service(name="job", environment="prod", tags={"team": "risk"}))
        opened = []

        def road(namespace, **config):
            opened.append(OpenSearchSink(hosts=(opensearch.address,), namespace=namespace, **config).open(given))
            return opened[-1]

        yield road
        for one in opened:
            one.close()


def told(sink, logs):
    return [(outcome.verdict, outcome.reason) for outcome in map(sink.send, sink.encode([], logs))]


def measurement(number=0, **other):
    return {
        "signal": "mlvitals.feature.drift.location",
        "value": number + 0.25,
        "unit": "{sd}",
        "model": "card-fraud",
        "model_version": "7",
        "environment": "prod",
        "window_start": format_time(END - HOUR),
        "window_end": format_time(END),
        "attributes": {"feature": f"f{number}", "comparison": "operating", "of_a_plugin": "x"},
        "samples": 100,
        "reference_samples": None,
        "lower": None,
        "upper": None,
        "status": "ok",
        "threshold": 0.5,
        "evidence": {"median": 3.0},
        "revision": 0,
        "reference_hash": None,
    } | other


def closed(*measurements):
    return LogRecord(event_name=WINDOW_CLOSED, time=END, body={"measurements": list(measurements)})


CHANGE = LogRecord(
    event_name="mlvitals.change", time=END, attributes={"model": "card-fraud"}, body={"kind": "deploy", "text": "4.2"}
)


def test_a_probe_tells_the_version_and_leaves_nothing(opensearch, road):
    outcome = road("probed").probe()
    assert outcome.verdict is Verdict.OK
    assert outcome.reason.startswith("OpenSearch ")
    assert "mlvitals-ss4o-metrics-probed" not in str(opensearch.request("GET", "/_index_template"))


@pytest.mark.parametrize("schema", list(Schema))
def test_measurements_stand_in_a_months_index_behind_their_alias_and_records_in_a_stream(opensearch, road, schema):
    namespace = f"named_{schema}"
    sink = road(namespace, schema=schema)
    assert told(sink, [closed(measurement()), CHANGE]) == [OK, OK]
    alias, stream = metrics_alias(schema, namespace), logs_stream(schema, namespace)
    assert list(opensearch.request("GET", f"/{alias}")) == [f"{alias}-2026.11"]
    [described] = opensearch.request("GET", f"/_data_stream/{stream}")["data_streams"]
    assert described["template"] == f"mlvitals-{schema}-logs-{namespace}"
    assert told(sink, [CHANGE]) == [OK]
    [hit] = opensearch.search(stream)
    assert hit["_source"]["details"] == CHANGE.body


@pytest.mark.parametrize("schema", list(Schema))
def test_what_is_written_can_be_asked_for_by_every_field_of_importance(opensearch, road, schema):
    namespace = f"asked_{schema}"
    assert told(road(namespace, schema=schema), [closed(measurement(0), measurement(1)), CHANGE]) == [OK, OK]
    prefix = "attributes." if schema is Schema.SS4O else ""
    own = {
        "name": "mlvitals.feature.drift.location",
        f"{prefix}mlvitals.feature.name": "f1",
        f"{prefix}mlvitals.model.version": "7",
        f"{prefix}mlvitals.of_a_plugin": "x",
        "labels.team": "risk",
        "window_end": format_time(END),
        "value": 1.25,
        "serviceName" if schema is Schema.SS4O else "service.name": "job",
    }
    query = {"bool": {"filter": [{"term": {field: value}} for field, value in own.items()]}}
    assert [hit["_source"]["value"] for hit in opensearch.search(metrics_alias(schema, namespace), query)] == [1.25]
    assert opensearch.search(metrics_alias(schema, namespace), {"exists": {"field": "evidence.median"}}) == []
    event = {"event.name": "mlvitals.change"} if schema is Schema.SS4O else {"event.action": "mlvitals.change"}
    event |= {} if schema is Schema.SS4O else {"event.module": "mlvitals", "data_stream.dataset": "mlvitals.signals"}
    query = {"bool": {"filter": [{"term": {field: value}} for field, value in event.items()]}}
    assert len(opensearch.search(logs_stream(schema, namespace), query)) == 1


def test_our_template_wins_over_a_stream_that_takes_the_same_name(opensearch, road):
    theirs = {"index_patterns": ["ss4o_metrics-*-*"], "data_stream": {}, "priority": 900, "template": {}}
    opensearch.request("PUT", "/_index_template/theirs", theirs)
    try:
        assert told(road("won"), [closed(measurement())]) == [OK]
        # Without ours, as theirs has it: nothing is lost, and a person is told.
        [(verdict, reason)] = told(road("lost", templates=Templates.OFF), [closed(measurement())])
        assert verdict is Verdict.MISCONFIGURED
        assert "data stream" in reason
    finally:
        opensearch.request("DELETE", "/_data_stream/ss4o_metrics-mlvitals-lost-*")
        opensearch.request("DELETE", "/_index_template/theirs")


def test_only_the_document_that_cannot_be_mapped_is_refused(opensearch, road):
    sink = road("refused")
    wrong = measurement(1, samples="many")
    [request] = sink.encode([], [closed(measurement(0), wrong, measurement(2))])
    outcome = sink.send(request)
    assert (outcome.verdict, outcome.rejected) == (Verdict.REJECTED, 1)
    assert "1 of 3 refused: 400 mapper_parsing_exception" in outcome.reason
    assert "samples" in outcome.reason
    assert unpack(outcome.refused.body) in unpack(request.body)
    assert {hit["_source"]["value"] for hit in opensearch.search(metrics_alias(Schema.SS4O, "refused"))} == {0.25, 2.25}


def test_a_closed_index_holds_the_queue(opensearch, road):
    sink = road("closed")
    assert told(sink, [closed(measurement())]) == [OK]
    index = f"{metrics_alias(Schema.SS4O, 'closed')}-2026.11"
    opensearch.request("POST", f"/{index}/_close")
    [(verdict, reason)] = told(sink, [closed(measurement())])
    assert (verdict, "index_closed_exception" in reason) == (Verdict.MISCONFIGURED, True)
    opensearch.request("POST", f"/{index}/_open")


def test_an_index_without_room_to_write_holds_the_queue_or_waits(opensearch, road):
    sink = road("full")
    assert told(sink, [closed(measurement())]) == [OK]
    index = f"{metrics_alias(Schema.SS4O, 'full')}-2026.11"
    opensearch.request("PUT", f"/{index}/_settings", {"index.blocks.write": True})
    [(verdict, reason)] = told(sink, [closed(measurement())])
    assert (verdict, "cluster_block_exception" in reason) == (Verdict.MISCONFIGURED, True)
    # As the node does it itself at the flood stage of its disk.
    opensearch.request(
        "PUT", f"/{index}/_settings", {"index.blocks.write": None, "index.blocks.read_only_allow_delete": True}
    )
    [(verdict, reason)] = told(sink, [closed(measurement())])
    assert (verdict, "cluster_block_exception" in reason) == (Verdict.RETRY, True)
    opensearch.request("PUT", f"/{index}/_settings", {"index.blocks.read_only_allow_delete": None})
    assert told(sink, [closed(measurement())]) == [OK]


def test_a_node_without_the_plugin_of_policies_takes_documents_and_is_told_of_once(opensearch, road):
    if "index-management" in str(opensearch.request("GET", "/_cat/plugins?format=json")):
        pytest.skip("this node has the plugin")
    sink = road("kept", lifecycle=LifecycleConfig(delete_after="90d"))
    warned = (Verdict.OK, "no lifecycle: the cluster has no lifecycle policy (ISM), nothing is ever deleted")
    assert told(sink, [closed(measurement()), CHANGE]) == [warned, OK]


def test_templates_that_stand_there_are_not_put_again(opensearch, road):
    assert told(road("twice"), [CHANGE]) == [OK]
    path = "/_index_template/mlvitals-ss4o-logs-twice"
    body = opensearch.request("GET", path)["index_templates"][0]["index_template"]
    newer = {**body, "_meta": {**body["_meta"], "version": 1_000}, "priority": 1_001}
    opensearch.request("PUT", path, newer)
    assert told(road("twice"), [CHANGE]) == [OK]
    assert opensearch.request("GET", path)["index_templates"][0]["index_template"]["priority"] == 1_001
    assert told(road("twice", templates=Templates.CHECK), [CHANGE]) == [OK]


def test_ten_thousand_documents_are_found_once_each_however_often_they_are_sent(opensearch, road):
    sink = road("many")
    record = closed(*map(measurement, range(10_000)))
    for _ in range(2):
        assert set(told(sink, [record])) == {OK}
    alias = metrics_alias(Schema.SS4O, "many")
    opensearch.refresh(alias)
    body = {"size": 0, "track_total_hits": True, "aggs": {"sum": {"sum": {"field": "value"}}}}
    found = opensearch.request("POST", f"/{alias}/_search", body)
    assert found["hits"]["total"] == {"value": 10_000, "relation": "eq"}
    assert found["aggregations"]["sum"]["value"] == sum(number + 0.25 for number in range(10_000))


def test_the_queries_of_the_documents_find_what_they_say(opensearch, road, repository):
    now = SystemClock().now()
    stamp = replace(closed(measurement(1, status="warning"), measurement(3)), time=now - HOUR)
    assert told(road("prod"), [stamp]) == [OK]
    text = (repository / "docs" / "opensearch.md").read_text("utf-8")
    asked = re.findall(r"```text\nPOST (\S+)\n(.*?)```", text, re.DOTALL)
    opensearch.refresh(metrics_alias(Schema.SS4O, "prod"))
    warning, drift = (opensearch.request("POST", f"/{path}", json.loads(body)) for path, body in asked)
    assert [hit["_source"]["value"] for hit in warning["hits"]["hits"]] == [1.25]
    buckets = drift["aggregations"]["feature"]["buckets"]
    assert [(one["key"], one["worst"]["value"]) for one in buckets] == [("f3", 3.25), ("f1", 1.25)]
