"""The binned areas against every pair and every threshold."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from mlvitals.signals.ranking import Area, binned_area, binned_precision
from mlvitals.windows.bins import NumericBins

scores = st.lists(st.integers(0, 40).map(lambda x: x / 40), min_size=1, max_size=60)


def area(negatives, positives, is_point) -> Area:
    found = binned_area(np.asarray(negatives), np.asarray(positives), np.asarray(is_point))
    assert found is not None
    return found


def binned(bins: NumericBins, values) -> np.ndarray:
    return np.bincount(np.searchsorted(bins.array, values, side="right"), minlength=bins.size)


def by_pairs(negatives, positives) -> float:
    won = sum(1.0 if p > n else 0.5 if p == n else 0.0 for n, p in product(negatives, positives))
    return won / (len(negatives) * len(positives))


@given(scores, scores)
def test_the_area_over_every_pair_is_within_the_bounds(negatives, positives):
    bins = NumericBins((0.2, 0.5, float(np.nextafter(0.5, 1)), 0.8))
    found = area(binned(bins, negatives), binned(bins, positives), bins.is_point)
    assert found.lower - 1e-12 <= by_pairs(negatives, positives) <= found.upper + 1e-12


@given(scores, scores)
def test_it_is_exact_where_each_bin_holds_one_score(negatives, positives):
    own = sorted({*negatives, *positives})
    edges = sorted({edge for score in own for edge in (score, float(np.nextafter(score, 2)))})
    bins = NumericBins(tuple(edges))
    found = area(binned(bins, negatives), binned(bins, positives), bins.is_point)
    assert found.value == found.lower == found.upper
    assert found.value == pytest.approx(by_pairs(negatives, positives), rel=1e-12)
    statistic = mannwhitneyu(positives, negatives, method="asymptotic").statistic
    assert found.value == pytest.approx(statistic / (len(positives) * len(negatives)), rel=1e-12)


def test_what_bins_hide_is_half_the_pairs_that_share_one():
    found = area([3, 1], [1, 4], [False, False])
    assert found.value - found.lower == pytest.approx((3 * 1 + 1 * 4) / 2 / 20)
    assert found.upper - found.value == pytest.approx((3 * 1 + 1 * 4) / 2 / 20)
    assert found.value == pytest.approx((3 * 4 + 3 / 2 + 4 / 2) / 20)


@pytest.mark.parametrize(("negatives", "positives"), [([0, 0], [1, 2]), ([1, 2], [0, 0]), ([0, 0], [0, 0])])
def test_without_both_classes_there_is_no_area(negatives, positives):
    assert binned_area(np.array(negatives), np.array(positives), np.zeros(2, bool)) is None


def test_a_billion_labels_do_not_overflow():
    found = area([10**9, 0], [0, 10**9], [False, False])
    assert found == (1.0, 1.0, 1.0)


def precision_by_threshold(negatives, positives) -> float:
    """Σ (R(k) - R(k - 1))·P(k) over the thresholds, from the highest score down: scikit-learn's definition."""
    total, recall = 0.0, 0.0
    for threshold in sorted({*negatives, *positives}, reverse=True):
        right = sum(score >= threshold for score in positives)
        wrong = sum(score >= threshold for score in negatives)
        total += (right / len(positives) - recall) * right / (right + wrong)
        recall = right / len(positives)
    return total


@given(st.lists(st.integers(0, 40).map(lambda x: x / 40), max_size=60), scores)
def test_average_precision_over_every_threshold_is_within_the_bounds(negatives, positives):
    bins = NumericBins((0.2, 0.5, float(np.nextafter(0.5, 1)), 0.8))
    found = binned_precision(binned(bins, negatives), binned(bins, positives), bins.is_point)
    assert found is not None
    assert found.lower - 1e-12 <= precision_by_threshold(negatives, positives) <= found.upper + 1e-12
    assert found.lower <= found.value <= found.upper


@given(scores, scores)
def test_average_precision_is_exact_where_each_bin_holds_one_score(negatives, positives):
    own = sorted({*negatives, *positives})
    bins = NumericBins(tuple(sorted({edge for score in own for edge in (score, float(np.nextafter(score, 2)))})))
    found = binned_precision(binned(bins, negatives), binned(bins, positives), bins.is_point)
    assert found is not None
    assert found.value == found.lower == found.upper
    assert found.value == pytest.approx(precision_by_threshold(negatives, positives), rel=1e-12)


@given(st.integers(0, 6), st.integers(1, 6), st.integers(0, 6), st.integers(0, 6))
def test_the_bounds_of_average_precision_are_reached(below, own, above, wrong):
    """By the best and the worst order of one bin's rows under others that are known."""
    known_right, known_wrong = [0.9] * above, [0.9] * wrong
    best = precision_by_threshold([*known_wrong, *[0.1] * below], [*known_right, *[0.2] * own])
    worst = precision_by_threshold(
        [*known_wrong, *[0.3] * below], [*known_right, *(0.1 + place / 100 for place in range(own))]
    )
    found = binned_precision(np.array([below, wrong]), np.array([own, above]), np.array([False, True]))
    assert found is not None
    assert (found.lower, found.upper) == pytest.approx((worst, best), rel=1e-12)


def test_without_positives_there_is_no_average_precision():
    assert binned_precision(np.array([1, 2]), np.array([0, 0]), np.zeros(2, bool)) is None


def test_a_billion_labels_keep_the_bounds_of_average_precision_in_order():
    negatives, positives = np.array([10**9, 10**8, 3]), np.array([10**7, 10**6, 1])
    found = binned_precision(negatives, positives, np.zeros(3, bool))
    assert found is not None
    assert 0 < found.lower < found.value < found.upper < 1
