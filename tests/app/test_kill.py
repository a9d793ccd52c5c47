"""Killed at any point and run again, a job ends with the same outbox to the byte, and nothing twice."""

import gzip
import json
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mlvitals.clock import DAY, HOUR, format_time, parse_time
from mlvitals.signals.measurement import Measurement
from mlvitals.sinks.pages import unpack
from tests.remembered import read_remembered

SECONDS = 120.0
BEGIN = parse_time("2026-03-01T00:00:00Z")

PHASES = ("starting", "reading", "closing", "settling", "delivering", "parting")

# What must not depend on the kills; the wall clock's columns and the sources' positions are not among it.
RESULTS = {
    "outbox": "SELECT destination, route, body, items, first, last FROM outbox ORDER BY destination, sequence, part",
    "measurement": "SELECT * FROM measurement_page ORDER BY 1, 2, 3, 4, 5, 6, 7",
    "account": "SELECT * FROM account ORDER BY 1, 2, 3, 4",
    "delivered": "SELECT * FROM delivery_total ORDER BY 1, 2",
    "cohort": "SELECT * FROM cohort ORDER BY 1, 2, 3, 4",
    "settlement": "SELECT * FROM settlement ORDER BY 1, 2, 3, 4, 5",
    "held": "SELECT source, model, event, rows, batch FROM held ORDER BY sequence",
}


@dataclass
class Story:
    """A configuration with many small files, so that a run has many transactions; each state is a run of it."""

    folder: Path
    model: dict[str, Any]
    until: str
    port: int
    working: float = 1.0  # seconds, undisturbed
    kills: Counter[str] = field(default_factory=Counter)

    def configure(self, state: str) -> Path:
        document = {
            "models": [{"operating": {"path": "model.reference"}, **self.model}],
            "sources": [
                {"type": "file", "path": "events-*.jsonl", "role": "predictions"},
                {"type": "file", "path": "labels-*.jsonl", "role": "labels"},
            ],
            # Nobody listens there, so that its outbox fills.
            "sinks": [{"type": "local"}, {"type": "otlp", "endpoint": f"http://127.0.0.1:{self.port}"}],
            "state": {"path": f"{state}/state.db", "key": {"path": "ids.key"}},
            "budget": {"export": "full"},
        }
        path = self.folder / f"{state}.yaml"
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    def start(self, state: str) -> subprocess.Popen[bytes]:
        words = ["run", "-c", self.configure(state), "--until", self.until, "--patience", "0s"]
        command = [sys.executable, "-m", "mlvitals", *map(str, words)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def end(self, run: subprocess.Popen[bytes]) -> None:
        _, told = run.communicate(timeout=SECONDS)
        assert run.returncode == 1, told.decode()  # the closed port takes nothing

    def results(self, state: str) -> dict[str, list[Any]]:
        with closing(sqlite3.connect(self.folder / state / "state.db", timeout=30)) as connection:
            found = {name: connection.execute(query).fetchall() for name, query in RESULTS.items()}
            return found | read_remembered(connection)

    def phase(self, state: str, whole: dict[str, list[Any]]) -> str:
        """Tell what a killed run was about to do, from what is durable."""
        path = self.folder / state / "state.db"
        if not path.exists():
            return "starting"
        with closing(sqlite3.connect(path, timeout=30)) as connection:

            def number(query: str) -> int:
                try:
                    return connection.execute(query).fetchone()[0] or 0
                except sqlite3.OperationalError:  # the tables are not made yet
                    return 0

            rows = number("SELECT sum(rows) FROM account")
            enqueued = number("SELECT sum(items) FROM delivery_total WHERE fate = 'enqueued' AND destination = 'local'")
            delivered = number(
                "SELECT sum(items) FROM delivery_total WHERE fate = 'delivered' AND destination = 'local'"
            )
            is_open = number("SELECT count(*) FROM cohort WHERE closed = 0")
        if not rows:
            return "starting"
        if rows < sum(row[-1] for row in whole["account"]):
            return "reading"
        if is_open:
            return "closing"
        if enqueued < len(measured(whole)):
            return "settling"
        return "delivering" if delivered < enqueued else "parting"


def measured(whole: dict[str, list[Any]]) -> list[Measurement]:
    """Return the measurements in the pages of a run's results."""
    pages = [unpack(row[-1]) for row in whole["measurement"]]
    return [one for page in pages for one in msgspec.json.decode(page, type=list[Measurement])]


def wait_for_work(story: Story, state: str, run: subprocess.Popen[bytes]) -> None:
    """Wait until a run writes into its state, or ends."""
    log = story.folder / state / "state.db-wal"

    def stamp() -> tuple[int, int] | None:
        try:
            status = log.stat()
        except FileNotFoundError:
            return None
        return status.st_size, status.st_mtime_ns

    before = stamp()
    while run.poll() is None and stamp() == before:
        time.sleep(0.002)


def wait_for_a_moment(
    story: Story, state: str, run: subprocess.Popen[bytes], draw: random.Random, whole: dict[str, list[Any]]
) -> None:
    """Wait until a random moment of a run: of its start, of all its work, or of the beginning of one of its phases."""
    kind = draw.random()
    if kind < 0.1:
        time.sleep(draw.uniform(0, 0.6))
        return
    wait_for_work(story, state, run)
    if kind < 0.4:
        time.sleep(draw.uniform(0, story.working / 3))
        return
    wanted = draw.choice(PHASES[1:5])
    while run.poll() is None and story.phase(state, whole) in PHASES[: PHASES.index(wanted)]:
        time.sleep(0.002)
    time.sleep(draw.uniform(0, 0.1))


def kill_at_random(story: Story, kills: int, seed: int, whole: dict[str, list[Any]]) -> None:
    """Run to the end again and again, on a new state each time, until enough kills have hit a run."""
    draw = random.Random(seed)
    attempt = 0
    while story.kills.total() < kills:
        state = f"killed-{attempt}"
        attempt += 1
        while True:
            run = story.start(state)
            if story.kills.total() == kills:
                break
            wait_for_a_moment(story, state, run, draw, whole)
            if run.poll() is not None:
                break
            run.send_signal(signal.SIGKILL)
            run.communicate()
            if run.returncode == -signal.SIGKILL:
                story.kills[story.phase(state, whole)] += 1
        story.end(run)
        found = story.results(state)
        for name in RESULTS:
            assert found[name] == whole[name], f"{name} after kills while {dict(story.kills)}"


def undisturbed(story: Story) -> dict[str, list[Any]]:
    """Run without a kill, note for how long it was at work, and return the results."""
    run = story.start("whole")
    wait_for_work(story, "whole", run)
    began = time.monotonic()
    story.end(run)
    story.working = time.monotonic() - began
    whole = story.results("whole")
    identities = [one.identity for one in measured(whole)]
    assert len(set(identities)) == len(identities)
    totals = {(destination, fate): items for destination, fate, items in whole["delivered"]}
    assert totals["local", "enqueued"] == totals["local", "delivered"] >= len(identities)
    assert {row[0] for row in whole["outbox"]} == {"otlp"}
    assert sum(row[3] for row in whole["outbox"]) == totals["otlp", "enqueued"]
    assert ("otlp", "delivered") not in totals
    return whole


@pytest.fixture
def closed_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
    return port


def write_parts(lines: list[bytes], folder: Path, name: str, parts: int) -> None:
    for part in range(parts):
        chosen = lines[len(lines) * part // parts : len(lines) * (part + 1) // parts]
        (folder / f"{name}-{part:03}.jsonl").write_bytes(b"".join(chosen))


def build_reference(mlvitals, story: Story, rows: Path) -> None:
    config, output = story.configure("whole"), story.folder / "model.reference"
    built = mlvitals("reference", "build", "-c", config, "--data", rows, "-o", output)
    assert built.code == 0, built.err


def test_six_kills_change_nothing_on_real_sales(mlvitals, repository, tmp_path, closed_port):
    example = repository / "examples" / "kc_house"
    for name in ("events", "labels"):
        write_parts(
            gzip.decompress((example / f"{name}.jsonl.gz").read_bytes()).splitlines(keepends=True), tmp_path, name, 15
        )
    model = {
        "name": "house-price",
        "windows": {"size": "1w", "lateness": "1h"},
        "labels": {"maturities": ["7d", "30d"]},
        "performance": {"metrics": ["mae", "rmse"]},
    }
    story = Story(tmp_path, model, "2015-08-01T00:00:00Z", closed_port)
    build_reference(mlvitals, story, example / "reference.parquet")
    whole = undisturbed(story)
    kill_at_random(story, 6, 20, whole)


@pytest.mark.soak
def test_a_hundred_kills_change_nothing(mlvitals, tmp_path, closed_port):
    events, labels = stream(60_000)
    write_parts(events, tmp_path, "events", 80)
    write_parts(labels, tmp_path, "labels", 80)
    (tmp_path / "rows.jsonl").write_bytes(b"".join(events[:3000]))
    model = {
        "name": "m",
        "windows": {"size": "1h"},
        "labels": {"maturities": ["1h", "6h", "1d"]},
        "segments": ["colour"],
    }
    story = Story(tmp_path, model, format_time(BEGIN + 6 * DAY), closed_port)
    build_reference(mlvitals, story, tmp_path / "rows.jsonl")
    whole = undisturbed(story)
    kill_at_random(story, 100, 21, whole)
    print(f"at work for {story.working:.1f} s undisturbed; kills by phase: {dict(story.kills)}")  # noqa: T201  # the figures
    assert set(PHASES[1:5]) <= set(story.kills)


def stream(count: int) -> tuple[list[bytes], list[bytes]]:
    """Return predictions of four days out of order, with repeats and conflicts, and labels with corrections."""
    draw = random.Random(11)
    events, labels = [], []
    for index in range(count):
        moment = BEGIN + index * 4 * DAY // count + draw.randrange(-HOUR // 4, HOUR // 4)
        score = draw.random()
        event = {
            "event": "prediction",
            "timestamp": format_time(max(moment, BEGIN)),
            "model": "m",
            "model_version": draw.choice("12"),
            "prediction_id": f"p{draw.randrange(max(0, index - 99), index + 1) if draw.random() < 0.02 else index}",
            "features": {"x": draw.gauss(), "y": draw.random() ** 3, "colour": draw.choice(["red", "green", "blue"])},
            "prediction": {"label": int(score > 0.5), "score": score},
        }
        events.append(json.dumps(event).encode() + b"\n")
        if draw.random() < 0.02:
            events.append(events[-1])
        for _ in range(draw.choice([0, 1, 1, 1, 1, 2])):
            known = moment + int(draw.expovariate(1 / (5 * HOUR)))
            label = {
                "event": "label",
                "timestamp": format_time(known),
                "model": "m",
                "prediction_id": f"p{index}",
                "label": int(draw.random() < score),
            }
            labels.append((known, json.dumps(label).encode() + b"\n"))
    return events, [line for _, line in sorted(labels)]
