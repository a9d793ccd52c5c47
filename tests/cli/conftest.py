"""The command line, in processes of its own or in this one, and a small world of events to run it on."""

import gzip
import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from mlvitals.cli import main
from mlvitals.clock import MINUTE, SECOND, format_time, parse_time
from tests.intake.loopback import listening

NOON = parse_time("2026-03-01T12:00:00Z")
OTLP = "application/x-protobuf"
MESSAGES: dict[str, Any] = {"/v1/metrics": ExportMetricsServiceRequest, "/v1/logs": ExportLogsServiceRequest}


class Answer(NamedTuple):
    """What a command said, and its exit code."""

    code: Any
    out: str
    err: str


def in_this_process(*words: object) -> Answer:
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
    code: Any = None
    with redirect_stdout(streams[0]), redirect_stderr(streams[1]):
        try:
            main([str(word) for word in words])
        except SystemExit as answer:
            code = answer.code
    for stream in streams:
        stream.seek(0)
    return Answer(code, *(stream.read() for stream in streams))


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "mlvitals", *map(str, words)]


def in_a_process(*words: object, cwd: Path | None = None, stdin: bytes = b"") -> Answer:
    done = subprocess.run(command(*words), capture_output=True, cwd=cwd, input=stdin, timeout=120, check=False)
    return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())


@dataclass(frozen=True)
class World:
    """A folder with a model's configuration, its reference and what is written for it to read.

    Windows are a minute long, so that ten of them close within ten minutes of events.
    """

    folder: Path
    size: str = "1m"
    maturities: Sequence[str] = ("1m", "5m")
    model: str = "m"
    written: dict[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.folder / "mlvitals.yaml"

    def configure(self, **changes: Any) -> Path:
        """Write the configuration; `model` changes keys of the model, any other key one of the document."""
        document: dict[str, Any] = {
            "models": [
                {
                    "name": self.model,
                    "operating": {"path": "model.reference"},
                    "windows": {"size": self.size, "lateness": "10s"},
                    "labels": {"maturities": list(self.maturities)},
                    **changes.pop("model", {}),
                }
            ],
            "sources": [
                {"type": "file", "path": "events*", "role": "predictions"},
                {"type": "file", "path": "labels*", "role": "labels"},
            ],
            "sinks": [{"type": "local"}],
            "state": {"path": "state/state.db"},
            **changes,
        }
        self.config.write_text(json.dumps(document), encoding="utf-8")
        return self.config

    def build_reference(self) -> Path:
        """Build the reference from five hundred rows of the same kind."""
        rows = self.folder / "rows.jsonl"
        rows.write_bytes(lines(predictions(500, NOON - 600 * MINUTE, model=self.model, seed=1)))
        reference = self.folder / "model.reference"
        built = in_this_process("reference", "build", "-c", self.config, "--data", rows, "-o", reference)
        assert built.code == 0, built.err
        return reference

    def write(self, name: str, events: Iterable[Mapping[str, Any]]) -> Path:
        path = self.folder / name
        data = lines(events)
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
        return path


def lines(events: Iterable[Mapping[str, Any]]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def predictions(count: int, start: int, *, step: int = SECOND, model: str = "m", seed: int = 0) -> list[dict[str, Any]]:
    """Return binary predictions, `step` microseconds apart."""
    draw = random.Random(seed)
    events = []
    for index in range(count):
        score = draw.random()
        events.append(
            {
                "event": "prediction",
                "timestamp": format_time(start + index * step),
                "model": model,
                "model_version": "1",
                "prediction_id": f"{seed}-{index}",
                "features": {"x": draw.gauss(), "colour": draw.choice(["red", "green", "blue"])},
                "prediction": {"label": int(score > 0.5), "score": score},
                "latency_ms": 1 + draw.random(),
            }
        )
    return events


def labels_of(events: Iterable[Mapping[str, Any]], *, delay: int = 20 * SECOND, seed: int = 0) -> list[dict[str, Any]]:
    """Return the truth of predictions, each known after a delay."""
    draw = random.Random(seed)
    return [
        {
            "event": "label",
            "timestamp": format_time(parse_time(event["timestamp"]) + delay),
            "model": event["model"],
            "prediction_id": event["prediction_id"],
            "label": int(draw.random() < event["prediction"]["score"]),
        }
        for event in events
    ]


@dataclass
class Receiver:
    """A strict OTLP receiver: what a request does wrong is a fault.

    refuse: so many requests are answered with 503, but for the first ones, as many as `spare`.
    """

    url: str = ""
    refuse: int = 0
    spare: int = 0
    html: bool = False
    refused: list[tuple[str, bytes]] = field(default_factory=list)
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def messages(self, path: str) -> list[Any]:
        """Return what was taken at a path, decoded; probes are empty and left out."""
        decoded = [MESSAGES[path].FromString(gzip.decompress(body)) for to, body in self.taken if to == path]
        return [message for message in decoded if message.ByteSize()]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: Receiver

    def do_POST(self):
        receiver = self.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if receiver.html:
            self.answer(200, b"<html>welcome</html>", "text/html")
            return
        try:
            MESSAGES[self.path]().ParseFromString(gzip.decompress(body))
        except (KeyError, DecodeError, OSError) as error:
            receiver.faults.append(f"{self.path}: {error!r}")
        if self.headers["Content-Type"] != OTLP or self.headers["Content-Encoding"] != "gzip":
            receiver.faults.append(f"headers {self.headers.items()}")
        if receiver.spare:
            receiver.spare -= 1
            receiver.taken.append((self.path, body))
            self.answer(200, b"", OTLP)
        elif receiver.refuse:
            receiver.refuse -= 1
            receiver.refused.append((self.path, body))
            self.answer(503, b"", OTLP)
        else:
            receiver.taken.append((self.path, body))
            self.answer(200, b"", OTLP)

    def answer(self, status, body, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    told = Receiver()
    with listening(Handler, receiver=told) as port:
        told.url = f"http://127.0.0.1:{port}"
        yield told
    assert told.faults == []


@pytest.fixture
def closed_port():
    """Return the address of a port on which nothing listens."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    port = server.server_address[1]
    server.server_close()
    return f"http://127.0.0.1:{port}"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="session")
def mlvitals() -> Callable[..., Answer]:
    """Run a command in this process: quick."""
    return in_this_process


@pytest.fixture(scope="session")
def process() -> Callable[..., Answer]:
    """Run a command in a process of its own."""
    return in_a_process


@pytest.fixture
def start(tmp_path):
    """Start a command that goes on; what still runs at the end is killed."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(*words: object) -> subprocess.Popen[bytes]:
        log = (tmp_path / f"stderr-{len(running)}").open("wb")
        one = subprocess.Popen(
            command(*words), stdout=subprocess.DEVNULL, stderr=log, env={**os.environ, "PYTHONUNBUFFERED": "1"}
        )
        running.append(one)
        return one

    yield begin
    for one in running:
        one.kill()
        one.wait()


@pytest.fixture
def world(tmp_path) -> World:
    """A model with its reference and ten minutes of events with labels."""
    made = World(tmp_path)
    made.configure()
    made.build_reference()
    events = predictions(600, NOON)
    made.write("events.jsonl", events)
    made.write("labels.jsonl", labels_of(events))
    return made


@pytest.fixture(scope="session")
def make():
    """The makers of events: `make.predictions`, `make.labels_of`, `make.lines`."""

    class Makers:
        predictions = staticmethod(predictions)
        labels_of = staticmethod(labels_of)
        lines = staticmethod(lines)
        world = World
        noon = NOON

    return Makers
