"""Performance against brute force over rows."""

from dataclasses import replace
from itertools import product
from math import sqrt
from typing import get_args

import numpy as np
import pytest
from scipy import stats
from scipy.stats import binomtest

from mlvitals.config.model import PerformanceMetric
from mlvitals.signals.performance import PERFORMANCE_CLASS_SCORE, PERFORMANCE_ERROR, PERFORMANCE_SCORE
from mlvitals.signals.spec import Evidence, Reading
from mlvitals.windows.exact_sum import CELLS
from mlvitals.windows.layout import Layout
from mlvitals.windows.losses import exact_squares


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


def test_a_confusion_matrix_gives_its_scores_with_wilson_s_interval(metrics):
    found = metrics(PERFORMANCE_SCORE, "binary", confusion(tn=50, fn=6, fp=9, tp=35))
    values = {metric: reading.value for metric, reading in found.items()}
    shares = {"accuracy": (85, 100), "precision": (35, 44), "recall": (35, 41), "specificity": (50, 59)}
    rest = {"f1": 70 / 85, "balanced_accuracy": (35 / 41 + 50 / 59) / 2}
    matthews = (35 * 50 - 9 * 6) / sqrt(44 * 41 * 59 * 56)
    assert values == {metric: part / whole for metric, (part, whole) in shares.items()} | rest | {
        "mcc": pytest.approx(matthews, rel=1e-14)
    }
    for metric, (part, whole) in shares.items():
        expected = binomtest(part, whole).proportion_ci(method="wilson")
        assert (found[metric].lower, found[metric].upper) == pytest.approx((expected.low, expected.high), rel=1e-9)
    assert {reading.samples for reading in found.values()} == {100}


@pytest.mark.parametrize(
    ("cells", "defined"),
    [
        (confusion(tn=50, fn=0, fp=0, tp=0), {"accuracy", "specificity"}),
        (confusion(tn=50, fn=3, fp=0, tp=0), {"accuracy", "recall", "f1", "specificity", "balanced_accuracy"}),
        (confusion(tn=50, fn=0, fp=3, tp=0), {"accuracy", "precision", "f1", "specificity"}),
        (confusion(tn=0, fn=0, fp=0, tp=7), {"accuracy", "precision", "recall", "f1"}),
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
    least, greatest = area.evidence["least"], area.evidence["greatest"]
    assert area.lower < least <= exact <= greatest < area.upper
    assert area.samples == 500, "a label whose score is missing ranks nothing"
    assert greatest - area.value == pytest.approx(area.value - least)


def test_roc_auc_needs_both_classes(metrics):
    found = metrics(PERFORMANCE_SCORE, "binary", {"negatives": [3, 4, 5, 6, 7, 8, 9, 0, 0, 0]})
    assert not {"roc_auc", "pr_auc"} & set(found)
    found = metrics(PERFORMANCE_SCORE, "binary", {"positives": [3, 4, 5, 6, 7, 8, 9, 0, 0, 0]})
    assert "roc_auc" not in found
    assert found["pr_auc"].value == found["pr_auc"].evidence["least"] == 1
    assert found["pr_auc"].lower is None, "of a ranking without any mistake nobody knows how sure that is"


def test_without_scores_there_is_no_roc_auc_and_no_brier(metrics, layouts):
    bare = Layout(features=(), output=replace(layouts["binary"].output, score=None, groups=()))
    cells = confusion(tn=5, fn=5, fp=5, tp=5)
    assert not set(metrics(PERFORMANCE_SCORE, bare, cells)) & {"roc_auc", "pr_auc"}
    assert metrics(PERFORMANCE_ERROR, bare, cells) == {}


def test_many_classes_have_accuracy_macro_averages_and_correlation(metrics):
    matrix = np.diag([10, 20, 30, 0, 0])
    matrix[0, 1], matrix[3, 2], matrix[4, 0] = 15, 25, 500  # cat for dog, rare for cow, none for cat
    found = metrics(PERFORMANCE_SCORE, "multiclass", {"confusion": matrix.reshape(-1)})
    assert set(found) == {"accuracy", "precision", "recall", "f1", "mcc"}
    assert found["accuracy"].value == 60 / 100
    assert found["recall"].value == pytest.approx((1 + 20 / 35 + 30 / 55) / 3)
    assert {reading.samples for reading in found.values()} == {100}


def test_each_class_has_scores_of_its_own(layouts, fill):
    matrix = np.diag([10, 20, 0, 900, 0])
    matrix[0, 1], matrix[3, 1] = 15, 2
    cohort = fill(layouts["multiclass"], {"predictions": 1_000}, [{"confusion": matrix.reshape(-1)}])
    evidence = Evidence(current=cohort, outcome=cohort.outcome(0), maturity="7d")
    found = {
        (one.attributes["class"], one.attributes["metric"]): (one.value, one.samples)
        for one in PERFORMANCE_CLASS_SCORE.compute(evidence)
    }
    assert found == {
        ("cat", "precision"): (10 / 25, 25),
        ("cat", "recall"): (1.0, 10),
        ("cat", "f1"): (20 / 35, 25),
        ("dog", "precision"): (1.0, 20),
        ("dog", "recall"): (20 / 37, 37),
        ("dog", "f1"): (40 / 57, 37),
    }
    for task in ("binary", "regression"):
        cohort = fill(layouts[task], {"predictions": 1_000}, [{}])
        assert not list(PERFORMANCE_CLASS_SCORE.compute(replace(evidence, current=cohort, outcome=cohort.outcome(0))))


def test_a_rare_class_against_a_rare_class_is_left_out(metrics):
    matrix = np.diag([10, 20, 20, 900, 0])
    matrix[0, 3] = 50
    found = metrics(PERFORMANCE_SCORE, "multiclass", {"confusion": matrix.reshape(-1)})
    assert found["accuracy"].value == 50 / 100
    assert found["accuracy"].samples == 100


def probabilities(exact_cells, scores, true, groups=5, of=5) -> dict[str, object]:
    """What scores and what came true add up to, each row in the next of the first of several groups."""
    places = np.arange(len(scores)) % groups
    units = [np.rint(power * 2**32) for power in (scores, scores**2)]
    runs = [np.bincount(places, run, minlength=of) for run in (np.ones(len(scores)), true, *units)]
    return {
        "measured": len(scores),
        "brier": exact_cells((scores - true) ** 2),
        "brier_squared": exact_cells((scores - true) ** 4),
        "log_loss": exact_cells(-np.log(np.where(true, scores, 1 - scores))),
        "log_loss_squared": exact_cells(np.log(np.where(true, scores, 1 - scores)) ** 2),
        "calibration": np.concatenate(runs).astype(np.int64),
    }


def test_brier_and_log_loss_are_means_over_the_rows(metrics, exact_cells):
    generator = np.random.default_rng(4)
    scores, true = generator.uniform(size=500), generator.integers(0, 2, 500)
    found = metrics(PERFORMANCE_ERROR, "binary", probabilities(exact_cells, scores, true))
    assert set(found) == {"brier", "log_loss", "calibration_error"}
    assert found["brier"].value == pytest.approx(((scores - true) ** 2).mean(), rel=1e-12)
    loss = -(true * np.log(scores) + (1 - true) * np.log(1 - scores)).mean()
    assert found["log_loss"].value == pytest.approx(loss, rel=1e-12)
    assert {reading.samples for reading in found.values()} == {500}
    losses = {"brier": (scores - true) ** 2, "log_loss": -np.log(np.where(true, scores, 1 - scores))}
    for metric, rows in losses.items():
        factor = np.exp(stats.t(499).ppf(0.975) * rows.std(ddof=1) / np.sqrt(500) / rows.mean())
        ends = rows.mean() / factor, rows.mean() * factor
        assert (found[metric].lower, found[metric].upper) == pytest.approx(ends, rel=1e-9)


def test_calibration_error_is_told_in_excess_of_what_chance_makes(metrics, exact_cells):
    scores = np.full(100, 0.7)
    true = np.arange(100) % 10 < 5  # five in ten, in each group too
    found = metrics(PERFORMANCE_ERROR, "binary", probabilities(exact_cells, scores, true, groups=1))
    one = found["calibration_error"]
    assert one.evidence["raw"] == pytest.approx(0.2)
    assert one.value == pytest.approx(0.2 - one.evidence["no_drift_mean"])
    assert one.evidence["noise"] == one.noise
    assert one.noise == pytest.approx(sqrt(0.21 / 100 - one.evidence["no_drift_mean"] ** 2), rel=1e-6)


def test_a_score_outside_probabilities_leaves_nothing_to_hold_against_the_truth(metrics, exact_cells):
    cells = probabilities(exact_cells, np.full(50, 0.5), np.arange(50) % 2)
    assert metrics(PERFORMANCE_ERROR, "binary", {**cells, "improbable": 1}) == {}


def test_a_score_that_is_no_probability_has_no_error(metrics, layouts):
    margins = Layout(features=(), output=replace(layouts["binary"].output, probability=False))
    assert metrics(PERFORMANCE_ERROR, margins, confusion(tn=5, fn=5, fp=5, tp=5)) == {}


def test_the_confidence_in_one_of_many_classes_is_only_held_against_its_being_right(metrics, exact_cells):
    cells = probabilities(exact_cells, np.full(99, 0.9), np.arange(99) % 3 == 0, groups=3, of=3)
    cells = {name: cells[name] for name in ("measured", "calibration")}
    found = metrics(PERFORMANCE_ERROR, "confident", cells)
    assert set(found) == {"calibration_error"}
    # All in one group came true, none in the others.
    assert found["calibration_error"].evidence["raw"] == pytest.approx((0.1 + 0.9 + 0.9) / 3)


def confusion_of(predicted, true):
    matrix = np.zeros((5, 5), np.int64)
    np.add.at(matrix, (predicted, true), 1)
    return matrix.reshape(-1)


def distributions(exact_cells, shares, true) -> dict[str, object]:
    """What the probabilities of three classes and the true ones add up to."""
    truth = np.eye(3)[true]
    return {
        "labelled": len(true) + 7,
        "distributions": len(true),
        "confusion": confusion_of(shares.argmax(axis=1), true),
        "brier": exact_cells(((shares - truth) ** 2).sum(axis=1)),
        "brier_squared": exact_cells(((shares - truth) ** 2).sum(axis=1) ** 2),
        "log_loss": exact_cells(-np.log(shares[truth == 1])),
        "log_loss_squared": exact_cells(np.log(shares[truth == 1]) ** 2),
    }


def test_the_probabilities_of_many_classes_are_held_against_the_one_that_came_true(metrics, exact_cells):
    generator = np.random.default_rng(8)
    shares, true = generator.dirichlet([2, 1, 1], 400), generator.integers(0, 3, 400)
    found = metrics(PERFORMANCE_ERROR, "distributed", distributions(exact_cells, shares, true))
    assert set(found) == {"log_loss", "brier"}
    assert found["log_loss"].value == pytest.approx(-np.log(shares[np.arange(400), true]).mean(), rel=1e-12)
    assert found["brier"].value == pytest.approx(((shares - np.eye(3)[true]) ** 2).sum() / 400, rel=1e-12)
    assert {(reading.samples, reading.evidence["left_out"]) for reading in found.values()} == {(400, 7.0)}
    losses = -np.log(shares[np.arange(400), true])
    half = stats.t(399).ppf(0.975) * losses.std(ddof=1) / 20
    assert np.log(found["log_loss"].upper / found["log_loss"].value) == pytest.approx(half / losses.mean(), rel=1e-9)


def test_one_row_without_a_distribution_leaves_nothing_to_say_of_probabilities(metrics, exact_cells):
    cells = distributions(exact_cells, np.full((9, 3), 1 / 3), np.arange(9) % 3)
    assert metrics(PERFORMANCE_ERROR, "distributed", {**cells, "improper": 1}) == {}
    assert metrics(PERFORMANCE_ERROR, "distributed", {"labelled": 5}) == {}


def numbers(exact_cells, values, labels) -> dict[str, object]:
    errors = values - labels
    relative = np.abs(errors[labels != 0] / labels[labels != 0])
    sums = {"absolute": np.abs(errors), "squared": errors**2, "signed": errors, "label": labels, "relative": relative}
    sums["relative_squared"] = relative**2
    return {
        "measured": len(labels),
        "relative_rows": len(relative),
        "label_squared": exact_cells(np.concatenate(exact_squares(labels))),
        **{name: exact_cells(terms) for name, terms in sums.items()},
    }


def test_a_regression_has_errors_and_the_share_of_the_variance_that_it_tells(metrics, exact_cells):
    generator = np.random.default_rng(6)
    labels = generator.normal(5e5, 1e5, 400)
    values = labels + generator.normal(2e4, 5e4, 400)
    cells = numbers(exact_cells, values, labels)
    found = metrics(PERFORMANCE_ERROR, "regression", cells)
    errors = values - labels
    assert {metric: reading.value for metric, reading in found.items()} == {
        "mae": pytest.approx(np.abs(errors).mean(), rel=1e-12),
        "rmse": pytest.approx(sqrt((errors**2).mean()), rel=1e-12),
        "bias": pytest.approx(errors.mean(), rel=1e-12),
        "mape": pytest.approx((np.abs(errors) / labels).mean(), rel=1e-12),
    }
    score = metrics(PERFORMANCE_SCORE, "regression", cells)
    assert set(score) == {"r2"}
    expected = 1 - (errors**2).sum() / ((labels - labels.mean()) ** 2).sum()
    assert score["r2"].value == pytest.approx(expected, rel=1e-12)


def test_a_great_mean_hides_no_variance(metrics, exact_cells):
    labels = 1e15 + np.arange(8.0)
    found = metrics(PERFORMANCE_SCORE, "regression", numbers(exact_cells, labels + 1, labels))
    assert found["r2"].value == 1 - 8 / 42


@pytest.mark.parametrize("label", [0.0, 0.1, -3e100])
def test_of_constant_labels_no_variance_can_be_told(metrics, exact_cells, label):
    labels = np.full(30, label)
    assert metrics(PERFORMANCE_SCORE, "regression", numbers(exact_cells, labels + 1, labels)) == {}


def test_a_label_of_zero_has_no_relative_error_and_is_told_of(metrics, exact_cells):
    found = metrics(PERFORMANCE_ERROR, "regression", numbers(exact_cells, np.full(4, 3.0), np.array([0, 2.0, 0, -4.0])))
    assert (found["mape"].value, found["mape"].samples) == ((1 / 2 + 7 / 4) / 2, 2)
    assert found["mape"].evidence["left_out"] == 2.0
    found = metrics(PERFORMANCE_ERROR, "regression", numbers(exact_cells, np.full(4, 3.0), np.zeros(4)))
    assert set(found) == {"mae", "rmse", "bias"}


def test_a_configuration_can_ask_for_every_metric_that_is_told_and_for_no_other(usual):
    told = {
        reading.attributes["metric"]
        for evidence in usual.values()
        for statistic in (PERFORMANCE_SCORE, PERFORMANCE_CLASS_SCORE, PERFORMANCE_ERROR)
        for reading in statistic.compute(evidence)
    }
    assert told == set(get_args(PerformanceMetric))


@pytest.mark.parametrize("statistic", [PERFORMANCE_SCORE, PERFORMANCE_CLASS_SCORE, PERFORMANCE_ERROR])
def test_before_a_maturity_there_is_no_performance(layouts, fill, statistic):
    assert list(statistic.compute(Evidence(current=fill(layouts["binary"], {"predictions": 9})))) == []


def test_a_sum_past_the_largest_double_is_not_defined(metrics):
    huge = [0] * CELLS
    huge[-1] = 1
    sums = dict.fromkeys(("absolute", "squared", "signed", "label", "label_squared", "relative"), huge)
    cells = {"measured": [3], "relative_rows": [3], **sums}
    assert metrics(PERFORMANCE_ERROR, "regression", cells) == {}
    assert metrics(PERFORMANCE_SCORE, "regression", cells) == {}


def moments(exact_cells, layout, errors, labels) -> dict[str, object]:
    """What is kept beside for intervals, all errors in the first bin of values."""
    groups = layout.output.group_count
    distances = labels - layout.output.middle
    moments = {
        "cross_first": errors**2 * distances,
        "cross_second": (errors * distances) ** 2,
        "label_third": distances**3,
        "label_fourth": distances**4,
    }
    return {
        "loss_rows": [len(errors), *[0] * (groups - 1)],
        "loss_fourth": np.concatenate([exact_cells(errors**4), *[exact_cells([])] * (groups - 1)]),
        **{name: exact_cells(terms) for name, terms in moments.items()},
    }


def test_the_interval_of_r2_is_that_of_the_rows_influences(metrics, layouts, exact_cells):
    layout = layouts["regression"]
    random = np.random.default_rng(7)
    labels = random.gamma(2, 10, 300)
    values = labels + random.standard_t(5, 300) * (3 + labels / 10)
    errors = values - labels
    cells = numbers(exact_cells, values, labels) | moments(exact_cells, layout, errors, labels)
    found = metrics(PERFORMANCE_SCORE, layout, cells)["r2"]
    rest, away = 1 - found.value, (labels - labels.mean()) ** 2
    moved = (rest * away - errors**2) / away.mean()
    half = stats.t(299).ppf(0.975) * np.sqrt((moved**2).sum() / 300 / 299) / rest
    expected = 1 - rest * np.exp(half), 1 - rest * np.exp(-half)
    assert (found.lower, found.upper) == pytest.approx(expected, rel=1e-9)
    assert found.lower < found.value < found.upper


def test_of_a_class_that_hardly_came_nobody_knows_how_sure_a_mean_loss_is(metrics, exact_cells):
    scores = np.full(300, 0.02)
    for positives, known in ((9, False), (10, True)):
        found = metrics(PERFORMANCE_ERROR, "binary", probabilities(exact_cells, scores, np.arange(300) < positives))
        assert [found[metric].lower is not None for metric in ("log_loss", "brier")] == [known, known]


def test_errors_are_as_sure_as_the_means_that_they_are(metrics, layouts, exact_cells):
    layout = layouts["regression"]
    random = np.random.default_rng(5)
    labels = random.normal(50, 10, 400)
    values = labels + random.normal(1, 3, 400)
    errors, cells = values - labels, numbers(exact_cells, values, labels)
    found = metrics(PERFORMANCE_ERROR, layout, cells | moments(exact_cells, layout, errors, labels))
    quantile = stats.t(399).ppf(0.975)

    def around(sample):
        mean, half = np.mean(sample), quantile * np.std(sample, ddof=1) / np.sqrt(400)
        return mean * np.exp(np.array([-1, 1]) * half / mean)

    for metric, ends in {
        "mae": around(np.abs(errors)),
        "rmse": np.sqrt(around(errors**2)),
        "mape": around(np.abs(errors / labels)),
        "bias": errors.mean() + np.array([-1, 1]) * quantile * errors.std(ddof=1) / 20,
    }.items():
        assert (found[metric].lower, found[metric].upper) == pytest.approx(tuple(ends), rel=1e-9), metric
    one = metrics(PERFORMANCE_ERROR, layout, numbers(exact_cells, values[:1], labels[:1]))
    assert (one["mae"].lower, one["mae"].upper) == (None, None)
