import gzip
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from mlvitals.delivery import MIGRATIONS as DELIVERY
from mlvitals.signals.measurement import Measurement
from mlvitals.signals.spec import Export, Layer, MetricSpec, Orientation, Stage, Status
from mlvitals.sinks import SinkContext
from mlvitals.sinks.local import MIGRATIONS as LOCAL
from mlvitals.state import Store
from mlvitals.telemetry import MetricPoint, Service
from tests.intake.loopback import listening

MESSAGES: dict[str, Any] = {"/v1/metrics": ExportMetricsServiceRequest, "/v1/logs": ExportLogsServiceRequest}
START = 1_600_000_000_000_000
STAMP = START + 3_600_000_000


@dataclass(frozen=True)
class Scripted:
    """One answer: `drop` cuts the connection instead, `delay` sleeps before (seconds)."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/x-protobuf"})
    delay: float = 0.0
    drop: bool = False


@dataclass
class OtlpServer:
    """A strict OTLP receiver. What a request does wrong is a fault, and no test may leave one."""

    port: int = 0
    script: list[Scripted] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    messages: list[Any] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    answer: Any = None  # a function of the decoded message, where the script is empty

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def will(self, *answers: Scripted) -> None:
        self.script += answers

    def values(self) -> list[list[float]]:
        """Return the values of each metrics request."""
        return [
            [point.as_double for metric in scope.metrics for point in metric.gauge.data_points]
            for message in self.messages
            for outer in message.resource_metrics
            for scope in outer.scope_metrics
        ]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    told: OtlpServer

    def do_POST(self):
        told = self.told
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers["content-length"]))
        told.paths.append(self.path)
        told.headers.append(headers)
        told.bodies.append(body)
        message = self.decode(headers, body)
        told.messages.append(message)
        answer = told.script.pop(0) if told.script else told.answer(message) if told.answer else Scripted()
        time.sleep(answer.delay)
        if answer.drop:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def decode(self, headers, body):
        if headers["content-type"] != "application/x-protobuf":
            self.told.faults.append(f"content type {headers['content-type']}")
        if self.path not in MESSAGES:
            self.told.faults.append(f"path {self.path}")
            return None
        encoding = headers.get("content-encoding")
        if encoding not in {None, "gzip"}:
            self.told.faults.append(f"content encoding {encoding}")
        message = MESSAGES[self.path]()
        try:
            message.ParseFromString(gzip.decompress(body) if encoding == "gzip" else body)
        except (DecodeError, OSError) as error:
            self.told.faults.append(f"body: {error}")
        return message

    def log_message(self, *_):
        pass


@pytest.fixture
def otlp_server():
    told = OtlpServer()
    with listening(Handler, told=told) as told.port:
        yield told
    assert told.faults == []


@pytest.fixture
def listen():
    """Start a server when a test says so."""
    with ExitStack() as stack:

        def start(told, port):
            told.port = stack.enter_context(listening(Handler, port=port, told=told))

        yield start


@pytest.fixture(scope="session")
def scripted():
    return Scripted


@pytest.fixture(scope="session")
def specs():
    names = {"mlvitals.prediction.count": "{prediction}", "mlvitals.feature.drift.location": "{sd}"}
    return {
        name: MetricSpec(
            name=name,
            unit=unit,
            brief=f"About {name}.",
            layer=Layer.DATA,
            stage=Stage.WINDOW,
            orientation=Orientation.NEITHER,
            level=Export.LEAN,
        )
        for name, unit in names.items()
    }


@pytest.fixture(scope="session")
def service():
    return Service(name="fraud-monitoring", environment="prod", tags={"team": "risk", "area": "eu"}, owner="risk-ml")


@pytest.fixture
def context(tmp_path, service, specs):
    with Store.open(tmp_path / "state.db", [DELIVERY, LOCAL]) as store:
        yield SinkContext(service=service, specs=specs, store=store)


@pytest.fixture(scope="session")
def points():
    """Return a maker of drift points with these values."""

    def make(values: Sequence[float], time: int = STAMP) -> list[MetricPoint]:
        return [
            MetricPoint(
                name="mlvitals.feature.drift.location",
                unit="{sd}",
                value=value,
                time=time,
                start=START,
                attributes={
                    "model": "card-fraud",
                    "model_version": "7",
                    "environment": "prod",
                    "feature": f"feature_{index}",
                },
            )
            for index, value in enumerate(values)
        ]

    return make


@pytest.fixture(scope="session")
def measurement():
    """Return a maker of measurements."""

    def make(**fields: Any) -> Measurement:
        given: dict[str, Any] = {
            "signal": "mlvitals.feature.drift.location",
            "value": 1.5,
            "unit": "{sd}",
            "model": "card-fraud",
            "model_version": "7",
            "environment": "prod",
            "window_start": "2020-09-13T12:26:40Z",
            "window_end": "2020-09-13T13:26:40Z",
            "attributes": {"feature": "amount"},
            "samples": 100,
            "reference_samples": None,
            "lower": None,
            "upper": None,
            "status": Status.OK,
            "threshold": None,
            "evidence": {"median": 3.0, "note": "größer"},
            "revision": 0,
            "reference_hash": None,
        }
        return Measurement(**(given | fields))

    return make


@pytest.fixture(autouse=True)
def no_variables_of_opentelemetry(monkeypatch):
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
