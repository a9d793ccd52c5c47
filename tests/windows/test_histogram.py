import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlvitals.windows.histogram import HISTOGRAM_BINS, RELATIVE_ERROR, duration_bins, duration_quantile

FOUR_YEARS = 4 * 365.25 * 86_400
DURATIONS = st.floats(1e-6, FOUR_YEARS)
QUANTILES = [0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 1.0]


def count(seconds):
    bins = duration_bins(np.array(seconds, dtype=np.float64))
    return np.bincount(bins[bins >= 0], minlength=HISTOGRAM_BINS)


@given(st.lists(DURATIONS, min_size=1), st.sampled_from(QUANTILES))
@example([1e-6], 0.5)
@example([FOUR_YEARS], 0.5)
@example([0.1] * 19 + [5.0], 0.95)
def test_a_quantile_is_within_the_stated_error_of_the_exact_one(seconds, quantile):
    exact = float(np.quantile(seconds, quantile, method="inverted_cdf"))
    found = duration_quantile(count(seconds), quantile)
    assert found is not None
    assert abs(found - exact) <= RELATIVE_ERROR * exact


def test_the_stated_error_is_the_one_in_the_documentation():
    assert RELATIVE_ERROR == 1 / 64


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.95, 0.99])
def test_ranks_of_common_quantiles_are_whole_where_they_should_be(quantile):
    """0.95 of 20 is 19, not a little more: the twentieth would be another value."""
    for total in range(1, 2_000):
        exact = -(-total * round(quantile * 100) // 100)
        counts = np.zeros(HISTOGRAM_BINS, dtype=np.int64)
        counts[100], counts[200] = exact, total - exact
        assert duration_quantile(counts, quantile) == duration_quantile(
            np.eye(1, HISTOGRAM_BINS, 100)[0].astype(int), 1
        )


@given(st.lists(st.floats(allow_nan=True)), st.lists(st.floats(allow_nan=True)))
def test_histograms_add(one, other):
    assert np.array_equal(count(one) + count(other), count(one + other))
    assert count(one).sum() == sum(not math.isnan(value) for value in one)


@given(st.lists(st.floats(allow_nan=False), min_size=2))
def test_a_longer_duration_is_in_no_earlier_bin(seconds):
    bins = duration_bins(np.sort(np.array(seconds)))
    assert (np.diff(bins) >= 0).all()
    assert bins.min() >= 0
    assert bins.max() < HISTOGRAM_BINS


@pytest.mark.parametrize(("seconds", "expected"), [(-5.0, 0), (0.0, 0), (-math.inf, 0), (math.inf, HISTOGRAM_BINS - 1)])
def test_what_is_outside_falls_in_the_outer_bins(seconds, expected):
    assert duration_bins(np.array([seconds])).tolist() == [expected]


def test_nan_is_counted_nowhere():
    assert duration_bins(np.array([math.nan, 1.0])).tolist()[0] == -1
    assert count([math.nan]).sum() == 0


def test_an_empty_histogram_has_no_quantile():
    assert duration_quantile(np.zeros(HISTOGRAM_BINS, dtype=np.int64), 0.5) is None
