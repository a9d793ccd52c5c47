"""What bulk helpers lose, kept: a strict stand-in, the real outbox, one item for one item."""

import json
import socket

import pytest

from mlvitals.delivery import Verdict
from mlvitals.sinks.opensearch.choices import Templates
from mlvitals.sinks.opensearch.config import LifecycleConfig
from mlvitals.sinks.packing import unpack

ALIAS = "ss4o_metrics-mlvitals-default"
BUSY = {"type": "es_rejected_execution_exception", "reason": "rejected execution of coordinating operation"}
WRONG = {"type": "mapper_parsing_exception", "reason": "failed to parse field [value] of type [double]"}


def features(told):
    return sorted(one["attributes"]["mlvitals"]["feature"]["name"] for one in told.sources(f"{ALIAS}*"))


def sent_features(told):
    """The features of each bulk request, in order."""
    lines = [[json.loads(line) for line in body.split(b"\n")[1:-1:2]] for body in told.bulks]
    return [[one["attributes"]["mlvitals"]["feature"]["name"] for one in several] for several in lines]


def fated(**fates):
    """Give features fates: a list is used up, one request after the other."""

    def fate(_, source):
        waiting = fates.get(source["attributes"]["mlvitals"]["feature"]["name"])
        return waiting.pop(0) if waiting else None

    return fate


def test_documents_arrive_with_their_templates_before_them(road, cluster, many, change):
    report = road(cluster).send(logs=[many(2), change])
    assert (report.delivered, report.complete) == (3, True)
    assert features(cluster) == ["f0", "f1"]
    assert cluster.streams == {"ss4o_logs-mlvitals.signals-default"}
    methods = [method for method, path in cluster.requests if not path.startswith("/_bulk")]
    assert methods == ["GET", "PUT", "GET", "PUT", "GET", "PUT"]
    assert [path.partition("?")[0] for method, path in cluster.requests if method == "POST"] == ["/_bulk", "/_bulk"]


def test_templates_are_looked_at_once(road, cluster, many):
    one = road(cluster)
    one.send(logs=[many(1)])
    before = len(cluster.requests)
    one.send(logs=[many(2)])
    assert len(cluster.requests) == before + 1


def test_a_resend_changes_nothing(road, cluster, many, change):
    one = road(cluster)
    one.send(logs=[many(2), change])
    before = {index: dict(held) for index, held in cluster.documents.items()}
    report = one.send(logs=[many(2), change])
    assert (report.delivered, report.complete) == (3, True)
    assert cluster.documents == before


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_later_revision_stays_in_whatever_order_they_come(road, cluster, closed, measurement, order):
    one = road(cluster)
    for revision in order:
        report = one.send(logs=[closed(measurement(revision=revision, value=float(revision)))])
        assert report.complete
    [document] = cluster.sources(f"{ALIAS}*")
    assert (document["revision"], document["value"]) == (1, 1.0)


def test_only_the_items_that_were_turned_away_are_sent_again_with_their_own_bytes(road, cluster, many):
    cluster.fate = fated(f1=[(429, BUSY), (429, BUSY)])
    one = road(cluster)
    report = one.send(logs=[many(3)])
    assert sent_features(cluster) == [["f0", "f1", "f2"], ["f1"], ["f1"]]
    assert (report.delivered, report.complete) == (3, True)
    assert cluster.bulks[1] == cluster.bulks[2]
    assert cluster.bulks[1] in cluster.bulks[0]
    assert one.totals() == {"enqueued": 3, "delivered": 3}


def test_only_the_document_that_cannot_be_mapped_becomes_a_dead_letter_with_its_bytes(road, cluster, many):
    cluster.fate = fated(f1=[(400, WRONG)])
    one = road(cluster)
    report = one.send(logs=[many(3)])
    assert (report.delivered, report.rejected) == (2, 1)
    assert features(cluster) == ["f0", "f2"]
    [letter] = one.letters()
    assert letter.reason == f"1 of 3 refused: 400 mapper_parsing_exception: {WRONG['reason']}"
    assert (letter.lost, letter.request.items) == (1, 1)
    assert unpack(letter.request.body) in cluster.bulks[0]
    assert b'"f1"' in unpack(letter.request.body)


def test_items_may_be_taken_refused_and_turned_away_in_one_answer(road, cluster, many):
    cluster.fate = fated(f0=[(503, BUSY)], f1=[(400, WRONG)])
    one = road(cluster)
    report = one.send(logs=[many(3)])
    assert (report.delivered, report.rejected) == (2, 1)
    assert sent_features(cluster) == [["f0", "f1", "f2"], ["f0"]]
    assert one.totals() == {"enqueued": 3, "delivered": 2, "rejected": 1}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, {"type": "security_exception", "reason": "no permissions for [indices:data/write/bulk[s]]"}),
        (403, {"type": "cluster_block_exception", "reason": "index [x] blocked by: [FORBIDDEN/12/index read-only]"}),
        (404, {"type": "index_not_found_exception", "reason": "no such index [x]"}),
        (400, {"type": "validation_exception", "reason": "this cluster currently has [1000] maximum shards open"}),
        (400, {"type": "index_closed_exception", "reason": "closed"}),
        (400, {"type": "routing_missing_exception", "reason": "routing is required for [x]/[1]"}),
        (400, {"type": "illegal_argument_exception", "reason": "no write index is defined for alias [x]. The write"}),
        (400, {"type": "illegal_argument_exception", "reason": "pipeline with id [x] does not exist"}),
        (400, {"type": "illegal_argument_exception", "reason": "Limit of total fields [500] has been exceeded"}),
    ],
)
def test_what_a_person_must_change_holds_only_the_items_it_concerns(road, cluster, many, status, error):
    cluster.fate = fated(f1=[(status, error)])
    one = road(cluster)
    report = one.send(logs=[many(2)])
    assert (report.delivered, report.waiting, report.held, report.rejected) == (1, 1, True, 0)
    assert error["reason"] in report.trouble
    assert one.drain().complete  # once a person has acted


def test_a_document_that_speaks_of_data_streams_is_refused_as_any_other(road, cluster, many):
    reason = (
        "failed to parse field [labels.team] of type [long]. Preview of field's value: 'pipeline with id [data stream'"
    )
    cluster.fate = fated(f1=[(400, {"type": "mapper_parsing_exception", "reason": reason})])
    report = road(cluster).send(logs=[many(2)])
    assert (report.delivered, report.rejected, report.held) == (1, 1, False)


def test_a_document_that_a_pipeline_drops_is_no_success(road, cluster, many):
    cluster.dropped.add("f1")
    one = road(cluster)
    report = one.send(logs=[many(2)])
    assert (report.delivered, report.rejected) == (1, 1)
    assert features(cluster) == ["f0"]
    assert [letter.reason for letter in one.letters()] == ["1 of 2 refused: 200 noop"]


def test_an_index_that_is_a_data_stream_holds_the_queue_and_loses_nothing(road, cluster, many):
    report = road(cluster, templates=Templates.OFF).send(logs=[many(2)])  # SS4O's own template takes the name
    assert (report.delivered, report.rejected, report.held) == (0, 0, True)
    assert "op_type of create are allowed in data streams" in report.trouble


def test_an_item_on_which_the_server_fails_is_found_and_loses_no_other(road, cluster, many):
    failed = (500, {"type": "null_pointer_exception", "reason": "Cannot invoke"})
    cluster.fate = lambda _, source: failed if source["attributes"]["mlvitals"]["feature"]["name"] == "f2" else None
    one = road(cluster)
    report = one.send(logs=[many(4)])
    assert (report.delivered, report.dead) == (3, 1)
    assert features(cluster) == ["f0", "f1", "f3"]
    [letter] = one.letters()
    assert b'"f2"' in unpack(letter.request.body)


def test_a_request_that_is_too_large_is_halved(road, cluster, many, answered):
    too_large = {"error": {"type": "content_too_large", "reason": "entity too large"}, "status": 413}
    cluster.will(answered(status=413, body=json.dumps(too_large).encode()))
    report = road(cluster).send(logs=[many(4)])
    assert (report.delivered, report.complete) == (4, True)
    assert [len(several) for several in sent_features(cluster)] == [2, 2]


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        ({"status": 429, "headers": {"Content-Type": "text/plain", "Retry-After": "7"}}, 7.0),
        ({"status": 503}, 1.0),
        ({"status": 502, "body": b"<html>"}, 1.0),
        ({"status": 504}, 1.0),
        ({"status": 408}, 1.0),
    ],
)
def test_a_whole_request_that_is_turned_away_is_sent_again_as_it_was(road, cluster, many, answered, *, answer, wait):
    cluster.will(answered(**answer))
    one = road(cluster)
    assert one.send(logs=[many(2)]).complete
    assert one.waits == [wait]


def test_an_answer_that_never_came_is_safe_to_send_again(road, cluster, many, answered):
    cluster.will(answered(drop=True), answered(drop=True, taken=True), answered(drop=True, delay=1.5, taken=True))
    one = road(cluster, timeout="1s")
    report = one.send(logs=[many(2)])
    assert one.waits == [1.0, 2.0, 4.0]
    assert len(set(cluster.bulks)) == 1
    assert (report.delivered, report.complete) == (2, True)
    assert features(cluster) == ["f0", "f1"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            {"body": b"<html>Sign in</html>", "headers": {"Content-Type": "text/html"}},
            "is this the address of OpenSearch",
        ),
        ({"body": b"{}"}, "no answer to _bulk"),
        ({"body": b'{"errors":false,"items":[]}'}, "other documents than were sent"),
        ({"body": b'{"items":[{"index":{"_id":"x","status":201}}]}'}, "other documents than were sent"),
        ({"body": b"{"}, "no answer to _bulk"),
        ({"body": b'{"items":[{"index":{"status":400,"error":"\xff"}}]}'}, "no answer to _bulk"),
        (
            {"body": b'{"items":[{"index":{"status":400,"error":' + b"[" * 100_000 + b"]" * 100_000 + b"}}]}"},
            "no answer to _bulk",
        ),
        ({"status": 400, "body": b"[" * 100_000}, "HTTP 400"),
        ({"status": 204, "body": b"", "headers": {}}, "with nothing"),
        ({"status": 301, "headers": {"Location": "/"}}, "a redirect"),
        ({"status": 401, "body": b"Unauthorized"}, "HTTP 401"),
        ({"status": 403, "body": b'{"message":"not authorized"}'}, "not authorized"),
        ({"status": 404}, "HTTP 404"),
        ({"status": 400, "body": b"<html>plain HTTP was sent to HTTPS</html>"}, "HTTP 400"),
        (
            {"headers": {"Content-Type": "application/json", "X-Elastic-Product": "Elasticsearch"}},
            "engine: elasticsearch",
        ),
    ],
)
def test_what_is_no_word_of_the_engine_holds_the_queue_and_loses_nothing(
    road, cluster, many, answered, *, answer, said
):
    cluster.will(answered(**answer))
    one = road(cluster)
    report = one.send(logs=[many(1)])
    assert (report.delivered, report.held, report.dead, report.rejected) == (0, True, 0, 0)
    assert said in report.trouble
    assert one.drain().complete


def test_an_answer_longer_than_what_is_read_of_it_halves_the_request(road, cluster, many, answered):
    cluster.will(answered(body=b'{"items":[' + b" " * 1_100_000))
    report = road(cluster).send(logs=[many(2)])
    assert (report.delivered, report.dead, report.complete) == (2, 0, True)


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_the_bytes_in_the_outbox_are_what_the_engine_reads_compressed_on_the_way_or_not(
    road, cluster, many, compression
):
    one = road(cluster, compression=compression)
    [request] = one.sink.encode([], [many(2)])
    one.send(logs=[many(2)])
    assert cluster.bulks == [unpack(request.body)]
    assert cluster.headers[-1].get("content-encoding", "none") == compression
    assert cluster.headers[-1]["content-type"] == "application/x-ndjson"
    assert cluster.headers[-1]["user-agent"].startswith("mlvitals/")


def test_the_next_host_is_asked_where_one_does_not_answer_and_kept_while_it_does(road, cluster, many):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        one = road(cluster, hosts=(dead, cluster.url))
        assert one.send(logs=[many(1)]).complete
        assert one.waits == []


def test_a_host_that_cannot_do_its_work_is_followed_by_the_next(road, cluster, start, many, answered):
    other = start(stored=cluster.stored, documents=cluster.documents)  # of the same cluster
    other.will(answered(status=503, body=b"no master"))
    one = road(cluster, hosts=(other.url, cluster.url))
    assert one.send(logs=[many(1)]).complete
    assert (len(other.bulks), len(cluster.bulks)) == (0, 1)


def test_a_host_that_cannot_tell_of_its_templates_is_followed_by_the_next(road, cluster, start, many):
    other = start(stored=cluster.stored, documents=cluster.documents)
    other.denied["GET "] = (503, {"error": {"type": "cluster_manager_not_discovered_exception", "reason": None}})
    one = road(cluster, hosts=(other.url, cluster.url))
    assert one.send(logs=[many(1)]).complete
    assert (len(other.bulks), len(cluster.bulks)) == (0, 1)


def test_where_no_host_answers_each_is_told(road, cluster, many):
    report = road(cluster, hosts=("http://127.0.0.1:9", "http://127.0.0.1:11")).send(logs=[many(1)])
    assert report.waiting == 1
    assert "http://127.0.0.1:9: no connection" in report.trouble
    assert "http://127.0.0.1:11: no connection" in report.trouble


def test_a_cluster_without_lifecycle_plugin_is_told_once_and_is_no_error(road, start, many):
    one = road(start(lifecycle=False), lifecycle=LifecycleConfig())
    report = one.send(logs=[many(1)])
    assert report.complete
    assert report.warnings == ["no lifecycle: the cluster has no lifecycle policy (ISM), nothing is ever deleted"]
    assert one.send(logs=[many(2)]).warnings == []


def test_elasticsearch_gets_its_own_names_policies_and_content(road, elastic, many, change):
    report = road(elastic, lifecycle=LifecycleConfig()).send(logs=[many(1), change])
    assert report.complete
    assert sorted(elastic.documents) == ["logs-mlvitals.signals-default", "mlvitals-metrics-default-2026.11"]
    assert elastic.streams == {"logs-mlvitals.signals-default"}
    assert "_ilm/policy/mlvitals-ecs-metrics-default" in elastic.stored


@pytest.mark.parametrize(("name", "said"), [("cluster", "without the header"), ("elastic", "write `engine: elast")])
def test_a_wrong_engine_holds_the_queue_before_anything_is_written(road, request, many, name, said):
    told = request.getfixturevalue(name)
    other = "elasticsearch" if name == "cluster" else "opensearch"
    report = road(told, engine=type(told.engine)(other)).send(logs=[many(1)])
    assert report.held
    assert said in report.trouble
    assert told.documents == {}


def test_names_of_documents_stay_within_what_the_engines_take(road, cluster, closed, measurement):
    long = measurement(model="m" * 5_000, attributes={"feature": "größe" * 1_000})
    assert road(cluster).send(logs=[closed(long)]).complete


def test_thousands_of_documents_arrive_once_each(road, cluster, many):
    one = road(cluster)
    requests = one.sink.encode([], [many(2_500)])
    assert max(request.items for request in requests) <= 1_000
    assert max(len(unpack(request.body)) for request in requests) <= 5_000_000
    outcomes = [one.sink.send(request).verdict for request in requests]
    assert set(outcomes) == {Verdict.OK}
    assert len(features(cluster)) == 2_500
