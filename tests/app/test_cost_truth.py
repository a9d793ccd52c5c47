"""What mistakes cost, and what young cohorts are corrected to, on real events, whose labels come backwards."""

import gzip
import json

import msgspec
import pytest

from mlvitals.clock import DAY, parse_time
from mlvitals.signals.delay_curve import LEAST_COHORTS
from mlvitals.signals.measurement import Measurement

pytestmark = pytest.mark.shared

COST = {"currency": "USD", "false_negative": {"amount": "features.amount"}, "false_positive": 5.0}
PARTS = {"false_negative": "cost_false_negative", "false_positive": "cost_false_positive"}
STEPS = ["2018-07-04T11:00:00Z", "2018-08-20T00:00:01Z", "2030-01-01T00:00:00Z"]


@pytest.fixture(scope="module", params=["1w", pytest.param("1mo", marks=pytest.mark.soak)])
def rows(request, truth):
    """Return what is true of windows of a size, by window start and maturity."""
    told = truth("fraud")
    assert told["cost"] == {"false_negative": "amount", "false_positive": 5.0, "currency": "USD"}
    return {(row["window_start"], row["maturity"]): row for row in told["rows"] if row["size"] == request.param}


def sizes_of(rows):
    return next(iter(rows.values()))["size"]


@pytest.fixture(scope="module")
def folder(rows, shared_data, tmp_path_factory):
    """Return a folder with the set's labels, backwards."""
    folder, data = tmp_path_factory.mktemp(f"cost-{sizes_of(rows)}"), shared_data / "fraud"
    with gzip.open(data / "labels.jsonl.gz") as told:
        (folder / "labels.jsonl").write_bytes(b"".join(reversed(told.readlines())))
    return folder


@pytest.fixture(scope="module")
def measured(rows, mlvitals, configure, folder, shared_data):
    """Return the measurements of the set, whose labels are there backwards and before it, taken in three runs."""
    data = shared_data / "fraud"
    model = {
        "name": "card-fraud",
        "windows": {"size": sizes_of(rows), "lateness": "10m"},
        "labels": {"maturities": sorted({age for _, age in rows}, key=lambda age: int(age[:-1]))},
        "cost": COST,
    }
    sources = [
        {"path": str(folder / "labels.jsonl"), "role": "labels"},
        {"path": str(data / "events.jsonl.gz"), "role": "predictions"},
    ]
    config = configure(folder, model, sources)
    build = ["reference", "build", "-c", config, "--data", data / "reference.parquet", "-o", folder / "model.reference"]
    for words in (build, *(["run", "-c", config, "--until", until] for until in STEPS)):
        answer = mlvitals(*words)
        assert answer.code == 0, answer.err
    answer = mlvitals("signals", "-c", config, "--format", "jsonl")
    return msgspec.json.Decoder(Measurement).decode_lines(answer.out)


def of(measured, signal):
    return {(one.window_start, one.attributes["maturity"]): one for one in measured if one.signal == signal}


def test_costs_equal_the_truth_to_the_cent_at_every_maturity_whatever_came_first(rows, measured):
    totals = of(measured, "mlvitals.cost.total")
    assert set(totals) == {key for key, row in rows.items() if row["labelled"]}
    for key, one in totals.items():
        for part, name in PARTS.items():
            # The truth was summed in doubles, one after another; amounts are whole cents, and ours are summed as such.
            assert one.evidence[part] == round(rows[key][name], 2), (key, part)
        assert one.value == pytest.approx(sum(rows[key][name] for name in PARTS.values()), abs=1e-9)
        assert one.lower <= one.value <= one.upper
        assert one.attributes["currency"] == "USD"
        assert one.evidence["coverage"] == rows[key]["labelled"] / rows[key]["served"]


def test_the_cost_of_a_prediction_is_that_of_the_labelled_ones(rows, measured):
    for key, one in of(measured, "mlvitals.cost.per_prediction").items():
        total = sum(rows[key][name] for name in PARTS.values())
        assert one.value == pytest.approx(total / rows[key]["labelled"], rel=1e-12), key


def test_no_other_threshold_would_have_been_cheaper_than_the_best(rows, measured, shared_data):
    regrets = of(measured, "mlvitals.cost.regret")
    matured = {key: one for key, one in regrets.items() if rows[key]["labelled"] == rows[key]["served"]}
    assert matured
    labels = {}
    with gzip.open(shared_data / "fraud" / "labels.jsonl.gz") as told:
        for line in told:
            event = json.loads(line)
            labels[event["prediction_id"]] = event["label"]
    by_window: dict[str, list[tuple[float, int, float]]] = {start: [] for start, _ in matured}
    with gzip.open(shared_data / "fraud" / "events.jsonl.gz") as told:
        for line in told:
            event = json.loads(line)
            start = max((start for start in by_window if start <= event["timestamp"]), default=None)
            if start is not None:
                score, amount = event["prediction"]["score"], event["features"]["amount"]
                by_window[start].append((score, labels[event["prediction_id"]], amount))
    for (start, maturity), one in matured.items():
        if maturity != "60d":
            continue
        events = sorted(by_window[start], reverse=True)
        assert len(events) == one.samples
        cheapest = cost = sum(amount for _, label, amount in events if label)
        for place, (score, label, amount) in enumerate(events):
            cost += -amount if label else 5.0
            if place + 1 == len(events) or events[place + 1][0] < score:
                cheapest = min(cheapest, cost)
        assert one.evidence["at_best"] >= cheapest - 1e-6, start
        assert one.evidence["at_best"] <= cheapest * 1.1, start  # thresholds between bins are not tried
        assert one.value == pytest.approx(one.evidence["paid"] - one.evidence["at_best"], abs=1e-6)


def test_what_is_at_risk_before_labels_is_near_to_what_it_came_to(rows, measured):
    risks = {one.window_start: one for one in measured if one.signal == "mlvitals.cost.at_risk" and one.samples > 2000}
    expected = sum(one.value for one in risks.values())
    paid = sum(rows[start, "60d"][name] for start in risks for name in PARTS.values())
    assert paid / 2 < expected < paid * 2
    for one in risks.values():
        assert one.lower < one.value < one.upper
        assert one.evidence["false_negative"] + one.evidence["false_positive"] == pytest.approx(one.value)


METRICS = ("accuracy", "precision", "recall", "f1")


def test_what_all_labels_showed_lies_within_what_the_early_ones_left_open(rows, measured):
    scores = [one for one in measured if one.signal == "mlvitals.performance.score" and "worst" in one.evidence]
    told = [one for one in scores if one.attributes["metric"] in METRICS]
    assert len(told) > len(METRICS) * len({one.window_start for one in told})
    for one in told:
        key, metric = (one.window_start, one.attributes["maturity"]), one.attributes["metric"]
        assert one.evidence["coverage"] == rows[key]["labelled"] / rows[key]["served"], key
        truth = rows[one.window_start, "60d"].get(metric)
        slack = 1e-12
        assert one.evidence["worst"] - slack <= truth <= one.evidence["best"] + slack, (key, metric)


def corrected_by(method, measured):
    corrected = [one for one in measured if one.signal == "mlvitals.performance.corrected"]
    return [one for one in corrected if one.attributes["method"] == method]


def test_once_all_labels_are_there_score_bins_say_what_they_say(rows, measured):
    told = corrected_by("score_bins", measured)
    assert {one.attributes["maturity"] for one in told} == {"60d"}
    for one in told:
        truth = rows[one.window_start, "60d"].get(one.attributes["metric"])
        if truth is not None:
            assert one.value == pytest.approx(truth, rel=1e-12)
            assert one.lower - 1e-12 <= truth <= one.upper + 1e-12


def test_young_cohorts_are_corrected_where_the_arrival_of_labels_is_known_to_what_all_of_them_showed(rows, measured):
    corrected = corrected_by("delay_curves", measured)
    held: dict[tuple[str, str], list[bool]] = {}
    for one in corrected:
        metric, age = one.attributes["metric"], one.attributes["maturity"]
        if metric in METRICS:
            truth = rows[one.window_start, "60d"][metric]
            held.setdefault((age, metric), []).append(one.lower - 1e-12 <= truth <= one.upper + 1e-12)
    assert ("1d", "recall") not in held  # no missed fraud has come by then
    ends = [parse_time(row["window_end"]) for (_, age), row in rows.items() if age == "60d"]
    enough = any(
        sum(one + 60 * DAY <= end + DAY for one in ends) >= LEAST_COHORTS for end in ends
    )  # of months there are too few
    assert {"7d", "30d", "45d"} | ({"1d"} if enough else set()) == {age for age, _ in held}
    assert enough is (sizes_of(rows) == "1w")
    for (age, metric), inside in held.items():
        assert sum(inside) >= 0.9 * len(inside), (age, metric)
    recall = [one for one in corrected if (one.attributes["maturity"], one.attributes["metric"]) == ("30d", "recall")]
    assert recall
    for one in recall:
        assert one.upper - one.lower < (one.evidence["best"] - one.evidence["worst"]) / 4
