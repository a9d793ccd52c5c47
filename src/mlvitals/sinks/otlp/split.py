"""Divide a request in two, by its own bytes, so that the item that nobody takes can be found."""

from typing import Any, Final

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from mlvitals.delivery import Request
from mlvitals.sinks.otlp.encode import METRICS
from mlvitals.sinks.packing import compression_of, pack, unpack

_NANOSECONDS: Final = 1_000


def split(request: Request) -> list[Request]:
    """Return the two halves of a request, or nothing where it holds one item.

    Raises:
        ValueError: the request's body is not one of ours.

    """
    if request.items < 2:
        return []
    middle = request.items // 2
    content = unpack(request.body)
    return [_part(request, content, part) for part in (range(middle), range(middle, request.items))]


def _part(request: Request, content: bytes, kept: range) -> Request:
    message = ExportMetricsServiceRequest() if request.route == METRICS else ExportLogsServiceRequest()
    try:
        message.ParseFromString(content)
    except DecodeError as error:
        raise ValueError(f"not a body of {type(message).__name__}") from error
    times: list[int] = []
    position = 0
    for items in _lists(message, request.route):
        count = len(items)
        low, high = (min(max(bound - position, 0), count) for bound in (kept.start, kept.stop))
        del items[high:]
        del items[:low]
        position += count
        times += [item.time_unix_nano // _NANOSECONDS for item in items]
    if position != request.items:
        raise ValueError(f"a body of {position} items says that it holds {request.items}")
    if request.route == METRICS:
        _drop_empty(message)
    return Request(
        route=request.route,
        body=pack(message.SerializeToString(deterministic=True), compression_of(request.body)),
        items=len(times),
        first=min(times),
        last=max(times),
    )


def _lists(message: Any, route: str) -> list[Any]:
    if route == METRICS:
        scopes = (scope for outer in message.resource_metrics for scope in outer.scope_metrics)
        return [_points(metric) for scope in scopes for metric in scope.metrics]
    return [scope.log_records for outer in message.resource_logs for scope in outer.scope_logs]


def _points(metric: Any) -> Any:
    return getattr(metric, metric.WhichOneof("data")).data_points


def _drop_empty(message: Message) -> None:
    for outer in message.resource_metrics:
        for scope in outer.scope_metrics:
            kept = [metric for metric in scope.metrics if _points(metric)]
            del scope.metrics[:]
            scope.metrics.extend(kept)
