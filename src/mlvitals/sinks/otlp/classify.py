"""What an answer to an OTLP request means: the protocol's rules, and a decision where they leave one open.

Kept: 200 with an Export*ServiceResponse is the only success, a partial one is never sent again, and only 429, 502, 503
and 504 are waited for ("OTLP/HTTP Response" and "Retryable Response Codes").

Decided here:

- An empty body with 200 is the encoding of the empty response; Prometheus answers so, naming no type.
- Another 2xx counts only if its body speaks the protocol. 204 says nothing, and many servers say it to anything: held.
- A status that no other body would change (a redirect, a refused key, a wrong path or method, a type or a version that
  the server does not speak) is misconfigured: the data is good, so that it waits for a person.
- JSON that holds a partial success, or nothing, is the response; other JSON is said by whoever it may be.
- A 4xx in a stranger's words is no verdict on this body either: a port for TLS answers 400 to plain HTTP. But for 413,
  which is how a proxy asks for less.
- Any other 4xx is about this body: poison. Halves of it may well pass, also after 408 and 413.
- 500 and unknown 5xx may be a server that fails on one body, or that fails. The protocol forbids to send the same
  again, so that they are poison, which sends halves; but a doubtful one: an outage holds the queue after a few items,
  instead of emptying it into the dead letters.
"""

from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceResponse,
)

from mlvitals.delivery import Outcome, Verdict
from mlvitals.sinks.answers import (
    NEEDS_A_PERSON,
    NEEDS_ANOTHER_SERVER,
    is_strangers,
    media_type,
    one_line,
    read_json,
    retry_after,
)
from mlvitals.sinks.otlp.encode import METRICS
from mlvitals.transport.http import Answer

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"

_PARTIAL_SUCCESS: Final = ("partialSuccess", "partial_success")  # protobuf's JSON may spell it either way

_NOT_FOUND: Final = 404
_RETRY: Final = frozenset({429, 502, 503, 504})
_MISCONFIGURED: Final = NEEDS_A_PERSON | NEEDS_ANOTHER_SERVER


def classify(answer: Answer, route: str, now: int) -> Outcome:
    """Return what an answer means for a request to `route`; `now` in microseconds since the epoch."""
    status = answer.status
    if 200 <= status < 300:
        return _success(answer, route)
    reason = _reason(answer)
    if status in _RETRY:
        return Outcome(verdict=Verdict.RETRY, reason=reason, retry_after=retry_after(answer, now))
    if status < 400:
        return Outcome(verdict=Verdict.MISCONFIGURED, reason=f"{reason}, a redirect, which would lose the request")
    if status == _NOT_FOUND:
        hint = f"is this the address of an OTLP receiver of {route}? What it does not take is left out by `signals`"
        return Outcome(verdict=Verdict.MISCONFIGURED, reason=f"{reason}: {hint}")
    if status in _MISCONFIGURED or (status < 500 and status != 413 and is_strangers(answer)):
        return Outcome(verdict=Verdict.MISCONFIGURED, reason=reason)
    return Outcome(verdict=Verdict.POISON, reason=reason, doubtful=status >= 500)


def _success(answer: Answer, route: str) -> Outcome:
    response = _response(answer, route)
    if response is None:
        said = media_type(answer) or "nothing"
        reason = f"HTTP {answer.status} with {said}, not an OTLP response: is this the address of an OTLP receiver?"
        return Outcome(verdict=Verdict.MISCONFIGURED, reason=reason)
    return settled(response, route)


def settled(response: Any, route: str) -> Outcome:
    """Return what the protocol's own response means, which may tell of a partial success."""
    partial = response.partial_success
    rejected = partial.rejected_data_points if route == METRICS else partial.rejected_log_records
    message = one_line(partial.error_message)
    if rejected > 0:
        return Outcome(verdict=Verdict.REJECTED, rejected=rejected, reason=message or "refused without a reason")
    return Outcome(verdict=Verdict.OK, reason=message)


def success_message(route: str) -> Any:
    """Return the protocol's response to requests of a route, empty."""
    return ExportMetricsServiceResponse() if route == METRICS else ExportLogsServiceResponse()


def _response(answer: Answer, route: str) -> Any:
    """Return the protocol's response, or None where the answer is something else."""
    response = success_message(route)
    kind = media_type(answer)
    try:
        if kind == PROTOBUF:
            response.ParseFromString(answer.body)
            return response
        if kind == JSON:
            told = read_json(answer)
            return json_format.ParseDict(told, response, ignore_unknown_fields=True) if _is_response(told) else None
    except (DecodeError, json_format.ParseError):
        return None
    return response if answer.status == 200 and not answer.body and not kind else None


def _is_response(told: Any) -> bool:
    """Tell whether JSON is the protocol's response: fields that we do not know may stand beside the one we do."""
    if not isinstance(told, dict):
        return False
    partial = [told[name] for name in _PARTIAL_SUCCESS if name in told]
    return all(one is None or isinstance(one, dict) for one in partial) and (bool(partial) or not told)


def _reason(answer: Answer) -> str:
    said = one_line(_message(answer))
    return f"HTTP {answer.status}: {said}" if said else f"HTTP {answer.status}"


def _message(answer: Answer) -> str:
    """Return the message of a google.rpc.Status, or a text as it is."""
    kind = media_type(answer)
    if kind == PROTOBUF:
        # A status {code = 1, message = 2} reads as the partial success {rejected = 1, error_message = 2}.
        try:
            return str(ExportMetricsPartialSuccess.FromString(answer.body).error_message)
        except DecodeError:
            return ""
    text = answer.body.decode("utf-8", "replace")
    if kind == JSON:
        told = read_json(answer)
        return str(told["message"]) if isinstance(told, dict) and "message" in told else text
    return text if kind in {"text/plain", ""} else ""
