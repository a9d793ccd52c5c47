import gzip

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsPartialSuccess, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceResponse,
)

from mlvitals.delivery import Outcome, Verdict
from mlvitals.sinks.otlp.classify import classify
from mlvitals.transport.http import Answer

OK, REJECTED, RETRY, HELD, POISON = Verdict
NOW = 1_700_000_000_000_000  # 2023-11-14T22:13:20Z
PROTOBUF = "application/x-protobuf"


def answer(status, body=b"", content_type=PROTOBUF, **headers):
    typed = {"content-type": content_type} if content_type else {}
    return Answer(
        status=status, headers=typed | {key.replace("_", "-"): text for key, text in headers.items()}, body=body
    )


def metrics(rejected=0, message=""):
    partial = ExportMetricsPartialSuccess(rejected_data_points=rejected, error_message=message)
    return ExportMetricsServiceResponse(partial_success=partial).SerializeToString()


def logs(rejected=0, message=""):
    partial = ExportLogsPartialSuccess(rejected_log_records=rejected, error_message=message)
    return ExportLogsServiceResponse(partial_success=partial).SerializeToString()


@pytest.mark.parametrize(
    ("given", "route", "verdict", "rejected", "reason"),
    [
        (answer(200), "metrics", OK, 0, ""),
        (answer(200), "logs", OK, 0, ""),
        (answer(200, metrics()), "metrics", OK, 0, ""),
        (answer(200, content_type=f"{PROTOBUF}; charset=utf-8"), "logs", OK, 0, ""),
        (answer(200, content_type="Application/X-Protobuf"), "logs", OK, 0, ""),
        (answer(200, content_type=None), "metrics", OK, 0, ""),
        (answer(202, metrics()), "metrics", OK, 0, ""),
        (answer(200, b"{}", "application/json"), "metrics", OK, 0, ""),
        (answer(200, b'{"partialSuccess":null}', "application/json"), "metrics", OK, 0, ""),
        (answer(200, b'{"partial_success":{},"new":1}', "application/json"), "metrics", OK, 0, ""),
        (answer(200, metrics(0, "be slower")), "metrics", OK, 0, "be slower"),
        (answer(200, metrics(3, "too old")), "metrics", REJECTED, 3, "too old"),
        (answer(200, logs(3, "too long")), "logs", REJECTED, 3, "too long"),
        (answer(200, logs(1)), "logs", REJECTED, 1, "refused without a reason"),
        (
            answer(200, b'{"partialSuccess":{"rejectedDataPoints":"2","errorMessage":"x"}}', "application/json"),
            "metrics",
            REJECTED,
            2,
            "x",
        ),
    ],
)
def test_a_success_is_what_the_body_says(given, route, verdict, rejected, reason):
    assert classify(given, route, NOW) == Outcome(verdict=verdict, rejected=rejected, reason=reason)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (answer(200, b"<html>Sign in</html>", "text/html"), "text/html"),
        (answer(200, b"OK", "text/plain"), "text/plain"),
        (answer(200, b"OK", None), "nothing"),
        (answer(200, b"", "text/html"), "text/html"),
        (answer(200, b"\xff\xff\xff", PROTOBUF), PROTOBUF),
        (answer(200, b"<html>", PROTOBUF), PROTOBUF),
        (answer(200, gzip.compress(metrics(1))), PROTOBUF),
        (answer(200, b"{", "application/json"), "application/json"),
        (answer(200, b"[]", "application/json"), "application/json"),
        (answer(200, b"\xff", "application/json"), "application/json"),
        (answer(200, b'{"error":"no such route"}', "application/json"), "application/json"),
        (answer(200, b'{"partialSuccess":"none"}', "application/json"), "application/json"),
        (answer(200, b'{"partialSuccess":[]}', "application/json"), "application/json"),
        (answer(200, b"[" * 100_000, "application/json"), "application/json"),
        (answer(204, content_type=None), "nothing"),
        (answer(202, content_type=None), "nothing"),
    ],
)
def test_a_success_in_words_that_are_not_the_protocols_holds_the_queue(given, said):
    reason = f"HTTP {given.status} with {said}, not an OTLP response: is this the address of an OTLP receiver?"
    assert classify(given, "metrics", NOW) == Outcome(verdict=HELD, reason=reason)


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
def test_a_redirect_holds_the_queue(status):
    outcome = classify(answer(status, location="/elsewhere"), "metrics", NOW)
    assert outcome == Outcome(verdict=HELD, reason=f"HTTP {status}, a redirect, which would lose the request")


@pytest.mark.parametrize("status", [401, 402, 403, 405, 406, 407, 410, 411, 415, 421, 426, 451, 501, 505, 511])
def test_what_no_other_body_would_change_holds_the_queue(status):
    assert classify(answer(status), "metrics", NOW) == Outcome(verdict=HELD, reason=f"HTTP {status}")


def test_an_address_that_is_not_there_is_told_with_what_it_was_asked_to_take():
    outcome = classify(answer(404, b"404 page not found\n", "text/plain"), "logs", NOW)
    assert outcome.verdict is HELD
    assert outcome.reason.startswith("HTTP 404: 404 page not found: is this the address of an OTLP receiver of logs?")


# As Go's server and nginx answer plain HTTP where TLS is spoken, and as a proxy answers for somebody else.
@pytest.mark.parametrize(
    "given",
    [
        answer(400, b"Client sent an HTTP request to an HTTPS server.\n", None),
        answer(400, b"<html>The plain HTTP request was sent to HTTPS port</html>", "text/html"),
        answer(409, b"<html>blocked</html>", "text/html; charset=utf-8"),
    ],
)
def test_a_strangers_refusal_holds_the_queue(given):
    assert classify(given, "metrics", NOW).verdict is HELD


def test_a_proxy_that_asks_for_less_in_its_own_words_gets_less():
    outcome = classify(answer(413, b"<html>Request Entity Too Large</html>", "text/html"), "metrics", NOW)
    assert outcome == Outcome(verdict=POISON, reason="HTTP 413")


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_the_protocol_calls_retryable_is_sent_again(status):
    assert classify(answer(status), "metrics", NOW) == Outcome(verdict=RETRY, reason=f"HTTP {status}")


@pytest.mark.parametrize(
    ("status", "doubtful"), [(400, False), (408, False), (413, False), (422, False), (500, True), (599, True)]
)
def test_any_other_refusal_is_about_this_body(status, doubtful):
    assert classify(answer(status), "metrics", NOW) == Outcome(
        verdict=POISON, reason=f"HTTP {status}", doubtful=doubtful
    )


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("0", 0.0),
        ("60", 60.0),
        (" 120 ", 120.0),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
        ("Tue, 14 Nov 2023 22:12:20 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("Tue, 99 Nov 2023 22:14:20 GMT", None),
        ("", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(asked, seconds):
    assert classify(answer(503, retry_after=asked), "metrics", NOW).retry_after == seconds


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (answer(400, b"out of order sample", "text/plain"), "HTTP 400: out of order sample"),
        (answer(400, b" two\r\nlines\x00 ", "text/plain; charset=utf-8"), "HTTP 400: two lines"),
        (answer(400, metrics_status := b"\x08\x03\x12\x08bad data", PROTOBUF), "HTTP 400: bad data"),
        (answer(503, metrics_status, PROTOBUF), "HTTP 503: bad data"),
        (answer(400, b'{"code":3,"message":"bad data"}', "application/json"), "HTTP 400: bad data"),
        (answer(400, b'{"error":"bad data"}', "application/json"), 'HTTP 400: {"error":"bad data"}'),
        (answer(400, b"{", "application/json"), "HTTP 400: {"),
        (answer(400, b"[" * 100_000, "application/json"), "HTTP 400: " + "[" * 100_000),
        (answer(400, b"Client sent an HTTP request", None), "HTTP 400: Client sent an HTTP request"),
        (answer(400, b"<html>", "text/html"), "HTTP 400"),
        (answer(400, b"\xff\xff", PROTOBUF), "HTTP 400"),
    ],
)
def test_a_reason_is_what_the_server_says_in_one_line(given, reason):
    assert classify(given, "metrics", NOW).reason == reason
