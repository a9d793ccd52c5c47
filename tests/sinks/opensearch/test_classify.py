"""Whatever is said of a request's items, each has one fate, with its own bytes."""

import json

from hypothesis import given
from hypothesis import strategies as st

from mlvitals.delivery import Outcome, Verdict
from mlvitals.sinks.opensearch.choices import Engine
from mlvitals.sinks.opensearch.classify import classify
from mlvitals.sinks.opensearch.documents import Document
from mlvitals.sinks.opensearch.requests import bundle, identities
from mlvitals.sinks.packing import unpack
from mlvitals.transport.http import Answer

TAKEN, WAITS, FAILED, HELD, REFUSED = (
    {200, 201, 409},
    {429, 502, 503, 504, 408},
    {500, 507},
    {401, 403, 404, 301},
    {400, 413, 422},
)
STATUSES = st.lists(st.sampled_from(sorted(TAKEN | WAITS | FAILED | HELD | REFUSED)), min_size=1, max_size=12)


def settled(statuses, status=200, content_type="application/json"):
    documents = [
        Document(f'{{"index":{{"_id":"{number}"}}}}'.encode(), b'{"@timestamp":"2026-11-01T00:00:00Z"}', 0)
        for number in range(len(statuses))
    ]
    [request] = bundle("metrics", documents)
    items = [
        {"index": {"_id": str(number), "status": one} | ({} if one < 300 else {"error": {"type": "any"}})}
        for number, one in enumerate(statuses)
    ]
    body = json.dumps({"errors": True, "items": items}).encode()
    said = Answer(status=status, headers={"content-type": content_type}, body=body)
    return request, classify(said, request, Engine.OPENSEARCH, 0)


def ids(request):
    return identities(request) if request is not None else []


@given(STATUSES)
def test_every_item_is_taken_waits_or_is_refused_and_keeps_its_bytes(statuses):
    request, outcome = settled(statuses)
    of = [(str(number), status) for number, status in enumerate(statuses)]
    if set(statuses) <= FAILED:
        assert (outcome.verdict, outcome.doubtful) == (Verdict.POISON, True)
        assert outcome.remains is outcome.refused is None
        return
    assert ids(outcome.refused) == [one for one, status in of if status in REFUSED]
    assert ids(outcome.remains) == [one for one, status in of if status in WAITS | FAILED | HELD]
    for part in (outcome.refused, outcome.remains):
        for line in unpack(part.body).split(b"\n") if part is not None else []:
            assert line in unpack(request.body)


@given(STATUSES)
def test_the_verdict_is_that_of_the_item_that_asks_most(statuses):
    _, outcome = settled(statuses)
    found = set(statuses)
    if found & HELD:
        wanted = Verdict.MISCONFIGURED
    elif found <= FAILED:
        wanted = Verdict.POISON
    elif found & (WAITS | FAILED):
        wanted = Verdict.RETRY
    else:
        wanted = Verdict.REJECTED if found & REFUSED else Verdict.OK
    assert outcome.verdict is wanted
    assert (outcome.reason == "") == (wanted is Verdict.OK)


def test_nothing_but_success_is_said_of_what_is_taken_or_was_there_already():
    assert settled([200, 201, 409])[1] == Outcome(verdict=Verdict.OK)


def test_a_reason_tells_how_many_and_why_the_first_of_each_fate():
    _, outcome = settled([429, 400, 403, 400, 500, 201])
    assert outcome.reason == (
        "1 of 6 held: 403 any; 2 of 6 refused: 400 any; 1 of 6 failed: 500 any; 1 of 6 must wait: 429 any"
    )


def test_words_of_success_count_only_with_a_status_and_a_type_that_say_so():
    for status, content_type in ((302, "application/json"), (200, ""), (200, "text/html")):
        assert settled([200], status, content_type)[1].verdict is Verdict.MISCONFIGURED
