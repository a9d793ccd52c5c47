"""Performance against brute force over rows."""

from dataclasses import replace
from itertools import product
from math import sqrt

import numpy as np
import pytest
from scipy.stats import binomtest

from mlvitals.signals.performance import PERFORMANCE_ERROR, PERFORMANCE_SCORE
from mlvitals.signals.spec import Evidence, Reading
from mlvitals.windows.exact_sum import CELLS
from mlvitals.windows.layout import Layout


@pytest.fixture
def metrics(layouts, fill):
    """Return the readings at the only maturity of a cohort with these outcomes, by metric."""

    def readings(statistic, layout, *buckets) -> dict[str, Reading]:
        layout = layouts[layout] if isinstance(layout, str) else layout
        cohort = fill(layout, {"predictions": 1_000}, buckets)
        evidence = Evidence(current=cohort, outcome=cohort.outcome(len(buckets) - 1), maturity="7d")
        found = {reading.attributes["metric"]: reading for reading in statistic.compute(evidence)}
        assert all(reading.attributes["maturity"] == "7d" for reading in found.values())
        return found

    return readings


def confusion(tn, fn, fp, tp, missing=(0, 0)) -> dict[str, list[int]]:
    """Predicted by true, over negative, positive, missing."""
    return {"confusion": [tn, fn, 0, fp, tp, 0, *missing, 0]}


def test_a_confusion_matrix_gives_the_four_scores_with_wilson_s_interval(metrics):
    found = metrics(PERFORMANCE_SCORE, "binary", confusion(tn=50, fn=6, fp=9, tp=35))
    values = {metric: reading.value for metric, reading in found.items()}
    assert values == {"accuracy": 85 / 100, "precision": 35 / 44, "recall": 35 / 41, "f1": 70 / 85}
    for metric, part, whole in (("accuracy", 85, 100), ("precision", 35, 44), ("recall", 35, 41)):
        expected = binomtest(part, whole).proportion_ci(method="wilson")
        assert (found[metric].lower, found[metric].upper) == pytest.approx((expected.low, expected.high), rel=1e-9)
    assert {reading.samples for reading in found.values()} == {100}


@pytest.mark.parametrize(
    ("cells", "defined"),
    [
        (confusion(tn=50, fn=0, fp=0, tp=0), {"accuracy"}),
        (confusion(tn=50, fn=3, fp=0, tp=0), {"accuracy", "recall", "f1"}),
        (confusion(tn=50, fn=0, fp=3, tp=0), {"accuracy", "precision", "f1"}),
        (confusion(tn=0, fn=0, fp=0, tp=0), set()),
        (confusion(tn=0, fn=0, fp=0, tp=0, missing=(5, 5)), set()),
    ],
)
def test_a_score_that_would_divide_by_zero_is_absent(metrics, cells, defined):
    assert set(metrics(PERFORMANCE_SCORE, "binary", cells)) == defined


def test_predictions_without_a_class_are_neither_right_nor_wrong(metrics):
    found = metrics(PERFORMANCE_SCORE, "binary", confusion(tn=5, fn=5, fp=5, tp=5, missing=(100, 200)))
    assert found["accuracy"].value == found["recall"].value == 0.5
    assert found["accuracy"].samples == 20


def test_labels_of_later_buckets_move_what_earlier_ones_said(metrics):
    correction = {"confusion": [1, -1, 0, 0, 0, 0, 0, 0, 0]}
    found = metrics(PERFORMANCE_SCORE, "binary", confusion(tn=5, fn=5, fp=5, tp=5), correction)
    assert found["accuracy"].value == 11 / 20


def test_roc_auc_is_within_its_bounds_of_every_pair(metrics, layouts):
    generator = np.random.default_rng(9)
    bins = layouts["binary"].output.score
    negatives, positives = generator.beta(2, 4, 300).round(2), generator.beta(4, 2, 200).round(2)
    counts = [
        [*np.bincount(np.searchsorted(bins.array, side, side="right"), minlength=bins.size), 7, 0, 0]
        for side in (negatives, positives)
    ]
    area = metrics(PERFORMANCE_SCORE, "binary", {"negatives": counts[0], "positives": counts[1]})["roc_auc"]
    exact = np.mean([float(p > n) + float(p == n) / 2 for n, p in product(negatives, positives)])
    assert area.lower <= exact <= area.upper
    assert area.samples == 500, "a label whose score is missing ranks nothing"
    assert area.upper - area.value == pytest.approx(area.value - area.lower)


def test_roc_auc_needs_both_classes(metrics):
    assert "roc_auc" not in metrics(PERFORMANCE_SCORE, "binary", {"negatives": [3, 4, 5, 6, 7, 8, 9, 0, 0, 0]})


def test_without_scores_there_is_no_roc_auc_and_no_brier(metrics, layouts):
    bare = Layout(features=(), output=replace(layouts["binary"].output, score=None, groups=()))
    cells = {**confusion(tn=5, fn=5, fp=5, tp=5), "measured": 20}
    assert set(metrics(PERFORMANCE_SCORE, bare, cells)) == {"accuracy", "precision", "recall", "f1"}
    assert metrics(PERFORMANCE_ERROR, bare, cells) == {}


def test_in_more_classes_only_accuracy_is_told(metrics):
    matrix = np.diag([10, 20, 30, 0, 0])
    matrix[0, 1], matrix[3, 2], matrix[4, 0] = 15, 25, 500  # cat for dog, rare for cow, none for cat
    (accuracy,) = metrics(PERFORMANCE_SCORE, "multiclass", {"confusion": matrix.reshape(-1)}).values()
    assert accuracy.value == 60 / 100
    assert accuracy.samples == 100


def test_a_rare_class_against_a_rare_class_is_left_out(metrics):
    matrix = np.diag([10, 20, 20, 900, 0])
    matrix[0, 3] = 50
    (accuracy,) = metrics(PERFORMANCE_SCORE, "multiclass", {"confusion": matrix.reshape(-1)}).values()
    assert accuracy.value == 50 / 100


def test_brier_is_the_mean_square_distance_from_the_truth(metrics, exact_cells):
    generator = np.random.default_rng(4)
    squares = (generator.uniform(size=500) - generator.integers(0, 2, 500)) ** 2
    found = metrics(PERFORMANCE_ERROR, "binary", {"measured": 500, "brier": exact_cells(squares)})
    assert found["brier"].value == pytest.approx(squares.mean(), rel=1e-12)
    assert found["brier"].samples == 500


def test_a_score_that_is_no_probability_has_no_brier(metrics, layouts, exact_cells):
    margins = Layout(features=(), output=replace(layouts["binary"].output, probability=False))
    assert metrics(PERFORMANCE_ERROR, margins, {"measured": 2, "brier": exact_cells([4.0, 9.0])}) == {}


def test_a_regression_has_absolute_and_squared_error_and_no_score(metrics, exact_cells):
    errors = np.random.default_rng(6).normal(scale=1e5, size=400)
    cells = {"measured": 400, "absolute": exact_cells(np.abs(errors)), "squared": exact_cells(errors**2)}
    found = metrics(PERFORMANCE_ERROR, "regression", cells)
    assert found["mae"].value == pytest.approx(np.abs(errors).mean(), rel=1e-12)
    assert found["rmse"].value == pytest.approx(sqrt((errors**2).mean()), rel=1e-12)
    assert metrics(PERFORMANCE_SCORE, "regression", cells) == {}


@pytest.mark.parametrize("statistic", [PERFORMANCE_SCORE, PERFORMANCE_ERROR])
def test_before_a_maturity_there_is_no_performance(layouts, fill, statistic):
    assert list(statistic.compute(Evidence(current=fill(layouts["binary"], {"predictions": 9})))) == []


def test_a_sum_past_the_largest_double_is_not_defined(metrics):
    huge = [0] * CELLS
    huge[-1] = 1
    found = metrics(PERFORMANCE_ERROR, "regression", {"measured": [3], "absolute": huge, "squared": huge})
    assert found == {}
