import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsPartialSuccess, ExportLogsServiceResponse

from mlvitals.delivery import Outcome, Verdict
from mlvitals.sinks.otlp.classify_grpc import classify_call
from mlvitals.transport.grpc import GrpcAnswer

OK, REJECTED, RETRY, HELD, POISON = Verdict


@pytest.mark.parametrize("route", ["metrics", "logs"])
def test_an_empty_response_is_a_success(route):
    assert classify_call(GrpcAnswer(code="OK"), route) == Outcome(verdict=OK)


def test_a_partial_success_counts_what_was_refused():
    partial = ExportLogsPartialSuccess(rejected_log_records=2, error_message="too\nlong")
    body = ExportLogsServiceResponse(partial_success=partial).SerializeToString()
    outcome = classify_call(GrpcAnswer(code="OK", body=body), "logs")
    assert outcome == Outcome(verdict=REJECTED, rejected=2, reason="too long")


def test_a_success_in_words_that_are_not_the_protocols_holds_the_queue():
    outcome = classify_call(GrpcAnswer(code="OK", body=b"\xff\xff"), "metrics")
    assert (outcome.verdict, outcome.reason.startswith("gRPC OK with what is no OTLP response")) == (HELD, True)


@pytest.mark.parametrize(
    "code", ["CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"]
)
def test_what_the_protocol_calls_retryable_is_sent_again(code, details):
    assert classify_call(GrpcAnswer(code=code), "metrics") == Outcome(verdict=RETRY, reason=f"gRPC {code}")
    asked = classify_call(GrpcAnswer(code=code, details=details(600, 500_000_000)), "metrics")
    assert (asked.verdict, asked.retry_after) == (RETRY, 600.5)


def test_exhausted_resources_are_waited_for_only_if_the_server_says_how_long(details):
    asked = classify_call(GrpcAnswer(code="RESOURCE_EXHAUSTED", details=details(0)), "metrics")
    assert (asked.verdict, asked.retry_after) == (RETRY, 0.0)
    too_large = classify_call(GrpcAnswer(code="RESOURCE_EXHAUSTED", message="larger than max"), "metrics")
    assert too_large == Outcome(verdict=POISON, doubtful=True, reason="gRPC RESOURCE_EXHAUSTED: larger than max")


@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED"])
def test_what_no_other_body_would_change_holds_the_queue(code):
    assert classify_call(GrpcAnswer(code=code), "metrics") == Outcome(verdict=HELD, reason=f"gRPC {code}")


@pytest.mark.parametrize(
    ("code", "doubtful"),
    [
        ("INVALID_ARGUMENT", False),
        ("UNKNOWN", True),
        ("INTERNAL", True),
        ("FAILED_PRECONDITION", True),
        ("NOT_FOUND", True),
        ("ALREADY_EXISTS", True),
    ],
)
def test_any_other_end_is_about_this_body_or_the_servers_own_fault(code, doubtful, details):
    answer = GrpcAnswer(code=code, message="bad\x00 data", details=details(5))
    assert classify_call(answer, "metrics") == Outcome(
        verdict=POISON, reason=f"gRPC {code}: bad data", doubtful=doubtful
    )


@pytest.mark.parametrize("given", [b"", b"\xff\xff", b"\x1a\x03abc"])
def test_details_that_ask_for_nothing_are_no_wish(given):
    assert classify_call(GrpcAnswer(code="UNAVAILABLE", details=given), "metrics").retry_after is None


def test_a_wish_for_the_past_is_one_for_now(details):
    assert classify_call(GrpcAnswer(code="UNAVAILABLE", details=details(-5)), "metrics").retry_after == 0.0
