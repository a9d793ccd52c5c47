"""A job without a disk: killed after any step, overtaken, or without its store, it loses nothing."""

import gzip
import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from mlvitals.app.vitals import Gauges, Pulse
from mlvitals.clock import SECOND, SystemClock, format_time, parse_time
from mlvitals.config import load
from mlvitals.state import Store
from mlvitals.state.snapshot import unpack
from mlvitals.telemetry.naming.otel import attribute_name
from tests.s3 import BUCKET, ObjectServer, serving

NOON = parse_time("2026-03-01T12:00:00Z")
URL = f"s3://{BUCKET}/fraud/state"


@dataclass
class World:
    """A folder to run in, an object store and a receiver; `steps` counts what both were asked."""

    folder: Path
    store: ObjectServer
    url: str
    call: Callable[..., Any]
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    kill_after: int | None = None
    running: subprocess.Popen[bytes] | None = None
    turn: threading.Lock = field(default_factory=threading.Lock)

    def step(self, what: str) -> bool:
        """Count a step; tell whether the job has been killed at it."""
        with self.turn:
            self.order.append(what)
            if self.kill_after is None or len(self.order) != self.kill_after or self.running is None:
                return False
            self.running.kill()
            self.running.wait()
            return True

    def configure(self, **changes):
        document = {
            "models": [{"name": "m", "operating": {"first": "1m"}, "windows": {"size": "1m", "lateness": "10s"}}],
            "sources": [{"type": "file", "path": "events*"}],
            "sinks": [{"type": "local"}, {"type": "otlp", "endpoint": self.url}],
            "state": {"url": URL},
            **changes,
        }
        (self.folder / "mlvitals.yaml").write_text(json.dumps(document), encoding="utf-8")

    def begin(self, *words):
        command = [sys.executable, "-m", "mlvitals", *words, "-c", self.folder / "mlvitals.yaml"]
        environ = {**os.environ, **self.store.environ}
        self.running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ)
        return self.running

    def run(self, *words):
        """Run a command to its end; return its exit code, output and errors."""
        return self.call(*(words or ("run", "--once")), "-c", self.folder / "mlvitals.yaml")


def events(count, start):
    draw = random.Random(3)
    for index in range(count):
        yield {
            "event": "prediction",
            "timestamp": format_time(start + index * SECOND),
            "model": "m",
            "prediction_id": f"{start}-{index}",
            "features": {"x": draw.gauss()},
            "prediction": {"label": draw.randrange(2), "score": draw.random()},
        }


def write(world, name, count, start):
    lines = [json.dumps(event) + "\n" for event in events(count, start)]
    (world.folder / name).write_text("".join(lines), encoding="utf-8")


@pytest.fixture
def world(tmp_path, mlvitals, monkeypatch):
    class Receiver(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.taken.append((self.path, body))
            if made.step("POST"):
                self.close_connection = True
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    with serving() as store:
        made = World(tmp_path, store, f"http://127.0.0.1:{server.server_address[1]}", mlvitals)
        for name, value in store.environ.items():
            monkeypatch.setenv(name, value)
        # The job is killed once the store has done what it was asked, and before it says so.
        store.interfere = lambda method, _count: "answer" if made.step(method) else ""
        made.configure()
        write(made, "events-1.jsonl", 300, NOON)
        yield made
        server.shutdown()
        server.server_close()
        assert store.faults == []


def measured(world):
    """Return what was measured, but for how late events came: that goes by the wall clock."""
    code, out, err = world.run("signals", "--format", "jsonl")
    assert code == 0, err
    return sorted(line for line in out.splitlines() if "event.lag" not in line)


def measurements_taken(world):
    """Return the bodies that say something of the model: what the job tells of itself differs from run to run."""
    return {body for path, body in world.taken if path == "/v1/logs"}


def test_the_state_is_kept_before_anything_leaves_and_again_after(world):
    assert world.run()[0] == 0
    assert world.order[:4] == ["GET", "PUT", "PUT", "PUT"]  # two of them ask whether the store heeds conditions
    assert world.order[-1] == "PUT"
    again = world.order.index("PUT", 4)  # before it tells of itself
    assert set(world.order[4:again]) == set(world.order[again + 1 : -1]) == {"POST"}
    world.order.clear()
    assert world.run()[0] == 0
    assert world.order[:2] == ["GET", "PUT"]
    assert world.order[-1] == "PUT"


def test_runs_one_after_another_say_what_one_run_says(world):
    found = []
    for part in (2, 3, 4):
        for state in ({"url": URL}, {"path": "state.db"}):
            world.configure(state=state)
            assert world.run()[0] == 0
            found.append(measured(world))
        write(world, f"events-{part}.jsonl", 300, NOON + (part - 1) * 300 * SECOND)
    assert found[0::2] == found[1::2]
    assert len(found[0]) < len(found[2]) < len(found[4])


def test_killed_after_any_step_nothing_is_lost_and_what_is_sent_again_is_the_same(world):
    assert world.run()[0] == 0
    steps, expected, sent = len(world.order), measured(world), measurements_taken(world)
    assert steps >= 6
    # What was fetched, both first writes, the first and the last thing that left, and the last write.
    for step in sorted({1, 2, 4, 5, steps - 1, steps}):
        world.store.objects.clear()
        world.taken.clear()
        world.order.clear()
        world.kill_after = step
        killed = world.begin("run", "--once")
        killed.communicate(timeout=60)
        assert killed.returncode == -9, f"it was not killed at step {step}"
        world.kill_after = None
        code, _, err = world.run()
        assert code == 0, (step, err)
        assert measurements_taken(world) == sent, step
        assert measured(world) == expected, step
        checked = world.run("state", "check")
        assert checked[0] == 0, (step, checked)


def test_no_total_was_told_that_the_kept_state_does_not_know(world, tmp_path):
    assert world.run()[0] == 0
    steps = len(world.order)
    world.store.objects.clear()
    world.taken.clear()
    world.order.clear()
    world.kill_after = steps - 1  # with the last that leaves
    killed = world.begin("run", "--once")
    killed.communicate(timeout=60)
    assert killed.returncode == -9
    told = {}
    for path, body in world.taken:
        if path == "/v1/metrics":
            message = ExportMetricsServiceRequest.FromString(gzip.decompress(body))
            for metric in message.resource_metrics[0].scope_metrics[0].metrics:
                for point in metric.sum.data_points:
                    about = frozenset((one.key, one.value.string_value) for one in point.attributes)
                    told[metric.name, about] = point.as_double
    assert any("delivered" in str(about) for name, about in told if name == "mlvitals.pipeline.items")
    [(packed, _, _)] = world.store.objects.values()
    (tmp_path / "packed").write_bytes(packed)
    unpack(tmp_path / "packed", tmp_path / "kept.db", tmp_path / "kept.db.key")
    with Store.open_read_only(tmp_path / "kept.db") as store:
        gauges = Gauges(load(world.folder / "mlvitals.yaml", {}), Pulse(), SystemClock())
        known = {
            (
                point.name,
                frozenset((attribute_name(name), value) for name, value in point.attributes.items()),
            ): point.value
            for point in gauges.read(store, NOON)
        }
    fallen = {about: (value, known[about]) for about, value in told.items() if known[about] < value}
    assert fallen == {}


def test_a_run_that_was_overtaken_is_refused_and_has_told_nobody_anything(world):
    assert world.run()[0] == 0
    write(world, "events-2.jsonl", 300, NOON + 300 * SECOND)
    world.taken.clear()
    overtaken: list[int] = []

    def interfere(method, _count):
        if method == "PUT" and not overtaken:
            overtaken.append(0)
            other = world.begin("run", "--once")  # it comes while ours has read and has kept nothing yet
            other.communicate(timeout=60)
            overtaken[0] = len(world.taken)
            assert other.returncode == 0
        return ""

    world.store.interfere = interfere
    code, _, err = world.run()
    assert code == 3
    assert f"mlvitals: {URL}: another process has replaced the state meanwhile" in err
    assert len(world.taken) == overtaken[0] > 0
    world.store.interfere = lambda _method, _count: ""
    expected = measured(world)
    assert world.run()[0] == 0
    assert measured(world) == expected


def test_without_its_store_a_run_tells_nobody_anything(world):
    world.store.interfere = lambda method, _count: "refuse 403" if method == "PUT" else ""
    code, _, err = world.run()
    assert (code, err.splitlines()[-1]) == (3, f"mlvitals: {URL}: HTTP 403 Scripted")
    assert world.taken == []


@pytest.mark.parametrize("where", ["file", "s3"])
def test_what_reads_the_state_reads_it_where_it_is_kept(world, where):
    if where == "file":
        world.configure(state={"url": f"file://{world.folder}/kept/state"})
    for words in (("status",), ("signals",), ("state", "backup", "-o", str(world.folder / "copy.db"))):
        code, _, err = world.run(*words)
        assert code == 3, (words, err)
        assert "no state" in err
    assert "will be made" in world.run("check")[1]
    assert world.run()[0] == 0
    assert "otlp" in world.run("status")[1]
    assert world.run("state", "check")[0] == 0
    assert "kept/state: readable" in world.run("check")[1] or f"{URL}: readable" in world.run("check")[1]
    assert world.run("state", "backup", "-o", str(world.folder / "copy.db"))[0] == 0
    kept = measured(world)
    world.configure(state={"path": "copy.db"})
    assert measured(world) == kept
    assert (world.folder / "copy.db.key").exists()
    assert not (world.folder / ".mlvitals").exists()


def test_a_persons_word_on_the_outbox_is_kept_where_the_state_is(world):
    world.configure(sinks=[{"type": "otlp", "endpoint": "http://127.0.0.1:9"}])
    assert world.run("run", "--once", "--patience", "1s")[0] == 1

    def waiting():
        code, out, err = world.run("outbox", "show", "--format", "jsonl")
        assert code == 0, err
        return out

    assert waiting()
    assert world.run("outbox", "retry")[0] == 0
    assert waiting()
    code, out, err = world.run("outbox", "drop", "--destination", "otlp", "--yes")
    assert code == 0, err
    assert "dropped" in out
    assert waiting() == ""
    world.store.interfere = lambda method, _count: "refuse 403" if method == "PUT" else ""
    assert world.run("outbox", "retry")[0] == 3


def test_a_key_of_its_own_stays_where_it_is(world):
    (world.folder / "ids.key").write_bytes(b"k" * 32)
    world.configure(state={"url": URL, "key": {"path": "ids.key"}})
    assert world.run()[0] == 0
    [(body, _, _)] = world.store.objects.values()
    assert b'"key":null' in body[:500]
    assert world.run()[0] == 0
    (world.folder / "ids.key").write_bytes(b"x" * 32)
    assert "is not the key under which the state remembers" in world.run()[2]


def test_a_state_that_is_kept_nowhere_makes_the_same_of_the_same_events(world):
    world.configure(state="none")
    assert world.run()[0] == 0
    sent = measurements_taken(world)
    world.taken.clear()
    assert world.run()[0] == 0
    assert measurements_taken(world) == sent
    assert sorted(file.name for file in world.folder.iterdir()) == ["events-1.jsonl", "mlvitals.yaml"]
    assert world.store.log == []
    for words in (("status",), ("signals",), ("state", "backup", "-o", "copy.db")):
        assert "the state is kept nowhere" in world.run(*words)[2]


def test_to_follow_sources_needs_a_disk(world):
    for state in ("none", {"url": URL}):
        world.configure(state=state)
        code, _, err = world.run("run")
        assert (code, err) == (
            2,
            "mlvitals: a state that is not on a disk is for `--once` and `--until` - at `$.state.url`\n",
        )
