"""A model that logs nothing but its classes' probabilities is judged by them, however its log is written."""

import json
import math
from collections import defaultdict
from operator import itemgetter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlvitals.clock import MINUTE, SECOND, format_time, parse_time

CLASSES = ("bus", "car", "e.bike")
START = parse_time("2026-03-02T12:00:00Z")
MAPPED = {
    "type": "json",
    "map": {
        "timestamp": "at",
        "prediction_id": "id",
        "features.*": "in.*",
        "prediction.probabilities.*": "out.shares.*",
    },
}


def draw(count, seed, start):
    """Return predictions with what came true, a second apart."""
    random = np.random.default_rng(seed)
    shares = np.round(random.dirichlet([3, 2, 1], count), 4)
    drawn = []
    for index, row in enumerate(shares.tolist()):
        true = CLASSES[int(random.choice(3, p=np.array(row) / sum(row)))]
        drawn.append((f"p{index}", start + index * SECOND, dict(zip(CLASSES, row, strict=True)), true))
    return drawn


def native(one, time, shares):
    return {
        "event": "prediction",
        "timestamp": format_time(time),
        "model": "m",
        "prediction_id": one,
        "features": {"x": shares["bus"]},
        "prediction": {"probabilities": shares},
    }


def mapped(one, time, shares):
    return {"at": format_time(time), "id": one, "in": {"x": shares["bus"]}, "out": {"shares": shares}}


def table(drawn):
    return pa.table(
        {
            "timestamp": pa.array([time for _, time, _, _ in drawn]).cast(pa.timestamp("us", tz="UTC")),
            "prediction_id": [one for one, _, _, _ in drawn],
            "features.x": [shares["bus"] for _, _, shares, _ in drawn],
            **{
                "prediction.probabilities." + name.replace(".", "\\."): [shares[name] for _, _, shares, _ in drawn]
                for name in CLASSES
            },
        }
    )


@pytest.fixture(params=["native", "mapped", "parquet"])
def served(request, world, mlvitals):
    """Serve a model of which nothing but probabilities is logged; return what was drawn."""
    drawn = draw(300, 5, START)
    rows = [
        native(f"r{one}", time, shares) | {"label": true}
        for one, time, shares, true in draw(500, 3, START - 60 * MINUTE)
    ]
    path = world.write("rows.jsonl", rows)
    reference = world.folder / "model.reference"
    built = mlvitals("reference", "build", "-c", world.config, "--data", path, "-o", reference)
    assert built.code == 0, built.err
    format_of = {"native": {"type": "mlvitals"}, "mapped": MAPPED, "parquet": {"type": "parquet"}}[request.param]
    sources = [
        {"type": "file", "path": "served*", "role": "predictions", "format": format_of},
        {"type": "file", "path": "labels*", "role": "labels"},
    ]
    world.configure(sources=sources, sinks=[{"type": "local"}])
    if request.param == "parquet":
        pq.write_table(table(drawn), world.folder / "served.parquet")
    else:
        write = native if request.param == "native" else mapped
        world.write("served.jsonl", [write(*one[:3]) for one in drawn])
    labels = [
        {
            "event": "label",
            "timestamp": format_time(time + 20 * SECOND),
            "model": "m",
            "prediction_id": one,
            "label": true,
        }
        for one, time, _, true in drawn
    ]
    world.write("labels.jsonl", labels)
    return drawn


def test_every_window_is_judged_as_numpy_judges_it(served, world, mlvitals):
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    told: dict[int, dict[str, float]] = defaultdict(dict)
    for line in mlvitals("signals", "-c", world.config, "--format", "jsonl").out.splitlines():
        one = json.loads(line)
        if (
            one["signal"].startswith(("mlvitals.performance.score", "mlvitals.performance.error"))
            and one["attributes"]["maturity"] == "1m"
        ):
            told[parse_time(one["window_start"])].setdefault(one["attributes"]["metric"], one.get("value"))
    expected = defaultdict(list)
    for _, time, shares, true in served:
        expected[time - time % MINUTE].append((shares, true))
    settled = {start: metrics for start, metrics in told.items() if metrics}
    assert len(settled) >= 3
    for start, metrics in settled.items():
        rows = expected[start]
        losses = [-math.log(min(max(shares[true], 2**-52), 1 - 2**-52)) for shares, true in rows]
        briers = [sum((share - (name == true)) ** 2 for name, share in shares.items()) for shares, true in rows]
        right = [max(shares.items(), key=itemgetter(1))[0] == true for shares, true in rows]
        assert metrics["log_loss"] == pytest.approx(np.mean(losses), rel=1e-6)
        assert metrics["brier"] == pytest.approx(np.mean(briers), rel=1e-6)
        assert metrics["accuracy"] == np.mean(right)
