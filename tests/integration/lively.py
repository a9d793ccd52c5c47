"""Two models with all that there is to tell: versions, segments, labels, costs, drift, and an incident at the end.

Their windows are a day long and end today, so that a backend which takes points of the last month takes every one.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mlvitals.clock import DAY, SystemClock, format_time
from tests.cli.conftest import in_this_process

WINDOWS = 24
REFERENCE = 28  # days: weeks of it are left out in turn, to check what is promised
ROWS = 500  # of each model in a window: estimates need 300
INCIDENT = 8  # the last windows
MODELS = ("approval", "routing")
_CLASSES = ("a", "b", "c")
_COST = {"currency": "EUR", "false_negative": 40.0, "false_positive": 5.0, "downtime": 0.5}


@dataclass(frozen=True, slots=True)
class Lively:
    """A folder with events, references and a configuration that is still without sinks."""

    folder: Path
    now: int

    @classmethod
    def make(cls, folder: Path) -> "Lively":
        """Write events of the last windows up to now, and references of those before."""
        made = cls(folder, SystemClock().now() // DAY * DAY)
        usual = [*made._events(-WINDOWS - REFERENCE, -WINDOWS)]
        (folder / "usual.jsonl").write_text("".join(usual), "utf-8")
        (folder / "events.jsonl").write_text("".join(made._events(-WINDOWS, 0)), "utf-8")
        made.configure([{"type": "stdout"}])
        for model in MODELS:
            words = ["reference", "build", "-c", folder / "mlvitals.yaml", "--model", model, "--complete"]
            answer = in_this_process(*words, "--data", folder / "usual.jsonl", "-o", folder / f"{model}.reference")
            assert answer.code == 0, answer.err
        return made

    def tell(self, sinks: list[dict[str, Any]]) -> None:
        """Let two runs tell these sinks, a second apart: totals grow only where a backend keeps two points."""
        config = self.configure(sinks)
        for turn in range(2):
            if turn:
                time.sleep(1.1)
            answer = in_this_process("run", "-c", config, "--once")
            assert answer.code == 0, answer.err

    def configure(self, sinks: list[dict[str, Any]]) -> Path:
        """Write the configuration with these sinks and return its path."""
        document = {
            "service": {"name": "lively", "environment": "test"},
            "models": [
                {
                    "name": model,
                    "owner": "shop",
                    "windows": {"size": "1d", "lateness": "0s"},
                    "labels": {"maturities": ["1d", "5d"], "delay": "1d", "horizon": "10d"},
                    "operating": {"path": f"{model}.reference"},
                    "versions": {version: {"training": f"{model}.reference"} for version in ("1", "2")},
                    "segments": ["channel"],
                    **({"performance": {"positive": "1"}, "cost": _COST} if model == MODELS[0] else {}),
                }
                for model in MODELS
            ],
            "budget": {"export": "full"},
            "sources": [{"type": "file", "path": "events.jsonl", "format": {"type": "mlvitals"}}],
            "sinks": sinks,
            "state": {"path": "state.db"},
        }
        path = self.folder / "mlvitals.yaml"
        path.write_text(json.dumps(document), "utf-8")
        return path

    def _events(self, first: int, last: int) -> Iterator[str]:
        random = np.random.default_rng(7)
        for window in range(first, last):
            moved = window >= -INCIDENT
            for model in MODELS:
                for row in range(ROWS):
                    when = self.now + window * DAY + row * DAY // ROWS
                    yield from _row(random, model, when, f"{model}-{window}-{row}", moved=moved)


def _row(random: np.random.Generator, model: str, when: int, name: str, *, moved: bool) -> Iterator[str]:
    amount = random.normal(2.0 if moved else 0.0)
    channel = str(random.choice(["web", "app"]))
    features = {"amount": amount, "channel": channel, "shop": f"s{int(random.integers(12 if moved else 9))}"}
    event: dict[str, Any] = {
        "event": "prediction",
        "timestamp": format_time(when),
        "model": model,
        "model_version": str(int(random.choice([1, 1, 2]))),
        "prediction_id": name,
        "features": features,
        "latency_ms": float(random.gamma(2.0, 10.0)),
    }
    if model == MODELS[0]:
        score = float(random.beta(1.0, 3.0))
        event["prediction"] = {"score": score, "label": str(int(score > 0.5))}
        truth = str(int(random.random() < score))
    else:
        shares = random.dirichlet([2.0, 1.0, 1.0])
        event["prediction"] = {
            "probabilities": dict(zip(_CLASSES, map(float, shares), strict=True)),
            "label": _CLASSES[int(shares.argmax())],
        }
        truth = str(random.choice(_CLASSES, p=shares))
    yield json.dumps(event) + "\n"
    if random.random() < 0.8:
        later = when + int(random.exponential(0.5) * DAY)
        label = {"event": "label", "timestamp": format_time(later), "model": model, "prediction_id": name}
        yield json.dumps({**label, "label": truth}) + "\n"
