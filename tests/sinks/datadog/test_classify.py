"""What answers mean where Datadog's own client would lose data or call a loss a success."""

from email.utils import formatdate

import pytest

from mlvitals.clock import SECOND
from mlvitals.delivery import Verdict
from mlvitals.sinks.datadog.classify import classify, classify_probe
from mlvitals.transport.http import Answer

NOW = 1_795_000_000 * SECOND
EVENT = b'{"data":{"type":"event","attributes":{"attributes":{"evt":{"uid":"AZ"}}}}}'


def answer(status, body=b"", **headers):
    return Answer(status=status, headers={"content-type": "application/json", **headers}, body=body)


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("metrics", b'{"errors":[]}'),
        ("metrics", b'{"status":"ok"}'),
        ("logs", b"{}"),
        ("logs", b'{"errors":[]}'),
        ("events", EVENT),
    ],
)
def test_202_in_words_that_we_understand_is_ok(route, body):
    assert classify(answer(202, body), route, NOW).verdict is Verdict.OK


@pytest.mark.parametrize("route", ["metrics", "logs", "events"])
def test_202_with_errors_is_not_ok_and_is_halved_but_may_be_an_outage(route):
    outcome = classify(answer(202, b'{"errors":["invalid metric", "bad tag"]}'), route, NOW)
    assert (outcome.verdict, outcome.doubtful) == (Verdict.POISON, True)
    assert outcome.reason == "HTTP 202 with errors: invalid metric; bad tag"


@pytest.mark.parametrize(
    ("route", "status", "body"),
    [
        ("metrics", 202, b""),
        ("metrics", 202, b"<html>"),
        ("metrics", 202, b"[]"),
        ("metrics", 202, b"\xff"),
        ("metrics", 202, b"[" * 100_000),
        ("metrics", 202, b'{"errors":"none"}'),
        ("metrics", 202, b'{"status":"queued"}'),
        ("metrics", 202, b'{"took":1}'),
        ("metrics", 200, b'{"errors":[]}'),
        ("logs", 204, b""),
        ("events", 202, b"{}"),
        ("events", 202, b'{"data":[]}'),
        ("metrics", 301, b""),
        ("metrics", 307, b""),
        ("metrics", 401, b""),
        ("metrics", 403, b'{"errors":["Forbidden"]}'),
        ("metrics", 404, b""),
        ("metrics", 405, b""),
        ("metrics", 415, b""),
    ],
)
def test_what_is_not_datadog_s_or_needs_a_person_holds_the_queue(route, status, body):
    assert classify(answer(status, body), route, NOW).verdict is Verdict.MISCONFIGURED


@pytest.mark.parametrize("kind", ["text/html", ""])
def test_a_strangers_refusal_holds_the_queue_but_a_proxy_may_ask_for_less(kind):
    words = b"Client sent an HTTP request to an HTTPS server.\n"
    headers = {"content-type": kind}
    assert classify(answer(400, words, **headers), "metrics", NOW).verdict is Verdict.MISCONFIGURED
    assert classify(answer(413, words, **headers), "metrics", NOW).verdict is Verdict.POISON


@pytest.mark.parametrize("status", [200, 202, 400, 503])
def test_json_without_an_end_of_depth_is_an_answer_like_any_other(status):
    assert classify(answer(status, b"[" * 100_000), "metrics", NOW).verdict is not Verdict.OK


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_is_about_this_body_is_halved(status):
    outcome = classify(answer(status, b'{"errors":["too\\nlarge"]}'), "metrics", NOW)
    assert (outcome.verdict, outcome.doubtful, outcome.reason) == (
        Verdict.POISON,
        False,
        f"HTTP {status}: too large",
    )


def test_a_page_is_a_stranger_s_unless_it_says_that_the_request_is_too_large():
    page = {"content-type": "text/html"}
    assert classify(answer(400, b"<html>", **page), "metrics", NOW).verdict is Verdict.MISCONFIGURED
    assert classify(answer(413, b"<html>", **page), "metrics", NOW).verdict is Verdict.POISON
    assert classify(answer(400, b'{"error":{"status":400}}'), "logs", NOW).verdict is Verdict.MISCONFIGURED


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 599])
def test_what_passes_is_waited_for(status):
    outcome = classify(answer(status), "metrics", NOW)
    assert (outcome.verdict, outcome.retry_after) == (Verdict.RETRY, None)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-reset": "17"}, 17.0),
        ({"retry-after": "5"}, 5.0),
        ({"retry-after": formatdate(NOW / SECOND + 60, usegmt=True)}, 60.0),
        ({"retry-after": "5", "x-ratelimit-reset": "40"}, 40.0),
        ({"retry-after": "soon", "x-ratelimit-reset": "-1"}, None),
    ],
)
def test_both_headers_say_how_long(headers, seconds):
    for status in (408, 429, 503):
        assert classify(answer(status, **headers), "metrics", NOW).retry_after == seconds


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"errors":[{"title":"Bad Request","detail":"no message","status":"400"}]}', "Bad Request: no message"),
        (b'{"errors":["a", 7]}', "a; 7"),
        (b'{"errors":[]}', ""),
        (b"<html>", ""),
    ],
)
def test_each_intake_s_own_words_are_told(body, said):
    assert classify(answer(400, body), "logs", NOW).reason == (f"HTTP 400: {said}" if said else "HTTP 400")


@pytest.mark.parametrize(
    ("status", "body", "verdict", "said"),
    [
        (200, b'{"valid":true}', Verdict.OK, "datadoghq.eu takes the API key"),
        (200, b'{"valid":false}', Verdict.MISCONFIGURED, "is datadoghq.eu the address"),
        (200, b"<html>", Verdict.MISCONFIGURED, "is datadoghq.eu the address"),
        (
            403,
            b'{"errors":["Forbidden"]}',
            Verdict.MISCONFIGURED,
            "HTTP 403: Forbidden: datadoghq.eu refuses the API key",
        ),
        (404, b"", Verdict.MISCONFIGURED, "is datadoghq.eu the address"),
        (503, b"", Verdict.RETRY, "HTTP 503"),
    ],
)
def test_a_probe_says_whether_the_key_is_valid(status, body, verdict, said):
    outcome = classify_probe(answer(status, body), "datadoghq.eu", NOW)
    assert outcome.verdict is verdict
    assert said in outcome.reason
