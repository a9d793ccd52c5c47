"""Served, labelled and every performance value against brute force over the same files."""

import gzip
import json
import math
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from mlvitals.clock import DAY, format_time, parse_time
from mlvitals.signals.measurement import Measurement

pytestmark = pytest.mark.shared

SETS = ["elec2", "kc_house", "fraud", "chicago_taxi", "clinc150_embeddings"]
SIZES = ["1w", "1mo"]
CLASSES = ("accuracy", "precision", "recall", "f1", "specificity", "balanced_accuracy", "mcc", "roc_auc")
METRICS = (*CLASSES, "log_loss", "brier", "r2", "mae", "rmse", "mape", "bias")
BOUND = 0.005  # of the area under the curve, wherever it rests on enough labels
ENOUGH = 30


@pytest.fixture(scope="session", params=[(name, size) for name in SETS for size in SIZES], ids="-".join)
def told(request, real, truth):
    """Return what was measured and what is true, both by window start and maturity."""
    name, size = request.param
    rows = {(row["window_start"], row["maturity"]): row for row in truth(name)["rows"] if row["size"] == size}
    measured: dict[tuple[str, str], dict[str, Measurement]] = {}
    for one in real(name, size).measurements:
        if "method" in one.attributes:  # no truth but an estimate of it, or a distance
            continue
        key = (one.window_start, one.attributes.get("maturity", ""))
        measured.setdefault(key, {})[one.attributes.get("metric", one.signal)] = one
    return measured, rows


def test_the_windows_are_those_of_the_truth_and_each_is_judged_at_every_maturity(told):
    measured, rows = told
    assert {key for key in measured if key[1]} == set(rows)


def test_what_was_served_and_what_was_labelled_is_counted_exactly(told):
    measured, rows = told
    for key, row in rows.items():
        assert measured[key[0], ""]["mlvitals.prediction.count"].value == row["served"], key
        coverage = measured[key]["mlvitals.label.coverage.ratio"]
        assert coverage.value == row["labelled"] / row["served"], key
        assert coverage.samples == row["served"], key


def of_counts(row):
    """What the truth's counts say beside what it tells by itself."""
    if "tp" not in row:
        return row
    tp, fp, fn, tn = (row[name] for name in ("tp", "fp", "fn", "tn"))
    spread = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    more = {"specificity": tn / (tn + fp)} if tn + fp else {}
    if more and tp + fn:
        more["balanced_accuracy"] = (row["recall"] + more["specificity"]) / 2
    if spread:
        more["mcc"] = (tp * tn - fp * fn) / math.sqrt(spread)
    return row | more


def test_performance_equals_the_truth_and_is_absent_where_it_is_undefined(told):
    measured, rows = told
    compared = 0
    rows = {key: of_counts(row) for key, row in rows.items()}
    known = {name for row in rows.values() for name in row}
    for key, row in rows.items():
        for metric in known.intersection(METRICS):
            one, true = measured[key].get(metric), row.get(metric)
            assert (one is None) == (true is None), (key, metric)
            if one is not None and metric != "roc_auc":
                assert math.isclose(one.value, true, rel_tol=1e-12, abs_tol=1e-15), (key, metric)
                compared += 1
    assert compared >= len(rows)


def test_the_area_under_the_curve_lies_within_its_own_bound_and_the_bound_is_narrow(told):
    measured, rows = told
    for key, row in rows.items():
        one = measured[key].get("roc_auc")
        if one is None:
            continue
        slack = 1e-12
        assert one.evidence["least"] - slack <= row["roc_auc"] <= one.evidence["greatest"] + slack, key
        if row["labelled"] >= ENOUGH:
            assert (one.evidence["greatest"] - one.evidence["least"]) / 2 <= BOUND, key


def test_few_labels_withhold_the_verdict_but_not_the_value(told):
    measured, rows = told
    for key in rows:
        for metric in METRICS:
            one = measured[key].get(metric)
            if one is not None:
                assert (one.status == "insufficient_data") == (one.samples < ENOUGH), (key, metric)


def test_events_before_1970_read_the_same(real, shared_data, tmp_path):
    # A whole number of weeks, about thirty years, so that the windows cut alike.
    back = timedelta(weeks=1566)
    for file in ("events.jsonl.gz", "labels.jsonl.gz"):
        with (
            gzip.open(shared_data / "elec2" / file) as source,
            gzip.open(tmp_path / file, "wb", compresslevel=1) as target,
        ):
            target.writelines(shifted(source, back))
    plain = real("elec2", "1w")
    past = real("elec2", "1w", events=tmp_path / "events.jsonl.gz", labels=tmp_path / "labels.jsonl.gz")
    # The clock stands where it stood, so the silence after the last event is longer: it is not compared.
    served = {one.window_start for one in past.measurements if one.signal == "mlvitals.prediction.count" and one.value}
    assert served
    assert max(served) < "1970"
    moved = {name(one, back.days * DAY): values(one) for one in plain.measurements}
    mine = {name(one): values(one) for one in past.measurements if one.window_start in served}
    assert mine == {key: value for key, value in moved.items() if key[0] in served}


def shifted(lines: Iterable[bytes], back: timedelta) -> Iterable[bytes]:
    for line in lines:
        event = json.loads(line)
        moment = datetime.fromisoformat(event["timestamp"]) - back
        yield json.dumps(event | {"timestamp": moment.isoformat()}).encode() + b"\n"


def name(one, back=0):
    return format_time(parse_time(one.window_start) - back), one.signal, tuple(sorted(one.attributes.items()))


def values(one):
    return one.value, one.samples, one.lower, one.upper, one.status
