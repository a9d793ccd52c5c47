"""What the end of a gRPC call means: the protocol's rules ("OTLP/gRPC Response"), and a decision where they leave one.

Kept: OK with an Export*ServiceResponse is the only success, a partial one is never sent again; CANCELLED,
DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE and DATA_LOSS are waited for, as long as a RetryInfo asks for;
RESOURCE_EXHAUSTED only with a RetryInfo, for it then is an overload. Read from the standard `grpc-status-details-bin`.

Decided here:

- RESOURCE_EXHAUSTED without one is how a size limit answers too: poison, which sends halves; but a doubtful one.
- UNAUTHENTICATED, PERMISSION_DENIED and UNIMPLEMENTED (a wrong address, or a proxy's 401, 403 and 404) no other body
  would change: held.
- INVALID_ARGUMENT is about this body: poison.
- Any other status may be a server that fails on one body, or that fails: poison, but a doubtful one.
"""

from typing import Any, Final

from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from mlvitals.delivery import Outcome, Verdict
from mlvitals.sinks.answers import one_line
from mlvitals.sinks.otlp.classify import settled, success_message
from mlvitals.transport.grpc import GrpcAnswer

_RETRY: Final = frozenset({"CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"})
_MISCONFIGURED: Final = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED"})
_EXHAUSTED: Final = "RESOURCE_EXHAUSTED"
_INVALID: Final = "INVALID_ARGUMENT"


def classify_call(answer: GrpcAnswer, route: str) -> Outcome:
    """Return what the end of a call means for a request to `route`."""
    if answer.code == "OK":
        return _success(answer, route)
    said = one_line(answer.message)
    reason = f"gRPC {answer.code}: {said}" if said else f"gRPC {answer.code}"
    pause = _retry_after(answer.details)
    if answer.code in _RETRY or (answer.code == _EXHAUSTED and pause is not None):
        return Outcome(verdict=Verdict.RETRY, reason=reason, retry_after=pause)
    if answer.code in _MISCONFIGURED:
        return Outcome(verdict=Verdict.MISCONFIGURED, reason=reason)
    return Outcome(verdict=Verdict.POISON, reason=reason, doubtful=answer.code != _INVALID)


def _success(answer: GrpcAnswer, route: str) -> Outcome:
    response: Any = success_message(route)
    try:
        response.ParseFromString(answer.body)
    except DecodeError:
        reason = "gRPC OK with what is no OTLP response: is this the address of an OTLP receiver?"
        return Outcome(verdict=Verdict.MISCONFIGURED, reason=reason)
    return settled(response, route)


def _retry_after(details: bytes) -> float | None:
    """Return the seconds that a RetryInfo among the status's details asks for."""
    try:
        status = Status.FromString(details)
        for one in status.details:
            info = RetryInfo()
            if one.Unpack(info):
                return max(float(info.retry_delay.seconds + info.retry_delay.nanos / 1e9), 0.0)
    except DecodeError:
        return None
    return None
