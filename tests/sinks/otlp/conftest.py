"""The way from points to a receiver over the real outbox, and a receiver that speaks gRPC by a script."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from mlvitals.clock import MINUTE, SECOND, FixedClock
from mlvitals.delivery import Outbox, Sender, dead_letters, queue_statuses
from mlvitals.sinks import OtlpSink

NOW = 1_700_000_000 * SECOND
MESSAGES: dict[str, Any] = {
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export": ExportMetricsServiceRequest,
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export": ExportLogsServiceRequest,
}


class Road:
    """From points to a server over the outbox; waiting moves the clock."""

    def __init__(self, context, url, **config):
        self.clock = FixedClock(NOW)
        self.waits: list[float] = []
        self.store = context.store
        self.sink = OtlpSink(endpoint=url, **({"timeout": "2s"} | config)).open(context)
        self.outbox = Outbox(context.store)
        self.sender = Sender(outbox=self.outbox, sink=self.sink, clock=self.clock, wait=self.wait, jitter=lambda: 1.0)

    def wait(self, seconds):
        self.waits.append(seconds)
        self.clock.moment += round(seconds * SECOND)

    def send(self, points, logs=()):
        self.outbox.enqueue("otlp", self.sink.encode(points, logs), self.clock.now())
        return self.drain()

    def drain(self, time=MINUTE):
        return self.sender.drain(self.clock.now() + time)

    def totals(self):
        (status,) = queue_statuses(self.store)
        return {fate.value: items for fate, items in status.totals.items() if items}

    def letters(self):
        return list(dead_letters(self.store, "otlp"))


@pytest.fixture
def road(context):
    roads = []

    def road(url, **config):
        roads.append(Road(context, url, **config))
        return roads[-1]

    yield road
    for one in roads:
        one.sink.close()


@dataclass(frozen=True)
class Ending:
    """How a call ends: with bytes, or with a status of a name, its message and its details."""

    code: str = "OK"
    message: str = ""
    details: bytes = b""
    body: bytes = b""


@dataclass
class GrpcServer(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpcio ships no types
    """A strict receiver. What a call does wrong is a fault, and no test may leave one."""

    target: str = ""
    script: list[Ending] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    metadata: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    messages: list[Any] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    answer: Any = None  # a function of the decoded message, where the script is empty

    def will(self, *endings):
        self.script += endings

    def values(self):
        """Return the values of each metrics request."""
        return [
            [point.as_double for metric in scope.metrics for point in metric.gauge.data_points]
            for message in self.messages
            if isinstance(message, ExportMetricsServiceRequest)
            for outer in message.resource_metrics
            for scope in outer.scope_metrics
        ]

    def service(self, handler_call_details):
        method = handler_call_details.method
        if method not in MESSAGES:
            self.faults.append(f"method {method}")
            return None
        self.methods.append(method)
        self.metadata.append(dict(handler_call_details.invocation_metadata))
        return grpc.unary_unary_rpc_method_handler(self.take, MESSAGES[method].FromString)

    def take(self, message, context):
        self.messages.append(message)
        self.bodies.append(message.SerializeToString(deterministic=True))
        ending = self.script.pop(0) if self.script else self.answer(message) if self.answer else Ending()
        if ending.code == "OK":
            return ending.body
        if ending.details:
            context.set_trailing_metadata((("grpc-status-details-bin", ending.details),))
        return context.abort(grpc.StatusCode[ending.code], ending.message)


@pytest.fixture
def grpc_server():
    told = GrpcServer()
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((told,))
    told.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield told
    server.stop(None).wait()
    assert told.faults == []


@pytest.fixture(scope="session")
def ending():
    return Ending


@pytest.fixture(scope="session")
def details():
    """Return a maker of a status's details that ask for so many seconds, beside another detail."""

    def make(seconds, nanos=0, code=14):
        status = Status(code=code)
        status.details.add().Pack(ErrorInfo(reason="busy"))
        status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=seconds, nanos=nanos)))
        return status.SerializeToString()

    return make
