"""Wilson's interval against scipy's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from mlvitals.signals.proportion import wilson_interval


@st.composite
def samples(draw):
    trials = draw(st.integers(1, 10**7))
    return draw(st.integers(0, trials)), trials


@given(samples())
def test_it_is_scipy_s(sample):
    successes, trials = sample
    expected = binomtest(successes, trials).proportion_ci(confidence_level=0.95, method="wilson")
    assert wilson_interval(successes, trials) == pytest.approx((expected.low, expected.high), rel=1e-9, abs=1e-12)


@given(samples())
def test_it_holds_the_share_and_stays_between_zero_and_one(sample):
    successes, trials = sample
    lower, upper = wilson_interval(successes, trials)
    assert 0 <= lower <= successes / trials <= upper <= 1


@pytest.mark.parametrize("trials", [1, 3, 49, 10**6])
def test_an_end_that_the_sample_touches_is_exact(trials):
    assert wilson_interval(0, trials)[0] == 0.0
    assert wilson_interval(trials, trials)[1] == 1.0
