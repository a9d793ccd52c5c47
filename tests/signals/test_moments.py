"""Intervals of what two disjoint cohorts differ by, against published values, brute force and simulation."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import norm

from mlvitals.signals.moments import Moment, gap, moments, together
from mlvitals.signals.ranking import area_variance


def share(successes, rows):
    return Moment("accuracy", successes / rows, rows, 1, successes=successes)


@pytest.mark.parametrize(
    ("one", "other", "lower", "upper"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((5, 56), (0, 29), -0.0381, 0.1926)],
)
def test_the_interval_of_two_shares_is_that_of_newcombes_table(one, other, lower, upper):
    found = gap(share(*one), share(*other))
    assert found.value == one[0] / one[1] - other[0] / other[1]
    assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=5e-5)


def test_less_of_an_error_is_better():
    one, other = (Moment("mae", value, 50, -1, variance=0.04) for value in (1.0, 3.0))
    half = 1.96 * np.sqrt(0.08)
    assert gap(one, other) == pytest.approx((2.0, 2 - half, 2 + half), abs=1e-4)
    assert gap(other, one).value == -2


def test_the_gap_the_other_way_is_the_same_with_the_other_sign():
    there, back = gap(share(9, 40), share(30, 50)), gap(share(30, 50), share(9, 40))
    assert (-back.value, -back.upper, -back.lower) == pytest.approx(there)


def test_one_interval_is_an_ordinary_one_and_many_are_wider():
    assert together(1) == pytest.approx(norm.ppf(0.975))
    assert together(10) == pytest.approx(norm.isf((1 - 0.95**0.1) / 2))
    assert together(10) == pytest.approx(2.80, abs=0.005)


def test_the_variance_of_an_area_is_that_of_its_placements():
    random = np.random.default_rng(4)
    negatives, positives = (random.integers(0, 7, size=12) for _ in range(2))
    below, above = (np.repeat(np.arange(12), counts) for counts in (negatives, positives))
    won = np.array([[(x > y) + 0.5 * (x == y) for y in below] for x in above])
    expected = won.mean(axis=1).var(ddof=1) / len(above) + won.mean(axis=0).var(ddof=1) / len(below)
    assert area_variance(negatives, positives) == pytest.approx(expected)


def test_an_area_that_no_score_is_mistaken_in_has_no_variance_and_is_left_out(layouts, fill):
    layout = layouts["binary"]
    bins = layout.output.score.size
    sure = {"negatives": [50, *[0] * (bins + 2)], "positives": [*[0] * (bins - 1), 50, 0, 0, 0]}
    mixed = {"negatives": [40, *[0] * (bins - 2), 10, 0, 0, 0], "positives": [10, *[0] * (bins - 2), 40, 0, 0, 0]}
    assert [one.metric for one in moments(fill(layout, {}, [sure]).outcome(0))] == []
    assert [one.metric for one in moments(fill(layout, {}, [mixed]).outcome(0))] == ["roc_auc"]


def test_the_variance_of_a_mean_error_follows_from_its_sums(layouts, fill, exact_cells):
    errors = np.abs(np.random.default_rng(5).normal(size=40))
    parts = {"measured": 40, "absolute": exact_cells(errors), "squared": exact_cells(errors * errors)}
    (found,) = moments(fill(layouts["regression"], {}, [parts]).outcome(0))
    assert (found.metric, found.rows, found.side) == ("mae", 40, -1)
    assert found.value == pytest.approx(errors.mean())
    assert found.variance == pytest.approx(errors.var(ddof=1) / 40)


def test_one_number_has_no_variance(layouts, fill, exact_cells):
    parts = {"measured": 1, "absolute": exact_cells([2.0]), "squared": exact_cells([4.0])}
    assert list(moments(fill(layouts["regression"], {}, [parts]).outcome(0))) == []


@pytest.mark.parametrize(
    ("chances", "rows"), list(product([(0.5, 0.5), (0.9, 0.95), (0.02, 0.05)], [(60, 600), (300, 300)]))
)
def test_nineteen_of_twenty_intervals_hold_the_true_gap(chances, rows):
    random = np.random.default_rng(6)
    counts = [random.binomial(size, chance, size=2000).tolist() for size, chance in zip(rows, chances, strict=True)]
    gaps = [gap(share(one, rows[0]), share(other, rows[1])) for one, other in zip(*counts, strict=True)]
    held = [found.lower <= chances[0] - chances[1] <= found.upper for found in gaps]
    assert np.mean(held) > 0.935
