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

from mlvitals.clock import SECOND
from mlvitals.sinks import OtlpSink
from tests.sinks.road import Road

NOW = 1_700_000_000 * SECOND
MESSAGES: dict[str, Any] = {
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export": ExportMetricsServiceRequest,
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export": ExportLogsServiceRequest,
}


@pytest.fixture
def road(context):
    roads = []

    def road(url, **config):
        roads.append(Road(context, OtlpSink(endpoint=url, **({"timeout": "2s"} | config)), NOW))
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
