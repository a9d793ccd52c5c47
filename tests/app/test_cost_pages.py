"""What mistakes cost has a detector of its own, where prices were given: it pages where nothing else has moved."""

import json
import sqlite3
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from mlvitals.clock import DAY, format_time, parse_time
from mlvitals.config import load
from mlvitals.setup.reference import build_reference
from mlvitals.windows.reference import write_reference

MONDAY = parse_time("2026-03-02T00:00:00Z")
DAYS, FAULT, ROWS = 42, 26, 300
DEARER = MONDAY + FAULT * DAY  # from then on what is missed is worth three times as much
COSTS: dict[str, Any] = {"currency": "EUR", "false_negative": {"amount": True}, "false_positive": 1.0}


def events(days, *, dearer):
    """Yield predictions and, a day later, their labels; a label says what its case was worth."""
    random = np.random.default_rng([7, days.start % 100])
    for day in days:
        for row in range(ROWS):
            time, name = MONDAY + day * DAY + row * DAY // ROWS, f"{day}-{row}"
            score, worth = float(random.beta(0.6, 1.4)), float(random.lognormal(3.0, 0.5))
            about = {"model": "claims", "model_version": "1", "prediction_id": name}
            prediction = {"score": score, "label": int(score > 0.5)}
            yield {"event": "prediction", "timestamp": format_time(time), **about, "prediction": prediction}
            worth *= 3 if dearer and time >= DEARER else 1
            truth = int(random.random() < score)
            yield {"event": "label", "timestamp": format_time(time + DAY), **about, "label": truth, "amount": worth}


def lines(some):
    return "".join(json.dumps(one) + "\n" for one in sorted(some, key=lambda one: one["timestamp"]))


def write_config(folder, costs):
    """Write a configuration with these prices, none where they are None."""
    model = {
        "name": "claims",
        "operating": {"path": "claims.reference"},
        "windows": {"size": "1d", "lateness": "1h"},
        "labels": {"maturities": ["2d"], "horizon": "10d"},
        **({} if costs is None else {"cost": costs}),
    }
    document = {
        "models": [model],
        "sources": [{"type": "file", "path": "events.jsonl"}],
        "sinks": [{"type": "stdout"}],
        "state": {"path": "state.db"},
    }
    path = folder / "mlvitals.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.fixture
def start(tmp_path):
    """Return what writes events and a reference of the weeks before them."""

    def begin(*, dearer):
        path = write_config(tmp_path, COSTS)
        usual = [one for one in events(range(-21, 0), dearer=False) if one["event"] == "prediction"]
        (tmp_path / "usual.jsonl").write_text(lines(usual), encoding="utf-8")
        (model,) = load(path, {}).models
        built = build_reference(model, version=None, paths=[str(tmp_path / "usual.jsonl")], complete=True)
        write_reference(built.reference, tmp_path / "claims.reference")
        (tmp_path / "events.jsonl").write_text(lines(events(range(DAYS), dearer=dearer)), encoding="utf-8")
        return tmp_path

    return begin


def told(mlvitals, folder, costs, *words):
    """Run under these prices; return what is told of pages."""
    answer = mlvitals("run", "-c", write_config(folder, costs), *words)
    assert answer.code == 0, answer.err
    records = [json.loads(line) for line in answer.out.splitlines()]
    return [one for one in records if one.get("event_name", "").startswith("mlvitals.page")]


def test_mistakes_that_become_dearer_page_as_cost_and_say_what_they_cost(mlvitals, start):
    (page,) = told(mlvitals, start(dearer=True), COSTS, "--once")
    body = page["body"]
    assert (body["detector"], body["component"], body["unit"]) == ("cost", "mean", "{log ratio}")
    assert "cost of claims at 2d" in body["text"]
    assert parse_time(body["onset"]) == pytest.approx(DEARER, abs=2 * DAY)
    assert (parse_time(page["time"]) - DEARER) / DAY <= 6
    assert body["lower"] < np.log(3) < body["upper"] + 0.3  # false alarms cost what they did
    assert body["harm"]["currency"] == "EUR"


@pytest.mark.parametrize("costs", [COSTS, None])
def test_what_costs_as_ever_or_has_no_price_pages_no_one(mlvitals, start, costs):
    assert told(mlvitals, start(dearer=costs is None), costs, "--once") == []


def test_other_prices_are_no_incident_and_end_what_the_old_ones_paged(mlvitals, start):
    folder = start(dearer=True)
    until = format_time(DEARER + 10 * DAY)
    (page,) = told(mlvitals, folder, COSTS, "--until", until)
    (closed,) = told(mlvitals, folder, {**COSTS, "false_positive": 400.0}, "--once")
    assert closed["event_name"] == "mlvitals.page.closed"
    assert closed["body"]["episode"] == page["body"]["episode"]
    with closing(sqlite3.connect(folder / "state.db")) as connection:
        assert connection.execute("SELECT count(*) FROM episode WHERE until IS NULL").fetchone() == (0,)
