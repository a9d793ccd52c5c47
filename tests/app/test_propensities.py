"""A fraud model that stops its alarms but for some that are let through by chance: their labels speak for all."""

import gzip
import hashlib
import json
from collections import Counter

import msgspec
import pytest

from mlvitals.signals.measurement import Measurement

pytestmark = pytest.mark.shared

LAST = "60d"
LET_THROUGH = 0.3
METRICS = {"accuracy", "precision", "recall", "specificity", "f1"}
STEPS = ["2018-07-04T11:00:00Z", "2018-08-20T00:00:01Z", "2030-01-01T00:00:00Z"]


def is_let_through(event):
    """Whether an alarm is let through, as a coin would say that remembers the id."""
    digest = hashlib.sha256(event["prediction_id"].encode()).digest()
    return int.from_bytes(digest[:8], "big") < LET_THROUGH * 2**64


@pytest.fixture(scope="module")
def rows(truth):
    """Return what is true of weeks that all labels came of, by window start."""
    weeks = [row for row in truth("fraud")["rows"] if (row["size"], row["maturity"]) == ("1w", LAST)]
    return {row["window_start"]: row for row in weeks if row["labelled"] == row["served"]}


@pytest.fixture(scope="module")
def explored(shared_data, tmp_path_factory):
    """Return a folder with the set's events, each with its propensity, and the labels of those that went through."""
    folder, stopped = tmp_path_factory.mktemp("explored"), set()
    with gzip.open(shared_data / "fraud" / "events.jsonl.gz") as told, (folder / "events.jsonl").open("w") as kept:
        for line in told:
            event = json.loads(line)
            alarm = event["prediction"]["label"] == 1
            event["propensity"] = 1.0 if not alarm else LET_THROUGH if is_let_through(event) else 1 - LET_THROUGH
            if alarm and not is_let_through(event):
                stopped.add(event["prediction_id"])
            kept.write(json.dumps(event) + "\n")
    with gzip.open(shared_data / "fraud" / "labels.jsonl.gz") as told, (folder / "labels.jsonl").open("wb") as kept:
        kept.writelines(line for line in told if json.loads(line)["prediction_id"] not in stopped)
    return folder


@pytest.fixture(scope="module")
def run_with(explored, mlvitals, configure, shared_data, tmp_path_factory):
    """Run the set with the labels before or after the events, up to each of some times; return what it measured."""

    def run(steps, *, labels_first):
        folder = tmp_path_factory.mktemp("run")
        model = {
            "name": "card-fraud",
            "windows": {"size": "1w", "lateness": "10m"},
            "labels": {"maturities": ["7d", LAST], "horizon": "400d", "propensity": True},
            "performance": {"positive": "1"},
        }
        sources = [{"path": str(explored / f"{one}.jsonl"), "role": role} for one, role in SOURCES.items()]
        config = configure(folder, model, sources[::-1] if labels_first else sources)
        data = shared_data / "fraud" / "reference.parquet"
        build = ["reference", "build", "-c", config, "--data", data, "-o", folder / "model.reference"]
        for words in (build, *(["run", "-c", config, "--until", until] for until in steps)):
            answer = mlvitals(*words)
            assert answer.code == 0, answer.err
        answer = mlvitals("signals", "-c", config, "--format", "jsonl")
        found = msgspec.json.Decoder(Measurement).decode_lines(answer.out)
        return [one for one in found if one.attributes.get("maturity") == LAST]

    return run


SOURCES = {"events": "predictions", "labels": "labels"}


@pytest.fixture(scope="module")
def measured(run_with):
    return run_with(STEPS, labels_first=True)


def corrected(measured, rows, metric, method="propensity"):
    about = {"metric": metric, "method": method, "maturity": LAST}
    return {one.window_start: one for one in measured if one.attributes == about and one.window_start in rows}


def test_what_went_through_says_what_was_stopped(rows, measured, explored):
    """Each week's numbers of frauds that were stopped, by rows, without any of our code."""
    labels = {one["prediction_id"]: one["label"] for one in read(explored / "labels.jsonl")}
    cells: dict[str, Counter[tuple[int, int | None]]] = {start: Counter() for start in rows}
    for event in read(explored / "events.jsonl"):
        start = next((start for start, row in rows.items() if start <= event["timestamp"] < row["window_end"]), None)
        if start is not None:
            cells[start][event["prediction"]["label"], labels.get(event["prediction_id"])] += 1
    assert len(rows) > 5
    for start, counts in cells.items():
        caught, alarms, stopped = counts[1, 1], counts[1, 0], counts[1, None]
        frauds = caught + stopped * caught / (caught + alarms)
        expected = {"precision": frauds / (caught + alarms + stopped), "recall": frauds / (frauds + counts[0, 1])}
        for metric, value in expected.items():
            one = corrected(measured, rows, metric)[start]
            assert one.value == pytest.approx(value, rel=1e-12)
            assert one.lower < one.value < one.upper
            assert one.evidence["missing"] == stopped
            assert one.evidence["missing_expected"] == pytest.approx((caught + alarms) * (1 / LET_THROUGH - 1))


def test_it_is_near_what_all_labels_say_where_the_labelled_alone_are_far_from_it(rows, measured):
    for metric in METRICS:
        found = corrected(measured, rows, metric)
        assert set(found) == set(rows), metric
        inside = [one.lower <= rows[start].get(metric, one.value) <= one.upper for start, one in found.items()]
        assert sum(inside) >= len(inside) - 1, metric
    recall = corrected(measured, rows, "recall")
    about = {"metric": "recall", "maturity": LAST}
    plain = {
        one.window_start: one
        for one in measured
        if one.signal == "mlvitals.performance.score" and one.attributes == about and one.window_start in rows
    }
    off = [sum(abs(one[start].value - row["recall"]) for start, row in rows.items()) for one in (recall, plain)]
    assert off[0] < 0.2 * off[1]


def test_any_order_and_any_restart_leave_the_same(measured, run_with):
    assert told(run_with(STEPS[-1:], labels_first=False)) == told(measured)


def told(measured):
    return {
        (one.signal, one.window_start, *sorted(one.attributes.items())): (one.value, one.lower, one.upper)
        for one in measured
    }


def read(path):
    with path.open("rb") as file:
        yield from map(json.loads, file)
