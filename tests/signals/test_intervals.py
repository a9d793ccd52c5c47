"""Intervals of metrics: against exact ones where there are any, else by how often they hold what is true."""

from math import sqrt

import numpy as np
import pytest
from scipy.stats import binomtest

from mlvitals.signals.confusion import binary_scores, multiclass_scores
from mlvitals.signals.intervals import (
    area_interval,
    f1_interval,
    mean_interval,
    precision_area_variance,
    share_interval,
)
from mlvitals.signals.proportion import wilson_interval
from mlvitals.signals.ranking import Area, area_variance, binned_area, binned_precision

TRIES = 600
# With so many tries the share of intervals that hold is off by 0.009 in the mean; 0.95 less four of these.
ENOUGH = 0.95 - 4 * sqrt(0.95 * 0.05 / TRIES)


@pytest.mark.parametrize("whole", [1, 2, 10, 39])
def test_of_few_rows_a_share_has_the_exact_interval(whole):
    for part in range(whole + 1):
        exact = binomtest(part, whole).proportion_ci(method="exact")
        assert share_interval(part, whole) == pytest.approx((exact.low, exact.high), abs=1e-12)


def test_of_many_rows_a_share_has_wilson_s_interval():
    assert share_interval(3, 40) == wilson_interval(3, 40)


def test_the_f1_is_as_sure_as_the_share_that_it_follows_from():
    lower, upper = share_interval(35, 50)
    assert f1_interval(35, 15) == pytest.approx((2 * lower / (1 + lower), 2 * upper / (1 + upper)))
    assert f1_interval(0, 5)[0] == 0
    assert f1_interval(5, 0)[1] == 1


def test_the_mean_of_one_share_is_that_share_and_what_was_never_predicted_is_known():
    assert mean_interval([(3, 50)]) == pytest.approx(share_interval(3, 50))
    lower, upper = mean_interval([(30, 50), (0, 0)])
    assert (lower, upper) == pytest.approx([end / 2 for end in share_interval(30, 50)])


def held(scores_of, cells, rows, seed):
    """Return of each metric in what share of samples its interval holds the value of all."""
    random = np.random.default_rng(seed)
    chances = cells / cells.sum()
    truth = {score.metric: score.value for score in scores_of(np.round(chances * 1e9).astype(np.int64))}
    hits = dict.fromkeys(truth, 0.0)
    told = dict.fromkeys(truth, 0)
    for _ in range(TRIES):
        for score in scores_of(random.multinomial(rows, chances.ravel()).reshape(cells.shape)):
            if score.lower is not None and score.upper is not None:
                told[score.metric] += 1
                hits[score.metric] += score.lower <= truth[score.metric] <= score.upper
    return {metric: hits[metric] / told[metric] for metric in truth}


@pytest.mark.parametrize(("rows", "seed"), [(50, 1), (300, 2), (3000, 3)])
@pytest.mark.parametrize("cells", [[[70, 4], [5, 21]], [[40, 10], [15, 35]]], ids=["rare", "even"])
def test_the_intervals_of_two_classes_hold(rows, seed, cells):
    shares = held(binary_scores, np.array(cells, dtype=np.float64), rows, seed)
    assert min(shares.values()) > ENOUGH, shares


@pytest.mark.parametrize(("rows", "seed"), [(300, 4), (3000, 5)])
def test_the_intervals_of_many_classes_hold(rows, seed):
    cells = np.array([[30, 3, 2, 0], [4, 25, 1, 0], [1, 2, 15, 1], [0, 0, 1, 0]], dtype=np.float64)
    shares = held(lambda confusion: multiclass_scores(confusion, 3), cells, rows, seed)
    assert min(shares.values()) > ENOUGH, shares


@pytest.mark.parametrize(("rows", "seed"), [(60, 6), (400, 7)])
def test_the_intervals_of_areas_hold(rows, seed):
    random = np.random.default_rng(seed)
    edges = np.linspace(-3, 4, 300)
    points = np.zeros(len(edges) + 1, dtype=bool)

    def bins(number, mean):
        return np.bincount(np.searchsorted(edges, random.normal(mean, 1, number)), minlength=len(edges) + 1)

    many = 2_000_000
    everything = bins(many, 0), bins(many, 1)
    truth = binned_area(*everything, points), binned_precision(*everything, points)
    hits = [0, 0]
    for _ in range(TRIES):
        negatives, positives = bins(rows, 0), bins(rows, 1)
        area, precision = binned_area(negatives, positives, points), binned_precision(negatives, positives, points)
        assert area is not None
        assert precision is not None
        intervals = (
            area_interval(area, area_variance(negatives, positives)),
            area_interval(precision, precision_area_variance(precision.value, rows)),
        )
        for place, (interval, whole) in enumerate(zip(intervals, truth, strict=True)):
            assert interval is not None
            assert whole is not None
            hits[place] += interval.lower <= whole.value <= interval.upper
    assert hits[0] / TRIES > ENOUGH
    assert hits[1] / TRIES > 0.93  # of an average precision it is known to be a rough one


def test_an_interval_of_an_area_holds_what_its_bins_hide():
    alone, wide, last = (
        area_interval(Area(*area), 0.001) for area in ((0.8, 0.8, 0.8), (0.8, 0.75, 0.85), (0.99, 0.98, 1.0))
    )
    assert alone is not None
    assert wide is not None
    assert last is not None
    assert wide.lower < alone.lower < 0.75
    assert wide.upper > alone.upper > 0.85
    assert last.upper == 1
    assert area_interval(Area(1.0, 1.0, 1.0), 0.0) is None
