"""A model that ranks is judged by what turned out to be relevant, however its log is written and in any order."""

import json
import math
import random
from collections import defaultdict

import pytest

from mlvitals.clock import MINUTE, SECOND, format_time, parse_time

START = parse_time("2026-03-02T12:00:00Z")
CATALOGUE = [f"item-{index}" for index in range(40)]
MAPPED = {
    "type": "json",
    "map": {
        "timestamp": "at",
        "prediction_id": "id",
        "features.*": "in.*",
        "prediction.ranking": "out.list",
        "relevance": "out.grades",
    },
}


def draw(count, seed, start):
    """Return predictions, a second apart, with their rankings and what was relevant; some have neither or nothing."""
    random_ = random.Random(seed)
    drawn = []
    for index in range(count):
        ranking = random_.sample(CATALOGUE, random_.choice([0, 3, 12, 25]))
        grades = {one: random_.choice([0, 1, 2, 3.5]) for one in random_.sample(CATALOGUE, random_.choice([0, 2, 8]))}
        drawn.append((f"p{seed}-{index}", start + index * SECOND, ranking, grades))
    return drawn


def native(one, time, ranking):
    return {
        "event": "prediction",
        "timestamp": format_time(time),
        "model": "m",
        "model_version": "1",
        "prediction_id": one,
        "features": {"x": len(ranking)},
        "prediction": {"ranking": ranking},
    }


def label(one, time, grades):
    said = {"event": "label", "timestamp": format_time(time), "model": "m", "prediction_id": one}
    return said | {"relevance": grades}


def mapped(one, time, ranking):
    return {"at": format_time(time), "id": one, "in": {"x": len(ranking)}, "out": {"list": ranking}}


def mapped_label(one, time, grades):
    return {"at": format_time(time), "id": one, "out": {"grades": grades}}


def expect(ranking, grades, cutoff):
    gains = [grades.get(one, 0) for one in ranking]
    best = sorted(grades.values(), reverse=True)

    def gained(values):
        return math.fsum(value / math.log2(place + 2) for place, value in enumerate(values[:cutoff]))

    precise = math.fsum(
        sum(gain > 0 for gain in gains[: place + 1]) / (place + 1)
        for place, gain in enumerate(gains[:cutoff])
        if gain > 0
    )
    relevant = sum(grade > 0 for grade in grades.values())
    return {f"ndcg@{cutoff}": gained(gains) / gained(best), f"map@{cutoff}": precise / min(cutoff, relevant)}


def told(world, mlvitals, maturity):
    found: dict[int, dict[str, dict[str, object]]] = defaultdict(dict)
    for line in mlvitals("signals", "-c", world.config, "--format", "jsonl").out.splitlines():
        one = json.loads(line)
        if one["signal"] == "mlvitals.performance.score" and one["attributes"]["maturity"] == maturity:
            found[parse_time(one["window_start"])].setdefault(one["attributes"]["metric"], one)
    return found


def build_reference(world, mlvitals):
    rows = [
        native(one, time, ranking) | {"relevance": grades}
        for one, time, ranking, grades in draw(300, 3, START - 60 * MINUTE)
    ]
    path = world.write("rows.jsonl", rows)
    built = mlvitals("reference", "build", "-c", world.config, "--data", path, "-o", world.folder / "model.reference")
    assert built.code == 0, built.err


@pytest.fixture(params=["native", "mapped"])
def write(request, world, mlvitals):
    """Make a world that reads one way of writing; return how predictions and labels are written in it."""
    world.configure(model={"performance": {"metrics": ["ndcg@5", "ndcg@20", "map@5", "map@20"]}})
    build_reference(world, mlvitals)
    if request.param == "native":
        world.configure(model={"performance": {"metrics": ["ndcg@5", "ndcg@20", "map@5", "map@20"]}})
        return native, label
    sources = [
        {"type": "file", "path": f"{name}*", "role": role, "format": MAPPED}
        for name, role in (("events", "predictions"), ("labels", "labels"))
    ]
    world.configure(
        sources=sources,
        sinks=[{"type": "local"}],
        model={"performance": {"metrics": ["ndcg@5", "ndcg@20", "map@5", "map@20"]}},
    )
    return mapped, mapped_label


def test_every_window_has_the_values_of_the_formulas(write, world, mlvitals):
    of_prediction, of_label = write
    drawn = draw(400, 5, START)
    shuffled = random.Random(7)
    # Each label first says something else, and is corrected within a minute of its prediction: half of the first ones,
    # and those of predictions that are yet to come, are read by an earlier process than their corrections.
    first = [of_label(one, time + 5 * SECOND, {"item-0": 1}) for one, time, _, _ in drawn]
    final = [of_label(one, time + 20 * SECOND, grades) for one, time, _, grades in drawn]
    shuffled.shuffle(first)
    shuffled.shuffle(final)
    world.write("events-1.jsonl", [of_prediction(*one[:3]) for one in drawn[:250]])
    world.write("labels-1.jsonl", first + final[:100])
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    world.write("events-2.jsonl", [of_prediction(*one[:3]) for one in drawn[250:]])
    world.write("labels-2.jsonl", final[100:] + first[:30])
    assert mlvitals("run", "-c", world.config, "--once").code == 0

    expected = defaultdict(list)
    for one, time, ranking, grades in drawn:
        del one
        if any(grades.values()):
            values = expect(ranking, grades, 5) | expect(ranking, grades, 20)
            expected[time - time % MINUTE].append(values)
    settled = told(world, mlvitals, "1m")
    assert len(settled) >= 4
    for start, metrics in settled.items():
        assert set(metrics) == {"ndcg@5", "ndcg@20", "map@5", "map@20"}
        for metric, one in metrics.items():
            values = [row[metric] for row in expected[start]]
            assert one["value"] == pytest.approx(math.fsum(values) / len(values), rel=1e-12), metric
            assert one["samples"] == len(values)
            assert one["lower"] < one["value"] < one["upper"]


def test_without_metrics_a_log_of_rankings_tells_its_task_and_is_cut_at_ten(world, mlvitals):
    build_reference(world, mlvitals)
    world.configure()
    drawn = draw(200, 5, START)
    world.write("events.jsonl", [native(*one[:3]) for one in drawn])
    world.write("labels.jsonl", [label(one, time + 5 * SECOND, grades) for one, time, _, grades in drawn])
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    settled = told(world, mlvitals, "1m")
    assert settled
    assert all(set(metrics) == {"ndcg@10", "map@10"} for metrics in settled.values())


def test_a_reference_is_learnt_from_rankings_as_they_are_served(world, mlvitals):
    world.configure(model={"operating": {"first": "2m"}})
    drawn = draw(400, 5, START)
    world.write("events.jsonl", [native(*one[:3]) for one in drawn])
    world.write("labels.jsonl", [label(one, time + 5 * SECOND, grades) for one, time, _, grades in drawn])
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    settled = told(world, mlvitals, "1m")
    assert len(settled) >= 4
    assert all(set(metrics) == {"ndcg@10", "map@10"} for metrics in settled.values())


def test_coverage_delay_and_volume_are_those_of_any_model(world, mlvitals):
    build_reference(world, mlvitals)
    world.configure()
    drawn = draw(200, 5, START)
    world.write("events.jsonl", [native(*one[:3]) for one in drawn])
    world.write("labels.jsonl", [label(one, time + 5 * SECOND, grades) for one, time, _, grades in drawn[::2]])
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    found = defaultdict(list)
    for line in mlvitals("signals", "-c", world.config, "--format", "jsonl").out.splitlines():
        one = json.loads(line)
        found[one["signal"]].append(one.get("value"))
    assert set(found["mlvitals.label.coverage.ratio"]) == {0.5}
    assert found["mlvitals.label.delay"]
    assert max(found["mlvitals.prediction.count"]) == 60
