"""What the job tells of itself: the state's own numbers, the same for every destination, counted once."""

import gzip
import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mlvitals.app.pipeline import open_pipeline
from mlvitals.app.run import run_once
from mlvitals.app.watch import Watch, watched_pipeline
from mlvitals.clock import HOUR, MINUTE, SECOND, FixedClock, SystemClock, format_time, parse_time
from mlvitals.config import load
from mlvitals.delivery import QueueStatus, queue_statuses
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.running import RUNNING
from mlvitals.signals.spec import Instrument
from mlvitals.state import Store, is_full
from mlvitals.telemetry import MetricPoint

START = parse_time("2026-03-01T00:00:00Z")
PLAIN = {
    "heartbeat",
    "loop.age",
    "held",
    "source.faults",
    "model.faults",
    "series.dropped",
}


def lines(*events: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def prediction(number: int, time: int, model: str = "fraud") -> dict[str, Any]:
    about = {"timestamp": format_time(time), "model": model, "prediction_id": f"p{number}"}
    return {"event": "prediction", **about, "features": {"x": number}, "prediction": {"score": number % 10 / 10}}


def label(number: int, time: int) -> dict[str, Any]:
    about = {"timestamp": format_time(time), "model": "fraud", "prediction_id": f"p{number}"}
    return {"event": "label", **about, "label": number % 2}


@dataclass
class Job:
    """A configuration of one model with labels, in a folder; hours of events can be appended."""

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


@pytest.fixture(autouse=True)
def quiet(capfdbinary) -> Callable[[], list[dict[str, Any]]]:
    """Return what stdout got since it was last asked, decoded."""
    return lambda: [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]


def test_every_metric_of_the_running_job_is_told_with_its_metadata(job):
    with job.opened() as watch:
        job.read(watch)
        watch.tell()
        now = SystemClock().now()
        points = watch.vitals.latest
        assert {point.name for point in points} == {spec.name for spec in RUNNING}
        for point in points:
            spec = REGISTRY[point.name]
            assert point.unit == spec.unit
            assert set(point.attributes) == {"environment", *spec.attributes}
            assert now - SECOND < point.time <= now
            assert (point.start <= point.time - MINUTE) is (spec.instrument is Instrument.GAUGE)


def test_totals_are_those_of_the_account_and_begin_when_the_state_is_made(job):
    before = SystemClock().now()
    job.append(prediction(0, START + 2 * HOUR), prediction(1, START, model="who"), label(3, START + MINUTE))
    job.append({"event": "nonsense"})
    with job.opened() as watch:
        job.read(watch)
        told_now = job.points(watch)
        (start,) = {
            point.start
            for point in watch.vitals.gauges.read(watch.pipeline.outgoing.store, SystemClock().now())
            if REGISTRY[point.name].instrument is Instrument.COUNTER
        }
        assert before - 2_000 <= start <= SystemClock().now()  # SQLite tells milliseconds
    outcomes = Counter({name: rows for name, rows in told_now["events"].items() if rows})
    assert outcomes == {"accepted": 31, "conflict": 1, "unknown_model": 1, "skipped": 1}


def test_an_orphan_that_finds_its_prediction_stays_counted_and_no_total_falls(job):
    job.append(label(100, START + 3 * HOUR + MINUTE))
    with job.opened() as watch:
        job.read(watch)
        before = job.points(watch)["events"]
        job.append(prediction(100, START + 3 * HOUR))
        job.read(watch)
        after = job.points(watch)["events"]
    assert before["orphan"] == after["orphan"] == 1
    assert after["accepted"] == before["accepted"] + 2
    assert all(after[outcome] >= before[outcome] for outcome in before)


def test_a_restart_goes_on_with_the_same_totals_and_the_same_beginning(job):
    with job.opened() as watch:
        job.read(watch)
        watch.tell()
        first = watch.vitals.latest
    with job.opened() as watch:
        job.read(watch)
        watch.tell()
        second = watch.vitals.latest
    one, other = told(first), told(second)
    assert other["heartbeat"] == one["heartbeat"] + 1 == 2
    assert other["events"] == one["events"]
    starts = {point.start for point in (*first, *second) if REGISTRY[point.name].instrument is Instrument.COUNTER}
    assert len(starts) == 1


def test_every_destination_that_takes_points_is_told_the_same(job, quiet):
    with job.opened() as watch:
        watch.tell()
        points = watch.vitals.latest
        watch.pipeline.deliveries.wait(patience=5, parting=5, stop=lambda: False)
    mine = [one for one in quiet() if one.get("name", "").startswith("mlvitals.pipeline.")]
    assert [(one["name"], one["value"], one["time"]) for one in mine] == [
        (one.name, one.value, format_time(one.time)) for one in points
    ]
    with Store.open_read_only(job.folder / "state.db") as store:
        rows = store.connection.execute("SELECT signal, value FROM scraped_series WHERE destination = 'prometheus'")
        assert sorted(rows) == sorted((one.name, one.value) for one in points)
    assert "local" not in job.queues()


def test_a_beat_that_is_not_durable_is_not_counted_and_the_second_way_still_hears(job):
    with job.opened() as watch:
        watch.tell()
        before = watch.vitals.latest[0].time
        watch.pipeline.deliveries.stop()
        connection = watch.pipeline.outgoing.store.connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")  # as a disk that is full
        beats = 0.0

        def tell_on():
            nonlocal beats
            for _ in range(20):  # room that was given back is filled first
                watch.vitals._due = 0
                beats = job.points(watch)["heartbeat"]
                watch.tell()

        with pytest.raises(sqlite3.OperationalError) as caught:
            tell_on()
        assert is_full(caught.value)
        assert job.points(watch)["heartbeat"] == beats
        assert watch.vitals.latest[0].value == beats
        assert watch.vitals.latest[0].time > before


def test_it_is_told_again_only_after_the_interval(job):
    with job.opened(telemetry={"interval": "30m"}) as watch:
        for _ in range(5):
            watch.tell()
        assert job.points(watch)["heartbeat"] == 1
        watch.vitals._due -= 30 * MINUTE
        watch.tell()
        assert job.points(watch)["heartbeat"] == 2


def test_a_destination_that_takes_nothing_is_told_once_and_again_when_it_is_well(job, server):
    sinks = [{"type": "otlp", "endpoint": server.url}]
    with job.opened(sinks=sinks) as watch:
        for _ in range(4):
            watch.vitals.tell()
            watch.pipeline.deliveries.wait(patience=0, parting=0, stop=lambda: False)
        now = job.points(watch)
        assert now["outbox.status"] == {"otlp": 2}
        assert now["outbox.size"] == {"otlp": 1}
        assert now["outbox.volume"]["otlp"] > 500
        assert now["heartbeat"] == 4
    server.html = False
    with job.opened(sinks=sinks) as watch:
        for _ in range(2):
            watch.pipeline.deliveries.wait(patience=0, parting=0, stop=lambda: False)
            watch.vitals.tell()
        watch.pipeline.deliveries.wait(patience=5, parting=0, stop=lambda: False)
        now = job.points(watch)
        assert now["outbox.status"] == {"otlp": 0}
        assert now["outbox.age"] == {"otlp": 0}
        assert now["items"]["otlp", "delivered"] == now["items"]["otlp", "enqueued"] > 0


def test_what_waits_grows_old(job):
    with job.opened(sinks=[{"type": "otlp", "endpoint": "http://127.0.0.1:9"}]) as watch:
        job.read(watch)
        watch.pipeline.deliveries.stop()
        watch.vitals.gauges.steady = FixedClock(watch.pipeline.outgoing.steady.now() + HOUR)
        now = job.points(watch)
    assert now["outbox.age"]["otlp"] == pytest.approx(3600, abs=60)
    assert now["outbox.size"]["otlp"] > 0


def test_a_models_newest_window_grows_old_and_one_that_is_gone_is_forgotten(job):
    with job.opened() as watch:
        job.read(watch)
        age = job.points(watch)["window.age"]["fraud"]
    assert age == pytest.approx((SystemClock().now() - START - 2 * HOUR) / SECOND, abs=60)
    other = {"name": "other", "operating": {"first": "1h"}}
    with job.opened(models=[other]) as watch:
        assert "window.age" not in job.points(watch)


def test_what_closing_took_is_told_once_anything_was_closed(job):
    with job.opened() as watch:
        watch.tell()
        assert "window.duration" not in told(list(watch.vitals.latest))
        job.read(watch)
        watch.vitals._due = 0
        watch.tell()
        assert 0 < told(list(watch.vitals.latest))["window.duration"] < 60


def test_models_and_sources_that_cannot_be_used_are_counted(job):
    gone = {"name": "gone", "operating": {"path": "gone.reference"}}
    (job.folder / "broken.jsonl.gz").write_bytes(gzip.compress(lines(prediction(1, START)))[:40])
    models = [{"name": "fraud", "operating": {"first": "1h"}}, gone]
    sources = [{"type": "file", "path": "events.jsonl"}, {"type": "file", "path": "broken*", "name": "broken"}]
    with job.opened(models=models, sources=sources) as watch:
        job.append(prediction(1, START, model="gone"))
        job.read(watch)
        watch.tell()
        now = told(list(watch.vitals.latest))
    assert now["model.faults"] == 1
    assert now["source.faults"] == 1
    assert now["held"] == 1


def test_once_tells_when_all_is_delivered_and_a_replay_tells_nothing(job, quiet):
    config = job.configure()
    run_once(config, until=START + 2 * HOUR, progress=lambda _: None)
    run_once(config, progress=lambda _: None, clock=FixedClock(START + 2 * HOUR))
    assert not [one for one in quiet() if one.get("name", "").startswith("mlvitals.pipeline.")]
    report = run_once(config, progress=lambda _: None)
    assert report.delivered
    mine = {one["name"]: one["value"] for one in quiet() if one.get("name", "").startswith("mlvitals.pipeline.")}
    assert mine["mlvitals.pipeline.heartbeat"] == 1
    assert mine["mlvitals.pipeline.outbox.size"] == 0
    assert mine.keys() >= {f"mlvitals.pipeline.{name}" for name in PLAIN}


def test_nothing_of_this_is_a_measurement(job):
    with job.opened() as watch:
        job.read(watch)
        watch.tell()
    with Store.open_read_only(job.folder / "state.db") as store:
        query = "SELECT count(*) FROM measurement_page WHERE signal LIKE 'mlvitals.pipeline.%'"
        assert store.connection.execute(query).fetchone() == (0,)


def test_an_address_in_use_stops_the_start_and_leaves_nothing_open(job):
    config = job.configure()
    told_lines: list[str] = []
    with watched_pipeline(config, told_lines.append):
        (line,) = told_lines
    assert line.startswith("sink prometheus: scrapes are answered at http://127.0.0.1:")
    with watched_pipeline(config, told_lines.append) as watch:
        assert watch.pipeline.sources
