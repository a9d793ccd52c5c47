"""Tails: the heaviest that a history allows, and a map to normal values that is exact and never reverses an order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlvitals.decisions.tails import FREEDOMS, fit_tails, normalise

places = st.integers(0, len(FREEDOMS) - 1)
numbers = st.floats(allow_nan=False)


@pytest.mark.parametrize("place", range(len(FREEDOMS)))
def test_normal_values_are_exact_to_the_stated_bound_as_far_as_the_table_goes(place):
    values = np.concatenate([np.linspace(-60, 60, 4001), np.sinh(np.linspace(0, 14.9, 2001))])
    tail = stats.t.sf(np.abs(values), FREEDOMS[place])
    within = tail > 1e-299  # beyond it no double tells the tail from nothing
    oracle = np.copysign(stats.norm.isf(tail), values)
    assert np.abs(normalise(values, np.array(place)) - oracle)[within].max() < 1e-5
    assert within.sum() > 4000


@given(numbers, numbers, places)
def test_no_order_is_reversed(one, other, place):
    low, high = normalise(np.sort([one, other]), np.array(place))
    assert low <= high
    assert np.isfinite([low, high]).all()


@given(numbers, places)
def test_the_map_is_odd(value, place):
    above, below = normalise(np.array([value, -value]), np.array(place))
    assert above == -below


@given(numbers.filter(lambda value: value > 0))
def test_the_heavier_the_tails_the_less_a_value_says(value):
    found = normalise(np.full(len(FREEDOMS), value), np.arange(len(FREEDOMS)))
    assert np.all(np.diff(found) >= -2e-5)


def test_what_is_not_known_stays_unknown_and_moves_nothing_else():
    found = normalise(np.array([[np.nan, 1.0], [2.0, np.nan]]), np.array([[0], [5]]))
    assert np.array_equal(np.isnan(found), [[True, False], [False, True]])
    assert found[0, 1] == normalise(np.array(1.0), np.array(0))


@pytest.mark.parametrize("freedom", [3.0, 5.0, 11.0, 1000.0])
def test_the_fewest_degrees_of_freedom_that_scipys_likelihood_allows_are_taken(freedom):
    values = 0.3 * stats.t.rvs(freedom, size=400, random_state=8)
    fits = [stats.t.fit(values, fdf=each, floc=0.0) for each in FREEDOMS]
    likelihoods = np.array([stats.t.logpdf(values, *fit).sum() for fit in fits])
    allowed = np.flatnonzero(likelihoods >= likelihoods.max() - stats.chi2.ppf(0.9, 1) / 2)
    (place,), (scale,) = fit_tails(values[None, :])
    assert place == allowed[0]
    assert scale == pytest.approx(fits[place][2], rel=0.02)


@pytest.mark.parametrize("freedom", [3.0, 6.0, 16.0])
def test_tails_are_hardly_ever_taken_for_lighter_than_they_are(freedom):
    values = stats.t.rvs(freedom, size=(300, 336), random_state=4)
    lighter = FREEDOMS[fit_tails(values)[0]] > freedom
    assert lighter.mean() < 0.05 + 3 * np.sqrt(0.05 / 300)


def test_a_short_normal_history_counts_as_heavier_tailed_than_a_long_one():
    random = np.random.default_rng(2)
    short, long = (FREEDOMS[fit_tails(random.normal(size=(200, count)))[0]] for count in (30, 1000))
    assert np.median(short) <= 6
    assert np.median(long) >= 16


def test_what_is_not_known_is_left_out():
    values = stats.t.rvs(4.0, size=(3, 100), random_state=1)
    gaps = np.insert(values, [0, 17, 50], np.nan, axis=1)
    for one, other in zip(fit_tails(values), fit_tails(gaps), strict=True):
        assert one == pytest.approx(other, rel=1e-12)


def test_the_scale_goes_with_the_unit_and_the_degrees_do_not():
    values = stats.t.rvs(5.0, size=(4, 200), random_state=6)
    (place, scale), (placed, scaled) = fit_tails(values), fit_tails(1000 * values)
    assert np.array_equal(place, placed)
    assert scaled == pytest.approx(1000 * scale, rel=1e-9)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_history_that_says_nothing_has_a_scale_all_the_same(value):
    _, scale = fit_tails(np.full((2, 20), value))
    assert np.all((scale > 0) & (scale < 1e-5))
