"""A feed that carries labels of the positive class alone: who has none at the last maturity is negative."""

import gzip
import json

import msgspec
import pytest

from mlvitals.signals.measurement import Measurement

pytestmark = pytest.mark.shared

LAST = "60d"
COST = {"currency": "USD", "false_negative": {"amount": "features.amount"}, "false_positive": 5.0}
SCORES = {"accuracy", "precision", "recall", "f1", "roc_auc"}
ERRORS = {"brier", "log_loss"}
STEPS = ["2018-07-04T11:00:00Z", "2018-08-20T00:00:01Z", "2030-01-01T00:00:00Z"]


@pytest.fixture(scope="module")
def rows(truth):
    """Return what is true of weeks, by window start and maturity."""
    return {(row["window_start"], row["maturity"]): row for row in truth("fraud")["rows"] if row["size"] == "1w"}


@pytest.fixture(scope="module")
def frauds(shared_data):
    """Return the set's labels, the latest first, of frauds alone."""
    with gzip.open(shared_data / "fraud" / "labels.jsonl.gz") as told:
        return [line for line in reversed(told.readlines()) if json.loads(line)["label"]]


@pytest.fixture(scope="module", params=["labels-first", "labels-last"])
def folder(request, tmp_path_factory):
    """Return a folder named after when the labels are there."""
    return tmp_path_factory.mktemp(request.param, numbered=False)


@pytest.fixture(scope="module")
def measured(folder, frauds, mlvitals, configure, shared_data):
    """Return the measurements of the set with frauds alone for labels: there before it and in three runs, or after."""
    data, first = shared_data / "fraud", folder.name == "labels-first"
    (folder / "labels.jsonl").write_bytes(b"".join(frauds if first else []))
    model = {
        "name": "card-fraud",
        "windows": {"size": "1w", "lateness": "10m"},
        "labels": {"maturities": ["1d", "7d", "30d", "45d", LAST], "horizon": "400d", "only": "positive"},
        "performance": {"positive": "1"},
        "cost": COST,
    }
    labels = {"path": str(folder / "labels.jsonl"), "role": "labels"}
    served = {"path": str(data / "events.jsonl.gz"), "role": "predictions"}
    config = configure(folder, model, [labels, served] if first else [served, labels])
    build = ["reference", "build", "-c", config, "--data", data / "reference.parquet", "-o", folder / "model.reference"]
    runs = [["run", "-c", config, "--until", until] for until in STEPS] if first else [["run", "-c", config, "--once"]]
    for words in (build, *runs):
        answer = mlvitals(*words)
        assert answer.code == 0, answer.err
    if not first:
        (folder / "labels.jsonl").write_bytes(b"".join(frauds))
        answer = mlvitals("run", "-c", config, "--until", STEPS[-1])
        assert answer.code == 0, answer.err
    answer = mlvitals("signals", "-c", config, "--format", "jsonl")
    return msgspec.json.Decoder(Measurement).decode_lines(answer.out)


def of(measured, signal, **attributes):
    return {
        (one.window_start, one.attributes["maturity"]): one
        for one in measured
        if one.signal == signal and attributes.items() <= one.attributes.items()
    }


def matured(rows):
    """Return the weeks of which every label is known at the last maturity."""
    return {key: row for key, row in rows.items() if key[1] == LAST and row["labelled"] == row["served"]}


def test_at_the_last_maturity_performance_is_that_of_all_labels(rows, measured):
    assert len(matured(rows)) > 5
    for metric in SCORES | ERRORS:
        signal = "mlvitals.performance.score" if metric in SCORES else "mlvitals.performance.error"
        found = of(measured, signal, metric=metric)
        for key, row in matured(rows).items():
            error = 1e-2 if metric == "roc_auc" else 1e-12
            assert found[key].value == pytest.approx(row[metric], abs=error), (key, metric)
            assert found[key].evidence["coverage"] == 1
            assert found[key].samples == row["served"] or metric not in {"accuracy", *ERRORS}


def test_at_the_last_maturity_costs_are_those_of_all_labels_to_the_cent(rows, measured):
    totals = of(measured, "mlvitals.cost.total")
    for key, row in matured(rows).items():
        for part in ("false_negative", "false_positive"):
            assert totals[key].evidence[part] == round(row[f"cost_{part}"], 2), (key, part)


def test_before_the_last_maturity_silence_says_nothing_and_frauds_alone_are_no_performance(measured):
    told = ("mlvitals.label.", "mlvitals.performance.corrected", "mlvitals.performance.evidence")
    for one in measured:
        if one.attributes.get("maturity", LAST) != LAST:
            assert one.signal.startswith(told)


def test_coverage_counts_labels_and_never_silence(rows, measured):
    found = of(measured, "mlvitals.label.coverage.ratio")
    assert {key for key, _ in rows.items()} <= set(found)
    for key, row in rows.items():
        assert found[key].evidence["labelled"] == row["tp"] + row["fn"], key


def test_the_delay_is_that_of_the_labels_that_come(rows, measured):
    median = of(measured, "mlvitals.label.delay", quantile="0.5")
    assert {maturity for _, maturity in median} == {LAST}
    assert set(matured(rows)) <= set(median)


def test_a_young_week_is_corrected_by_how_frauds_of_matured_ones_came(rows, measured):
    found = of(measured, "mlvitals.performance.corrected", metric="recall", method="delay_curves")
    assert found
    inside = [one.lower <= rows[start, LAST]["recall"] <= one.upper for (start, _), one in found.items()]
    assert sum(inside) >= 0.8 * len(inside)
