"""Templates come before documents, once; what is newer or not ours stays as it is; looking leaves nothing."""

import json

import pytest

from mlvitals.delivery import Verdict
from mlvitals.sinks.opensearch.choices import Templates
from mlvitals.sinks.opensearch.config import LifecycleConfig
from mlvitals.telemetry.naming.opensearch import Schema

METRICS = "_index_template/mlvitals-ss4o-metrics-default"
POLICY = "_plugins/_ism/policies/mlvitals-ss4o-metrics-default"


def puts(told):
    return [path for method, path in told.requests if method == "PUT"]


def test_what_stands_there_already_is_not_put_again(road, cluster, many):
    road(cluster, lifecycle=LifecycleConfig()).send(logs=[many(1)])
    assert len(puts(cluster)) == 5
    cluster.requests.clear()
    road(cluster, lifecycle=LifecycleConfig()).send(logs=[many(1)])
    assert puts(cluster) == []


@pytest.mark.parametrize(("version", "kept"), [(0, False), (1, False), (2, True)])
def test_older_templates_and_policies_are_replaced_and_newer_ones_stay(road, cluster, many, version, kept):
    meta = {"managed_by": "mlvitals", "version": version, "content": "another"}
    body = {"index_patterns": ["ss4o_metrics-mlvitals-default-*"], "priority": 1000, "_meta": meta, "template": {}}
    text = f"managed by mlvitals, version {version}, content abc"
    cluster.stored |= {METRICS: body, POLICY: {"seq": 4, "policy": {"description": text}}}
    assert road(cluster, lifecycle=LifecycleConfig()).send(logs=[many(1)]).complete
    assert (cluster.stored[METRICS]["_meta"] == meta) == kept
    assert (cluster.stored[POLICY]["seq"] == 4) == kept


@pytest.mark.parametrize(
    "meta", [{}, {"_meta": {"managed_by": "terraform", "version": 1, "content": "x"}}, {"_meta": 3}]
)
def test_what_somebody_else_brought_is_left_as_it_is(road, cluster, many, meta):
    body = {"index_patterns": ["ss4o_metrics-mlvitals-default-*"], "priority": 2000, "template": {}} | meta
    cluster.stored |= {METRICS: body, POLICY: {"seq": 0, "policy": {"description": "the team's own"}}}
    assert road(cluster, lifecycle=LifecycleConfig()).send(logs=[many(1)]).complete
    assert cluster.stored[METRICS] == body
    assert cluster.stored[POLICY]["policy"] == {"description": "the team's own"}


def test_another_span_replaces_the_policy(road, elastic, many):
    path = "_ilm/policy/mlvitals-ecs-logs-default"
    for span, days in (("90d", "90d"), ("2w", "14d")):
        assert road(elastic, lifecycle=LifecycleConfig(delete_after=span)).send(logs=[many(1)]).complete
        assert elastic.stored[path]["policy"]["phases"]["delete"]["min_age"] == days


def test_check_holds_the_queue_until_somebody_has_installed_them_and_puts_nothing(road, cluster, many):
    one = road(cluster, templates=Templates.CHECK)
    report = one.send(logs=[many(1)])
    assert report.held
    assert "the index template mlvitals-ss4o-metrics-default is absent" in report.trouble
    assert (puts(cluster), cluster.documents) == ([], {})
    road(cluster).sink.send(one.sink.encode([], [many(1)])[0])
    assert one.drain().complete


def test_off_asks_for_nothing(road, cluster, many):
    road(cluster, templates=Templates.OFF, schema=Schema.ECS).send(logs=[many(1)])
    assert [path.partition("?")[0] for _, path in cluster.requests] == ["/_bulk"]


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(403, Verdict.MISCONFIGURED), (400, Verdict.MISCONFIGURED), (429, Verdict.RETRY), (500, Verdict.RETRY)],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_templates_that_cannot_be_had_keep_every_document(road, cluster, many, *, method, status, verdict):
    told = {"error": {"type": "some_exception", "reason": "why"}, "status": status}
    cluster.denied[f"{method} _index_template/mlvitals-ss4o-logs"] = (status, told)
    one = road(cluster)
    [request] = one.sink.encode([], [many(1)])
    outcome = one.sink.send(request)
    assert outcome.verdict is verdict
    doing = f"to {method.lower()} the index template mlvitals-ss4o-logs-default"
    assert outcome.reason == f"{doing}: HTTP {status}: some_exception: why"
    assert cluster.documents == {}
    cluster.denied.clear()
    assert one.sink.send(request).verdict is Verdict.OK


def test_two_templates_of_one_priority_are_told_in_the_engines_words(road, cluster, many):
    cluster.stored["_index_template/theirs"] = {"index_patterns": ["ss4o_*"], "priority": 1000, "template": {}}
    report = road(cluster).send(logs=[many(1)])
    assert report.held
    assert "has patterns with equal priority" in report.trouble


def test_a_probe_tells_who_answers_and_leaves_nothing(road, cluster, elastic):
    for told, said in ((cluster, "OpenSearch 3.8.0"), (elastic, "Elasticsearch 9.2.1")):
        before = json.dumps(told.stored)
        outcome = road(told).sink.probe()
        assert (outcome.verdict, outcome.reason) == (Verdict.OK, said)
        assert json.dumps(told.stored) == before
        assert {method for method, _ in told.requests} <= {"GET", "POST"}
        assert [path for method, path in told.requests if method == "POST"] == (
            ["/_security/user/_has_privileges"] if told is elastic else []
        )


def test_a_probe_tells_which_privileges_are_lacking(road, elastic):
    elastic.privileges = {"manage_ilm": False, "create_doc": False}
    outcome = road(elastic, lifecycle=LifecycleConfig()).sink.probe()
    assert outcome.verdict is Verdict.MISCONFIGURED
    assert outcome.reason == "lacks the privileges create_doc on logs-mlvitals.signals-default, manage_ilm"
    elastic.privileges = {}
    assert road(elastic).sink.probe().verdict is Verdict.OK


@pytest.mark.parametrize("told", [[], {"has_all_requested": False, "cluster": [], "index": None}, {"index": 1}])
def test_a_probe_that_is_told_of_privileges_in_other_words_makes_nothing_of_them(road, elastic, told):
    elastic.denied["POST _security"] = (200, told)
    assert road(elastic).sink.probe().verdict is Verdict.OK


@pytest.mark.parametrize(
    ("status", "verdict", "said"),
    [
        (401, Verdict.MISCONFIGURED, "HTTP 401"),
        (503, Verdict.RETRY, "HTTP 503"),
        (500, Verdict.MISCONFIGURED, "HTTP 500"),
        (403, Verdict.OK, "OpenSearch (it does not tell its version)"),
        (404, Verdict.OK, "OpenSearch (it does not tell its version)"),
        (200, Verdict.MISCONFIGURED, "HTTP 200 without a version: is this the address of OpenSearch?"),
    ],
)
def test_a_probe_tells_what_stands_in_the_way(road, cluster, status, verdict, said):
    cluster.denied["GET "] = (status, {})
    outcome = road(cluster, templates=Templates.OFF).sink.probe()
    assert (outcome.verdict, outcome.reason) == (verdict, said)


def test_a_probe_tells_the_wrong_engine_by_what_it_says_of_itself(road, cluster, elastic):
    for told, other in ((cluster, elastic), (elastic, cluster)):
        outcome = road(told, engine=other.engine).sink.probe()
        assert outcome.verdict is Verdict.MISCONFIGURED
    assert "engine: elasticsearch" in outcome.reason


def test_a_probe_with_check_tells_what_is_missing_and_with_install_does_not(road, cluster):
    assert road(cluster).sink.probe().verdict is Verdict.OK
    outcome = road(cluster, templates=Templates.CHECK).sink.probe()
    assert outcome.verdict is Verdict.MISCONFIGURED
    assert "the component template mlvitals-ss4o is absent" in outcome.reason


def test_a_probe_of_nobody_tells_so(road, cluster):
    outcome = road(cluster, hosts=("http://127.0.0.1:9",)).sink.probe()
    assert (outcome.verdict, outcome.reason) == (Verdict.RETRY, "http://127.0.0.1:9: no connection: Connection refused")


def test_templates_that_have_gone_are_put_again_once_the_queue_was_held(road, cluster, many):
    one = road(cluster)
    one.send(logs=[many(1)])
    template = cluster.stored.pop(METRICS)
    later = many(1, window_start="2026-12-01T00:00:00Z", window_end="2026-12-01T01:00:00Z")
    assert one.send(logs=[later]).held  # SS4O's own template took the name
    cluster.streams.clear()  # a person deletes what it made
    assert one.drain().complete
    assert cluster.stored[METRICS] == template
