"""The command line in this process, and configurations over the real event sets."""

import io
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from mlvitals.app.pipeline import open_pipeline
from mlvitals.app.watch import Watch
from mlvitals.cli import main
from mlvitals.clock import HOUR, MINUTE, SystemClock, format_time, parse_time
from mlvitals.config import load
from mlvitals.delivery import QueueStatus, queue_statuses
from mlvitals.signals.measurement import Measurement
from mlvitals.state import Store
from mlvitals.telemetry import MetricPoint

UNTIL = "2030-01-01T00:00:00Z"
START = parse_time("2026-03-01T00:00:00Z")


class Answer(NamedTuple):
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A configuration that was run to its end."""

    folder: Path
    config: Path
    reference: Path
    measurements: list[Measurement]

    def series(self, signal: str, **attributes: str) -> dict[str, Measurement]:
        """Return the measurements of a signal with these attributes, by window start."""
        return {
            one.window_start: one
            for one in self.measurements
            if one.signal == signal and attributes.items() <= one.attributes.items()
        }


Configure = Callable[..., Path]
Run = Callable[..., Ran]


def call(*words: str | Path) -> Answer:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    code: Any = None
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main([str(word) for word in words])
        except SystemExit as answer:
            code = answer.code
    texts = []
    for stream in (out, err):
        stream.flush()
        stream.seek(0)
        texts.append(stream.read())
    return Answer(code, *texts)


def write_config(folder: Path, model: Mapping[str, Any], sources: list[dict[str, Any]]) -> Path:
    """Write a configuration of one model whose state and reference stand beside it."""
    document = {
        "models": [{"operating": {"path": "model.reference"}, **model}],
        "sources": [{"type": "file", **source} for source in sources],
        "sinks": [{"type": "local"}],
        "state": {"path": "state.db"},
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "mlvitals.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def run_to_the_end(config: Path, rows: Path) -> Ran:
    """Build the reference from rows, run until all is settled, and read what was measured."""
    reference = config.parent / "model.reference"
    commands: list[list[str | Path]] = [
        ["reference", "build", "-c", config, "--data", rows, "-o", reference],
        ["run", "-c", config, "--until", UNTIL],
    ]
    for words in commands:
        answer = call(*words)
        assert answer.code == 0, answer.err
    answer = call("signals", "-c", config, "--format", "jsonl")
    assert answer.code == 0, answer.err
    found = msgspec.json.Decoder(Measurement).decode_lines(answer.out)
    return Ran(folder=config.parent, config=config, reference=reference, measurements=found)


@pytest.fixture(scope="session")
def mlvitals() -> Callable[..., Answer]:
    return call


@pytest.fixture(scope="session")
def configure() -> Configure:
    return write_config


@pytest.fixture(scope="session")
def run() -> Run:
    return run_to_the_end


@pytest.fixture(scope="session")
def truth(shared_data) -> Callable[[str], dict[str, Any]]:
    """Return a reader of a set's truth: the model's name and, for each window and maturity, what is true."""

    def read(name: str) -> dict[str, Any]:
        return dict(json.loads((shared_data / name / "truth.json").read_bytes()))

    return read


@pytest.fixture(scope="session")
def maturities(truth) -> Callable[[str], list[str]]:
    """Return the ages at which a set's truth is told, ascending."""
    return lambda name: sorted({row["maturity"] for row in truth(name)["rows"]}, key=lambda age: int(age[:-1]))


@pytest.fixture(scope="session")
def real(shared_data, truth, maturities, tmp_path_factory) -> Run:
    """Return a runner of a real event set with windows of a size; what ran once is not run again."""
    ran: dict[tuple[str, ...], Ran] = {}

    def run_set(name: str, size: str, *, events: Path | None = None, labels: Path | None = None) -> Ran:
        key = (name, size, str(events), str(labels))
        if key not in ran:
            data = shared_data / name
            model = {
                "name": truth(name)["model"],
                "windows": {"size": size, "lateness": "10m"},
                "labels": {"maturities": maturities(name)},
            }
            sources = [
                {"path": str(events or data / "events.jsonl.gz"), "role": "predictions"},
                {"path": str(labels or data / "labels.jsonl.gz"), "role": "labels"},
            ]
            config = write_config(tmp_path_factory.mktemp(name), model, sources)
            ran[key] = run_to_the_end(config, data / "reference.parquet")
        return ran[key]

    return run_set


def lines(*events: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def prediction(number: int, time: int, model: str = "fraud") -> dict[str, Any]:
    about = {"timestamp": format_time(time), "model": model, "prediction_id": f"p{number}"}
    return {"event": "prediction", **about, "features": {"x": number}, "prediction": {"score": number % 10 / 10}}


def label(number: int, time: int) -> dict[str, Any]:
    about = {"timestamp": format_time(time), "model": "fraud", "prediction_id": f"p{number}"}
    return {"event": "label", **about, "label": number % 2}


def told(points: list[MetricPoint]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for point in points:
        name = point.name.removeprefix("mlvitals.pipeline.")
        about = tuple(value for key, value in sorted(point.attributes.items()) if key != "environment")
        if about:
            values.setdefault(name, {})[about if len(about) > 1 else about[0]] = point.value
        else:
            values[name] = point.value
    return values


@dataclass
class Job:
    """A configuration of one model with labels, in a folder; hours of events can be appended."""

    start = START
    prediction = staticmethod(prediction)
    label = staticmethod(label)
    lines = staticmethod(lines)
    told = staticmethod(told)

    folder: Path

    def configure(self, **changes: Any) -> Any:
        document = {
            "service": {"environment": "test"},
            "models": [
                {
                    "name": "fraud",
                    "operating": {"first": "1h"},
                    "windows": {"size": "1h", "lateness": "0s"},
                    "labels": {"maturities": ["1h"]},
                }
            ],
            "sources": [{"type": "file", "path": "events.jsonl"}],
            "sinks": [{"type": "local"}, {"type": "stdout"}, {"type": "prometheus", "listen": "127.0.0.1:0"}],
            "state": {"path": "state.db"},
            **changes,
        }
        path = self.folder / "mlvitals.yaml"
        path.write_text(json.dumps(document), encoding="utf-8")
        return load(path, {})

    def append(self, *events: dict[str, Any]) -> None:
        with (self.folder / "events.jsonl").open("ab") as file:
            file.write(lines(*events))

    def serve(self, *hours: int) -> None:
        for hour in hours:
            self.append(*(prediction(hour * 10 + one, START + hour * HOUR + one * MINUTE) for one in range(10)))

    @contextmanager
    def opened(self, **changes: Any) -> Iterator[Watch]:
        with open_pipeline(self.configure(**changes)) as pipeline:
            yield Watch.over(pipeline)

    def read(self, watch: Watch) -> None:
        watch.pipeline.read(complete=True, progress=lambda _: None, stop=lambda: False)
        watch.pipeline.engine.advance_when_all_is_read()

    def points(self, watch: Watch) -> dict[str, Any]:
        """Return what would be told now: a value by name, or values by attributes where it has any."""
        read = watch.vitals.gauges.read(watch.pipeline.outgoing.store, SystemClock().now())
        return told(read)

    def queues(self) -> dict[str, QueueStatus]:
        with Store.open_read_only(self.folder / "state.db") as store:
            return {queue.destination: queue for queue in queue_statuses(store)}


@pytest.fixture
def job(tmp_path) -> Job:
    made = Job(tmp_path)
    made.serve(0, 1, 2)
    return made


class Server(ThreadingHTTPServer):
    """An OTLP receiver that takes everything, or a page of somebody else's while `html`."""

    daemon_threads = True
    html = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b"<html>" if self.server.html else b""
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if self.server.html else "application/x-protobuf")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as one:
        thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield one
        one.shutdown()
        thread.join()
