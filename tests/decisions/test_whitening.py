"""Kalman's innovations, against what the dense covariance of whole histories says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlvitals.decisions.whitening import Filter, Noise, fit_noise, innovations

shares = st.floats(0.0, 0.98)
variances = st.floats(1e-3, 1e3)


def noise_of(persistence, natural, inflation, freedom=np.inf):
    return Noise(*(np.array([one], dtype=np.float64) for one in (persistence, natural, inflation, freedom)))


def covariance(persistence, natural, inflation, sampling):
    places = np.arange(len(sampling))
    lasting = persistence ** np.abs(places[:, None] - places)
    return natural * lasting + np.diag(inflation * sampling)


def drawn(random, noise, sampling):
    """Return a history of an autoregression with sampling noise, shape (streams, windows) as `sampling`."""
    fresh = random.normal(size=sampling.shape) * np.sqrt(noise.natural * (1 - noise.persistence**2))[:, None]
    deviation = np.empty_like(sampling)
    deviation[:, 0] = fresh[:, 0] / np.sqrt(1 - noise.persistence**2)
    for window in range(1, sampling.shape[1]):
        deviation[:, window] = noise.persistence * deviation[:, window - 1] + fresh[:, window]
    return deviation + random.normal(size=sampling.shape) * np.sqrt(noise.inflation[:, None] * sampling)


@given(shares, variances, variances, st.integers(0, 2**32), st.lists(st.booleans(), min_size=1, max_size=12))
def test_innovations_are_those_of_the_dense_covariance_wherever_windows_are_missing(
    persistence, natural, inflation, seed, there
):
    random, known = np.random.default_rng(seed), np.array(there)
    sampling = 1 / random.integers(1, 5000, len(known))
    residuals = np.where(known, random.normal(size=len(known)), np.nan)
    found = innovations(residuals[None], sampling[None], noise_of(persistence, natural, inflation))[0]
    dense = covariance(persistence, natural, inflation, sampling)[np.ix_(known, known)]
    assert found[known] == pytest.approx(np.linalg.solve(np.linalg.cholesky(dense), residuals[known]), rel=1e-6)
    assert np.isnan(found[~known]).all()


def test_the_likeliest_noise_is_that_of_the_dense_likelihood():
    random = np.random.default_rng(5)
    sampling = 1 / random.integers(200, 4000, 90)
    residuals = drawn(random, noise_of(0.7, 0.004, 1.5), sampling[None])[0]
    residuals[[3, 4, 40]] = np.nan
    known = np.isfinite(residuals)

    def deviance(persistence, natural, inflation):
        dense = covariance(persistence, natural, inflation, sampling)[np.ix_(known, known)]
        return -2 * stats.multivariate_normal.logpdf(residuals[known], cov=dense)

    fitted = fit_noise(residuals[None], np.where(known, sampling, np.nan)[None], np.array([0.0]))
    best = deviance(fitted.persistence[0], fitted.natural[0], fitted.inflation[0])
    for scale in (0.8, 1.25):  # the scale is found in closed form: it is a minimum to either side
        assert deviance(fitted.persistence[0], fitted.natural[0] * scale, fitted.inflation[0] * scale) > best
    assert best <= deviance(0.7, 0.004, 1.5) + 2.0  # off the grid's own points by so much at most


@pytest.mark.parametrize(
    ("persistence", "natural", "inflation"), [(0.8, 0.01, 1.0), (0.5, 0.002, 3.0), (0.0, 0.0, 2.0)]
)
def test_noise_is_found_again_in_long_histories(persistence, natural, inflation):
    random = np.random.default_rng(11)
    sampling = 1 / random.integers(300, 3000, (20, 1500))
    noise = Noise(*(np.full(20, one) for one in (persistence, natural, inflation, np.inf)))
    fitted = fit_noise(drawn(random, noise, sampling), sampling, np.ones(20))
    assert np.median(fitted.inflation) == pytest.approx(inflation, rel=0.15)
    assert np.median(fitted.natural) == pytest.approx(natural, rel=0.35, abs=5e-5)
    if natural:
        assert np.median(fitted.persistence) == pytest.approx(persistence, abs=0.11)


def test_the_sampling_variance_of_a_multinomial_is_never_taken_for_less():
    random = np.random.default_rng(3)
    sampling = np.full((2, 200), 0.01)
    fitted = fit_noise(random.normal(size=(2, 200)) * 0.05, sampling, np.array([1.0, 0.0]))
    assert fitted.inflation[0] == 1.0
    assert (fitted.inflation + fitted.natural / 0.01)[1] == pytest.approx(0.25, rel=0.3)


@pytest.mark.parametrize("residual", [0.0, np.nan])
@pytest.mark.parametrize("least", [0.0, 1.0])
def test_a_stream_that_never_varied_or_never_was_there_has_a_noise(residual, least):
    sampling = np.full((1, 50), 0.01 if np.isfinite(residual) else np.nan)
    fitted = fit_noise(np.full((1, 50), residual), sampling, np.array([least]))
    _, total, _ = Filter.start(fitted).step(np.array([0.1]), np.array([0.01]), fitted)
    assert np.isfinite([fitted.natural, fitted.inflation, total]).all()
    assert 1e-30 < total[0] < 1e3


def test_innovations_of_the_model_are_white_with_variance_one():
    random = np.random.default_rng(7)
    sampling = 1 / random.integers(50, 5000, (200, 300))
    noise = Noise(*(np.full(200, one) for one in (0.9, 0.01, 1.5, np.inf)))
    found = innovations(drawn(random, noise, sampling), sampling, noise)
    assert (found**2).mean() == pytest.approx(1.0, abs=0.02)
    assert (found[:, 1:] * found[:, :-1]).mean() == pytest.approx(0.0, abs=0.015)


def test_a_missing_window_says_nothing_and_what_was_known_fades_to_what_is_usual():
    noise = noise_of(0.5, 4.0, 1.0)
    state = Filter.start(noise)
    state.step(np.array([3.0]), np.array([1.0]), noise)
    level, variance = state.level.copy(), state.variance.copy()
    innovation, _, share = state.step(np.array([np.nan]), np.array([np.nan]), noise)
    assert np.isnan(innovation[0])
    assert share[0] == 0
    assert state.level == pytest.approx(0.5 * level)
    assert state.variance == pytest.approx(0.25 * variance + 0.75 * 4.0)
    for _ in range(60):
        state.step(np.array([np.nan]), np.array([np.nan]), noise)
    assert (state.level[0], state.variance[0]) == pytest.approx((0.0, 4.0))


def test_a_surprise_is_taken_over_where_tails_are_heavy_and_ordinary_news_is_not():
    light, heavy = noise_of(0.9, 1.0, 1.0), noise_of(0.9, 1.0, 1.0, freedom=3.0)
    for residual, more in ((1.0, False), (15.0, True)):
        shares_taken = [
            Filter.start(one).step(np.array([residual]), np.array([1.0]), one)[2][0] for one in (light, heavy)
        ]
        assert (shares_taken[1] > shares_taken[0] + 0.1) == more
        assert shares_taken[1] <= 1


@given(st.floats(0, 0.98), st.floats(0.01, 10), st.floats(0.01, 10))
def test_the_variance_of_a_long_mean_is_that_of_the_dense_covariance(persistence, natural, sampling):
    windows = 4000
    gaps = np.arange(1, windows)
    dense = natural * (1 + 2 * ((1 - gaps / windows) * persistence**gaps).sum()) + 2.0 * sampling
    noise = noise_of(persistence, natural, 2.0)
    assert noise.long_run(np.array([sampling]))[0] == pytest.approx(dense, rel=0.05)
    assert noise.scaled(np.array([3.0])).long_run(np.array([sampling]))[0] == pytest.approx(3 * dense, rel=0.05)
