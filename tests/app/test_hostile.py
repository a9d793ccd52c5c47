"""Law 3 under servers on their worst days: killed at any moment, on a full disk, under clocks that jump.

Afterwards what was produced is delivered, dead, rejected, expired or superseded, by the account of the state and by
what the servers truly took, item by item; nothing has two values, and what had to come again came to the byte.
"""

import gzip
import json
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.intake.hostile import FAULTS, Hostile, Items, hostile_server, read_items

SECONDS = 240.0
KILLS_OF_A_STATE = 25
LIKELY = 0.4
PARTS = 15
SHIFTS = (0, 0, 0, -7_200, -60, 60, 7_200, 3 * 86_400, -3 * 86_400)  # seconds by which the machine's clock is wrong
KEYS = {"DD_API_KEY": "0123456789abcdef0123456789abcdef"}
PATHS = {"otlp": "/otlp/v1/{}", "opensearch": "/opensearch/_bulk", "datadog": "/datadog/api/v2/{}"}
ROUTES = {"datadog": {"metrics": "series"}}

# Starts the job under a clock that is wrong by so many seconds.
LAUNCHER = """
import sys, time
shift = float(sys.argv.pop(1))
wall, nanoseconds = time.time, time.time_ns
time.time = lambda: wall() + shift
time.time_ns = lambda: nanoseconds() + int(shift * 1e9)
from mlvitals.cli import main
main()
"""


@dataclass
class World:
    """A year of real house sales in thirty files, three destinations, and states that are run to their ends."""

    folder: Path
    hostile: Hostile
    draw: random.Random
    until: str
    kills: Counter[str] = field(default_factory=Counter)
    shift: float = 0.0

    def configure(self, state: str) -> Path:
        url = self.hostile.url
        # A clock that is wrong by days must not make what is young old: `age` is for another test.
        queue = {"size": "1GiB", "age": "5200w"}
        document = {
            "models": [
                {
                    "name": "house-price",
                    "operating": {"path": "model.reference"},
                    "windows": {"size": "1w", "lateness": "1h"},
                    "labels": {"maturities": ["7d", "30d"]},
                    "performance": {"metrics": ["mae", "rmse"]},
                }
            ],
            "sources": [
                {"type": "file", "path": "events-*.jsonl", "role": "predictions"},
                {"type": "file", "path": "labels-*.jsonl", "role": "labels"},
            ],
            "sinks": [
                {"type": "local"},
                {"type": "otlp", "endpoint": f"{url}/otlp", "timeout": "1s", "queue": queue},
                {
                    "type": "opensearch",
                    "hosts": [f"{url}/opensearch"],
                    "timeout": "1s",
                    "queue": queue,
                    "templates": "off",
                },
                {
                    "type": "datadog",
                    "endpoints": dict.fromkeys(("metrics", "logs", "events"), f"{url}/datadog"),
                    "timeout": "1s",
                    "queue": queue,
                },
            ],
            "state": {"path": f"{state}/state.db", "key": {"path": "ids.key"}},
            "budget": {"export": "standard"},
        }
        path = self.folder / f"{state}.yaml"
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    def start(self, state: str, *words: str, shift: float = 0.0) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", LAUNCHER, str(shift), *words, "-c", str(self.configure(state))]
        return subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **KEYS}, cwd=self.folder
        )

    def run(self, state: str, *words: str) -> str:
        """Run a command to its end, under the latest of all clocks so far."""
        job = self.start(state, *words, shift=self.shift)
        _, told = job.communicate(timeout=SECONDS)
        assert job.returncode in {0, 1}, told.decode()
        return told.decode()

    def ask(self, state: str, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / state / "state.db", timeout=30)) as connection:
            return connection.execute(query).fetchall()

    def disturb(self, state: str) -> None:
        """Run for a moment under a wrong clock, at times on a full disk, and kill it."""
        shift = self.draw.choice(SHIFTS)
        self.shift = max(self.shift, shift)
        full = self.draw.random() < 0.2
        job = self.start(state, "run", "--until", self.until, "--patience", "3s", shift=shift)
        if full:
            limit = self.draw.choice([100_000, 1_000_000, 3_000_000])
            resource.prlimit(job.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        if self.draw.random() < 0.8:
            self.wait_for_work(job)
        with suppress(subprocess.TimeoutExpired):
            job.wait(self.draw.uniform(0.0, 3.0))
        ended = job.poll()
        job.send_signal(signal.SIGKILL)
        _, told = job.communicate()
        if job.returncode == -signal.SIGKILL:
            self.kills["on a full disk" if full else "with a wrong clock" if shift else "plainly"] += 1
        else:
            assert ended in {0, 1} or full, told.decode()
            self.kills["not: it had ended"] += 1

    def wait_for_work(self, job: subprocess.Popen[bytes]) -> None:
        """Wait until a run sends, or ends."""
        before, deadline = self.hostile.requests, time.monotonic() + 30
        while job.poll() is None and self.hostile.requests == before and time.monotonic() < deadline:
            time.sleep(0.01)

    def settle(self, state: str) -> None:
        """Let the servers be well again, and the queues drain."""
        self.hostile.likely = 0.0
        for _ in range(4):
            self.run(state, "outbox", "retry")
            told = self.run(state, "run", "--until", self.until, "--patience", "2m")
            if not self.ask(state, "SELECT 1 FROM outbox"):
                return
        raise AssertionError(told)

    def letters(self, state: str) -> dict[str, Items]:
        found: dict[str, Items] = {name: {} for name in PATHS}
        for destination, route, body in self.ask(state, "SELECT destination, route, body FROM dead_letter"):
            path = PATHS[destination].format(ROUTES.get(destination, {}).get(route, route))
            found[destination] |= read_items(path, body)
        return found

    def totals(self, state: str) -> dict[str, Counter[str]]:
        found: dict[str, Counter[str]] = {}
        for destination, fate, items in self.ask(state, "SELECT * FROM delivery_total"):
            found.setdefault(destination, Counter())[fate] = items
        for fates in found.values():
            assert fates["enqueued"] == fates.total() - fates["enqueued"]
        return found


def fates_of(whole: dict[str, Counter[str]], found: dict[str, Counter[str]]) -> None:
    for destination, fates in found.items():
        assert fates["enqueued"] == whole[destination]["enqueued"], destination
        assert fates["expired"] == fates["dropped"] == 0
        assert destination == "datadog" or fates["superseded"] == 0


def compare(whole: dict[str, Items], world: World, state: str) -> None:
    """Hold what the servers took and what lies in dead letters against what an undisturbed run delivered."""
    taken, letters = world.hostile.taken, world.letters(state)
    assert world.hostile.conflicts == []
    assert world.hostile.changed == []
    for destination in ("otlp", "opensearch"):
        assert letters[destination] | taken[destination] == whole[destination], destination
        assert taken[destination].items() <= whole[destination].items()

    def of_datadog(kind: str, items: Items) -> Items:
        return {key: value for key, value in items.items() if key[0] == kind}

    # A log's id does not depend on its stamp; points are told as of a time of their own, the newest of each series.
    assert of_datadog("log", taken["datadog"] | letters["datadog"]) == of_datadog("log", whole["datadog"])
    series = {key[:-1] for key in of_datadog("series", taken["datadog"] | letters["datadog"])}
    assert series == {key[:-1] for key in of_datadog("series", whole["datadog"])}


def hold(tmp_path: Path, repository: Path, kills: int, seed: int, *, until: str) -> World:
    """Kill so often, state after state, and hold each against an undisturbed one."""
    example = repository / "examples" / "kc_house"
    for name in ("events", "labels"):
        rows = gzip.decompress((example / f"{name}.jsonl.gz").read_bytes()).splitlines(keepends=True)
        for part in range(PARTS):
            chosen = rows[len(rows) * part // PARTS : len(rows) * (part + 1) // PARTS]
            (tmp_path / f"{name}-{part:02}.jsonl").write_bytes(b"".join(chosen))
    with hostile_server(seed) as hostile:
        world = World(tmp_path, hostile, random.Random(seed), until)
        data, reference = str(example / "reference.parquet"), str(tmp_path / "model.reference")
        world.run("whole", "reference", "build", "--data", data, "-o", reference)
        world.run("whole", "run", "--until", until)
        whole, account = hostile.taken, world.totals("whole")
        assert world.ask("whole", "SELECT 1 FROM outbox") == []
        assert all(len(items) > 50 for items in whole.values())
        number = 0
        while True:
            done = world.kills.total() - world.kills["not: it had ended"]
            if done >= kills:
                return world
            state = f"hostile-{number}"
            number += 1
            hostile.taken = {name: {} for name in PATHS}
            hostile.awaited.clear()
            hostile.likely = LIKELY
            for _ in range(min(KILLS_OF_A_STATE, kills - done)):
                world.disturb(state)
            world.settle(state)
            fates_of(account, world.totals(state))
            compare(whole, world, state)


@pytest.mark.soak
def test_two_hundred_kills_under_hostile_servers_lose_and_double_nothing(tmp_path, repository):
    began = time.monotonic()
    kills = int(os.environ.get("MLVITALS_SOAK_KILLS", "200"))
    world = hold(tmp_path, repository, kills, 8, until="2015-08-01T00:00:00Z")
    hostile = world.hostile
    print(  # noqa: T201  # the figures
        f"{time.monotonic() - began:.0f} s; kills {dict(world.kills)}; {hostile.requests} requests,"
        f" {hostile.twice} items came twice alike, none otherwise; answers {dict(sorted(hostile.played.items()))}"
    )
    assert set(hostile.played) == set(FAULTS)
