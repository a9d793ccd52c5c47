"""Building references from rows whose labels stand beside them, or are events of their own."""

import gzip
import json

import pyarrow.parquet as pq
import pytest

from mlvitals.config import load
from mlvitals.setup.reference import build_reference


@pytest.fixture
def example(repository):
    return repository / "examples" / "kc_house"


@pytest.fixture
def model(example):
    return load(example / "mlvitals.yaml", {}).models[0]


def read(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def mean_absolute_error(reference):
    outcome = reference.summary.outcome(0)
    return outcome.total("absolute") / outcome.measured


def test_labels_that_are_events_of_their_own_find_their_predictions(example, model):
    paths = [str(example / name) for name in ("labels.jsonl.gz", "events.jsonl.gz")]
    built = build_reference(model, version=None, paths=paths, complete=True)
    values = {event["prediction_id"]: event["prediction"]["value"] for event in read(example / "events.jsonl.gz")}
    labels = {event["prediction_id"]: event["label"] for event in read(example / "labels.jsonl.gz")}
    errors = [abs(values[one] - label) for one, label in labels.items()]
    assert built.reference.summary.outcome(0).labelled == len(errors) == 13_113
    assert mean_absolute_error(built.reference) == pytest.approx(sum(errors) / len(errors), rel=1e-12)


def test_the_newest_of_several_labels_counts_in_any_order_of_the_files(example, model, tmp_path):
    corrected = {**read(example / "labels.jsonl.gz")[0], "timestamp": "2016-01-01T00:00:00Z", "label": 1.0}
    (tmp_path / "corrected.jsonl").write_text(json.dumps(corrected) + "\n", encoding="utf-8")
    usual = [str(example / "events.jsonl.gz"), str(example / "labels.jsonl.gz")]
    correction = str(tmp_path / "corrected.jsonl")
    first, last, without = (
        build_reference(model, version=None, paths=paths, complete=True).reference
        for paths in ([correction, *usual], [*usual, correction], usual)
    )
    assert first.hash == last.hash != without.hash


def test_labels_beside_the_rows_count_as_they_stand(example, model):
    built = build_reference(model, version=None, paths=[str(example / "reference.parquet")], complete=False)
    assert built.reference.summary.outcome(0).labelled == built.reference.summary.predictions == 3_297
    assert mean_absolute_error(built.reference) == pytest.approx(63_865.3, abs=0.05)  # as its origin tells


def test_failed_requests_are_no_predictions(example, model, tmp_path):
    events = read(example / "events.jsonl.gz")[:1_000]
    broken = [{**event, "prediction": {}, "error": "timeout"} for event in events[:300]]
    for name, rows in (("all", broken + events[300:]), ("served", events[300:])):
        text = "".join(json.dumps(event) + "\n" for event in rows)
        (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8")
    built = {
        name: build_reference(model, version=None, paths=[str(tmp_path / f"{name}.jsonl")], complete=True)
        for name in ("all", "served")
    }
    assert built["all"].reference.summary.predictions == 700
    assert built["all"].reference.hash == built["served"].reference.hash
    assert built["all"].other_models == 0


def test_rows_without_times_make_a_reference_without_a_series(example, model, tmp_path):
    table = pq.read_table(example / "reference.parquet")
    pq.write_table(table.drop_columns(["timestamp"]), tmp_path / "untimed.parquet")
    timed, untimed = (
        build_reference(model, version=None, paths=[str(path)], complete=False).reference
        for path in (example / "reference.parquet", tmp_path / "untimed.parquet")
    )
    assert untimed.hash == timed.hash
    assert sum(served[0] for served in timed.series.values()) == 3_297
    assert (untimed.series, untimed.provenance["rows"]) == ({}, "3297")


def test_rows_of_a_mapped_log_are_read_as_the_configuration_reads_its_sources(tmp_path):
    lines = [
        {"at": "2026-03-01T00:00:00Z", "request": {"sqft": 900 + row}, "answer": {"price": 1.5 * row}}
        for row in range(200)
    ]
    (tmp_path / "app.log").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (tmp_path / "mlvitals.yaml").write_text(
        """
models: [{name: houses, operating: {path: houses.reference}}]
sources:
  - type: file
    path: "*.log"
    format: {type: json, map: {timestamp: at, "features.*": "request.*", "prediction.value": answer.price}}
""",
        encoding="utf-8",
    )
    config = load(tmp_path / "mlvitals.yaml", {})
    built = build_reference(
        config.models[0],
        version=None,
        paths=[str(tmp_path / "app.log")],
        complete=True,
        formats=[source.format for source in config.sources],
    )
    assert [feature.name for feature in built.reference.layout.features] == ["sqft"]
    assert built.reference.summary.predictions == 200
