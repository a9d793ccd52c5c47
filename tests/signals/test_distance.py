"""The KS distance against scipy on bin codes and on the values behind the bins."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ks_2samp, kstwobign

from mlvitals.signals.distance import KOLMOGOROV_DEVIATION, KOLMOGOROV_MEAN, Distance, largest_distance
from mlvitals.windows.layout import NumericBins

counts = arrays(np.int64, 9, elements=st.integers(0, 60))


def distance(current, reference, is_point=None) -> Distance:
    current, reference = np.asarray(current), np.asarray(reference)
    found = largest_distance(current, reference, np.zeros(len(current), bool) if is_point is None else is_point)
    assert found is not None
    return found


@given(counts, counts)
def test_it_is_the_two_sample_statistic_of_bin_codes(current, reference):
    assume(current.sum() > 0 and reference.sum() > 0)
    codes = np.arange(9)
    expected = ks_2samp(np.repeat(codes, current), np.repeat(codes, reference), method="asymp").statistic
    assert distance(current, reference).value == pytest.approx(expected, rel=1e-12, abs=1e-15)


values = st.lists(st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, 2.25, 2.5, 2.75, 3.0, 4.0]), min_size=2, max_size=40)


@given(values, values)
def test_the_distance_of_the_values_themselves_is_within_the_bounds(current, reference):
    point = 2.0
    bins = NumericBins((1.0, point, float(np.nextafter(point, 3)), 3.0))
    binned = [
        np.bincount(np.searchsorted(bins.array, side, side="right"), minlength=bins.size)
        for side in (current, reference)
    ]
    found = distance(binned[0], binned[1], bins.is_point)
    true = ks_2samp(current, reference, method="asymp").statistic
    assert found.value - 1e-12 <= true <= found.upper + 1e-12


def test_the_upper_bound_is_reached_by_values_that_do_not_mix_inside_a_bin():
    binned = distance([4, 6], [5, 5])  # values below 10, values from 10 on
    assert binned.value == pytest.approx(0.1)
    assert binned.upper == pytest.approx(0.6)
    assert ks_2samp([5] * 4 + [21] * 6, [5] * 5 + [20] * 5).statistic == pytest.approx(0.6)


def test_bins_of_single_points_leave_no_doubt():
    found = distance([3, 5, 2], [4, 4, 2], np.ones(3, bool))
    assert found.upper == found.value == pytest.approx(0.1)


@given(counts, st.integers(1, 50))
def test_equal_shares_are_exactly_zero_apart(reference, factor):
    assume(reference.sum() > 0)
    assert distance(reference * factor, reference).value == 0.0


@pytest.mark.parametrize(("current", "reference"), [([0, 0], [3, 4]), ([3, 4], [0, 0])])
def test_without_rows_on_both_sides_there_is_no_distance(current, reference):
    assert largest_distance(np.array(current), np.array(reference), np.zeros(2, bool)) is None


def test_the_null_moments_are_those_of_kolmogorov_s_distribution():
    assert kstwobign.mean() == pytest.approx(KOLMOGOROV_MEAN, rel=1e-6)
    assert kstwobign.std() == pytest.approx(KOLMOGOROV_DEVIATION, rel=1e-4)
    found = distance([50] * 10, [100] * 10)
    assert found.no_drift_mean == pytest.approx(KOLMOGOROV_MEAN * sqrt(1 / 500 + 1 / 1_000))
    assert found.noise == pytest.approx(KOLMOGOROV_DEVIATION * sqrt(1 / 500 + 1 / 1_000))


@pytest.mark.parametrize("bins", [2, 20])
def test_the_noise_is_about_the_deviation_where_nothing_changed(bins):
    generator = np.random.default_rng(5)
    found = [distance(generator.multinomial(500, np.full(bins, 1 / bins)), np.full(bins, 10**7)) for _ in range(2_000)]
    simulated = np.array([one.value for one in found])
    assert simulated.mean() < found[0].no_drift_mean
    assert 0.95 < simulated.std() / found[0].noise < 1.22
