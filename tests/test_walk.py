"""Two walks through the house, as docs/how-it-works.md tells them: a prediction, and its label three days late."""

import json

import pytest

from mlvitals.app.run import run_once
from mlvitals.clock import DAY, HOUR, format_time, parse_time
from mlvitals.config import load
from mlvitals.engines.account import read_account
from mlvitals.setup.reference import build_reference
from mlvitals.sinks.local import measurements
from mlvitals.state import Store
from mlvitals.windows.reference import write_reference

MONDAY = parse_time("2026-03-02T00:00:00Z")
CONFIG = """
service: {name: walk, environment: test}
models:
  - name: card-fraud
    operating: {path: card-fraud.reference}
    windows: {size: 1h, lateness: 10m}
    labels: {maturities: [1d, 7d], horizon: 30d}
sources:
  - {type: file, path: predictions.jsonl, role: predictions}
  - {type: file, path: labels.jsonl, role: labels}
state: {path: state.db}
sinks:
  - {type: local}
"""


def write(path, events):
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(event) + "\n" for event in events)


def prediction(one, time, amount, score):
    event = {"event": "prediction", "timestamp": format_time(time), "model": "card-fraud", "model_version": "7"}
    features = {"amount": amount, "channel": "web" if one % 3 else "app"}
    return event | {"prediction_id": f"p{one}", "features": features, "prediction": {"score": score}, "latency_ms": 8.1}


def label(one, time, value):
    event = {"event": "label", "timestamp": format_time(time), "model": "card-fraud"}
    return event | {"prediction_id": f"p{one}", "label": value}


@pytest.fixture
def walk(tmp_path):
    (tmp_path / "mlvitals.yaml").write_text(CONFIG, encoding="utf-8")
    config = load(tmp_path / "mlvitals.yaml", {})
    rows = [prediction(n, MONDAY - 7 * DAY + n * HOUR // 10, 10 + n % 50, n % 100 / 100) for n in range(1_000)]
    write(tmp_path / "training.jsonl", rows)
    built = build_reference(config.models[0], version=None, paths=[str(tmp_path / "training.jsonl")], complete=True)
    write_reference(built.reference, tmp_path / "card-fraud.reference")
    (tmp_path / "labels.jsonl").touch()
    return tmp_path, config


def told(config, signal):
    with Store.open_read_only(config.state.path) as store:
        return [one for one in measurements(store, signal=signal) if one.window_start == format_time(MONDAY)]


def account(config):
    with Store.open_read_only(config.state.path) as store:
        return {(key.event, key.disposition): rows for key, rows in read_account(store.connection).items()}


def test_a_prediction_walks_from_its_file_into_a_measurement(walk):
    folder, config = walk
    write(folder / "predictions.jsonl", [prediction(n, MONDAY + n * HOUR // 200, 10 + n % 50, 0.3) for n in range(200)])

    report = run_once(config, until=MONDAY + HOUR, progress=lambda _: None)

    assert report.account.rows == 200
    assert report.delivered
    assert account(config) == {("prediction", "accepted"): 200}
    (count,) = told(config, "mlvitals.prediction.count")
    assert (count.value, count.window_end) == (200, format_time(MONDAY + HOUR))
    (location,) = told(config, "mlvitals.feature.drift.location")
    assert location.attributes == {"feature": "amount", "comparison": "operating"}
    assert abs(location.value or 0) < 0.1
    scores = {one.attributes["method"]: one for one in told(config, "mlvitals.prediction.drift.score")}
    assert scores["psi"].status == "warning", "every score is 0.3, where the reference spreads them evenly"


def test_its_label_comes_three_days_late_and_counts_only_at_the_maturity_that_waits_so_long(walk):
    folder, config = walk
    write(
        folder / "predictions.jsonl", [prediction(n, MONDAY + n * HOUR // 200, 20, n % 100 / 100) for n in range(200)]
    )
    write(folder / "labels.jsonl", [label(n, MONDAY + 3 * DAY + n, int(n % 100 >= 50)) for n in range(100)])

    run_once(config, until=MONDAY + HOUR + DAY, progress=lambda _: None)
    (early,) = told(config, "mlvitals.label.coverage.ratio")
    assert (early.attributes["maturity"], early.value) == ("1d", 0.0)

    run_once(config, until=MONDAY + HOUR + 7 * DAY, progress=lambda _: None)
    coverage = {one.attributes["maturity"]: one.value for one in told(config, "mlvitals.label.coverage.ratio")}
    assert coverage == {"1d": 0.0, "7d": 0.5}
    performance = {one.attributes["metric"]: one for one in told(config, "mlvitals.performance.score")}
    assert performance["accuracy"].value == performance["roc_auc"].value == 1.0
    assert account(config)["label", "accepted"] == 100


def test_a_correction_read_after_settling_revises_the_document_and_not_the_count_of_labels(walk):
    folder, config = walk
    write(folder / "predictions.jsonl", [prediction(n, MONDAY + n, 20, n % 100 / 100) for n in range(200)])
    write(folder / "labels.jsonl", [label(n, MONDAY + 3 * DAY, int(n % 100 >= 50)) for n in range(200)])
    run_once(config, until=MONDAY + HOUR + 7 * DAY, progress=lambda _: None)

    write(folder / "labels.jsonl", [label(60, MONDAY + 4 * DAY, 0)])
    run_once(config, until=MONDAY + HOUR + 7 * DAY, progress=lambda _: None)

    at_seven = {one.attributes["metric"]: one for one in told(config, "mlvitals.performance.score")}
    assert (at_seven["accuracy"].value, at_seven["accuracy"].revision) == (199 / 200, 1)
    assert (at_seven["accuracy"].samples, account(config)["label", "accepted"]) == (200, 201)
