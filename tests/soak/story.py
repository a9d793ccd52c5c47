"""A job over hours of events of three models, told to servers of four protocols, started by a clock of its own."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlvitals.clock import HOUR, MINUTE, format_time, parse_time
from tests.soak.acts import TIMEOUT
from tests.soak.receivers import NAMES, World

BEGIN = parse_time("2026-03-02T00:00:00Z")
SECRETS = {name: f"{name}-5ecret-0123456789abcdef" for name in NAMES}
LAUNCHER = Path(__file__).with_name("launcher.py")
MICROSECOND = 1_000
HEALED = 8 * HOUR  # after the last stage: later than any clock was


@dataclass
class WorldClock:
    """The clock of the process that runs, by which Datadog tells ages, too."""

    jumps: list[tuple[int, int]] = field(default_factory=list)

    def now(self) -> int:
        moment = time.monotonic_ns()
        ahead = next((ahead for since, ahead in reversed(self.jumps) if since <= moment), 0)
        return (time.time_ns() + ahead) // MICROSECOND


@dataclass
class Story:
    """A job over hours of events, its servers, and what was done to it."""

    folder: Path
    stages: int
    world: World
    clock: WorldClock
    name: str
    told: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    _late: list[tuple[int, int]] = field(default_factory=list)

    @property
    def state(self) -> Path:
        return self.folder / self.name / "state.db"

    def configure(self) -> Path:
        timeout: dict[str, Any] = {"timeout": f"{int(TIMEOUT * 1000)}ms", "queue": {"age": "3650d"}}
        urls = self.world.urls
        otlp: dict[str, Any] = {"type": "otlp", "headers": {"Authorization": SECRETS["otlp"]}, **timeout}
        endpoints = dict.fromkeys(("metrics", "logs", "events"), urls["datadog"])
        sinks = [
            {"type": "local"},
            {**otlp, "endpoint": urls["otlp"]},
            {
                **otlp,
                "name": "grpc",
                "endpoint": urls["grpc"],
                "protocol": "grpc",
                "headers": {"authorization": SECRETS["grpc"]},
            },
            {"type": "datadog", "api_key": SECRETS["datadog"], "endpoints": endpoints, **timeout},
            {"type": "opensearch", "hosts": [urls["opensearch"]], "api_key": SECRETS["opensearch"], **timeout},
        ]
        windows = {"size": "1h", "lateness": "0s"}
        models: list[dict[str, Any]] = [
            {"name": "fraud", "labels": {"maturities": ["1h"]}, "segments": ["colour"]},
            {"name": "price", "labels": {"maturities": ["1h"]}, "performance": {"metrics": ["mae"]}},
            {"name": "quiet"},
        ]
        document = {
            "models": [{"operating": {"first": "2h"}, "windows": windows, **model} for model in models],
            "sources": [{"type": "file", "path": str(self.folder / "events-*.jsonl")}],
            "sinks": sinks,
            "state": {"path": str(self.state), "key": {"path": str(self.folder / "ids.key")}},
            "budget": {"export": "full"},
        }
        path = self.folder / f"{self.name}.yaml"
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    def words(self, stage: int, patience: str) -> list[str]:
        until = format_time(BEGIN + stage * HOUR)
        return ["run", "-c", str(self.configure()), "--until", until, "--patience", patience]

    def ahead(self, stage: int) -> int:
        """Return how far a clock is ahead of the system's, in nanoseconds, that tells a stage's end."""
        return (BEGIN + stage * HOUR + 2 * MINUTE) * MICROSECOND - time.time_ns()

    def late(self) -> list[tuple[int, int]]:
        """Return the jumps of a clock that tells what is later than any clock was."""
        if not self._late:
            self._late = [(0, self.ahead(self.stages) + HEALED * MICROSECOND)]
        return self._late

    def start(self, plan: dict[str, Any]) -> subprocess.Popen[bytes]:
        plan = {"state": str(self.state), **plan}
        self.clock.jumps = [tuple(jump) for jump in plan["runs"][0][1]]
        command = [sys.executable, str(LAUNCHER), json.dumps(plan)]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        )

    def end(self, run: subprocess.Popen[bytes]) -> str:
        try:
            said, told = run.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGABRT)  # it tells where its threads stand
            said, told = run.communicate()
            raise AssertionError(told.decode()) from None
        text = told.decode()
        self.told.append(said.decode() + text)
        assert "Traceback" not in text, text
        return said.decode()


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}


def write_events(folder: Path, stages: int) -> None:
    """Write events of three models, in order, one file for some hours."""
    draw = random.Random(4)
    for hour in range(stages):
        lines = []
        for number in range(40):
            moment = BEGIN + hour * HOUR + number * HOUR // 40
            for model in ("fraud", "price", "quiet"):
                lines += [json.dumps(event) for event in predict(model, f"{hour}-{number}", moment, hour, draw)]
        with (folder / f"events-{hour // 8:03}.jsonl").open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")


def predict(model: str, number: str, moment: int, hour: int, draw: random.Random) -> Iterator[dict[str, Any]]:
    score = draw.random()
    about = {"model": model, "prediction_id": f"{model}-{number}"}
    features = {"x": draw.gauss(hour / 50), "colour": draw.choice(["red", "green", "blue"])}
    prediction = {"label": 100 * score} if model == "price" else {"label": int(score > 0.5), "score": score}
    time = {"timestamp": format_time(moment)}
    version = {"model_version": str(1 + hour // 12)}
    yield {"event": "prediction", **time, **about, **version, "features": features, "prediction": prediction}
    if model != "quiet" and draw.random() < 0.8:
        truth = 100 * score + draw.gauss(0, 5) if model == "price" else int(draw.random() < score)
        yield {"event": "label", "timestamp": format_time(moment), **about, "label": truth}
