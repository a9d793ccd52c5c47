"""The KS distance against scipy on bin codes and on the values behind the bins."""

from math import sqrt
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import halfnorm, ks_2samp, kstwobign

from mlvitals.signals.distance import largest_distance
from mlvitals.signals.pair import make_pair
from mlvitals.windows.bins import NumericBins

counts = arrays(np.int64, 9, elements=st.integers(0, 60))


class Distance(NamedTuple):
    value: float
    upper: float
    mean: float
    noise: float


def distance(current, reference, is_point=None) -> Distance:
    points = np.zeros(len(current), bool) if is_point is None else is_point
    found = largest_distance(make_pair(np.asarray(current)[None], np.asarray(reference)[None]), points[None])
    assert found.upper is not None
    return Distance(found.value.item(), found.upper.item(), found.mean.item(), found.noise.item())


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


def test_a_single_edge_has_the_moments_of_a_normal_variable_s_absolute_value():
    found = distance([300, 100], [600, 200])
    deviation = sqrt(0.25 * 0.75 * (1 / 400 + 1 / 800))
    assert found.mean == pytest.approx(deviation * halfnorm.mean(), rel=0.01)
    assert found.noise == pytest.approx(deviation * halfnorm.std(), rel=0.04)


def test_with_many_bins_the_moments_near_those_of_kolmogorov_s_distribution():
    found = distance([50] * 200, [100] * 200)
    scale = sqrt(1 / 10_000 + 1 / 20_000)
    assert found.mean == pytest.approx(kstwobign.mean() * scale, rel=0.06)
    assert found.noise == pytest.approx(kstwobign.std() * scale, rel=0.15)
