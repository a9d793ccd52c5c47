"""What is usual: found from weeks of windows, with an error and a scale that do not promise too much."""

import numpy as np
import pytest

from mlvitals.clock import DAY, HOUR
from mlvitals.decisions.baseline import LEAST_FREEDOM, fit_baseline
from mlvitals.decisions.seasonality import Seasonality
from mlvitals.decisions.tails import normalise
from mlvitals.decisions.whitening import innovations
from tests.decisions.histories import HOURLY, hours
from tests.decisions.test_whitening import drawn, noise_of

NONE = Seasonality(by_hour=False, by_day=False)
BOTH = Seasonality(by_hour=True, by_day=True)


def wave(starts):
    return 0.3 * np.sin(2 * np.pi * (starts % DAY) / DAY) + 0.2 * (starts // DAY % 7 == 2)


def noise(streams, persistence=0.7, natural=0.002, inflation=1.0):
    one = noise_of(persistence, natural, inflation)
    return one.of(np.zeros(streams, dtype=np.intp))


def history(streams, windows, seed=1, **kinds):
    random = np.random.default_rng(seed)
    sampling = 1 / random.integers(300, 3000, (streams, windows))
    return drawn(random, noise(streams, **kinds), sampling), sampling


def fitted(effects, sampling, seasonality=NONE, starts=None):
    starts = hours(effects.shape[1]) if starts is None else starts
    return fit_baseline(effects, sampling, starts, seasonality, least=np.ones(len(effects)))


def test_the_season_is_found_and_taken_off():
    starts = hours(4 * 168)
    effects, sampling = history(20, len(starts))
    base = fitted(effects + wave(starts), sampling, BOTH)
    found = base.season @ BOTH.design(starts).T
    assert np.sqrt(np.mean((found - wave(starts)) ** 2)) < 0.02
    assert np.median(base.noise.natural) == pytest.approx(0.002, rel=0.5)
    assert base.windows.tolist() == [672] * 20


@pytest.mark.parametrize("persistence", [0.0, 0.7, 0.9])
def test_the_usual_level_is_hardly_ever_off_by_more_than_two_of_its_errors(persistence):
    effects, sampling = history(300, 336, persistence=persistence)
    base = fitted(effects, sampling)
    assert np.mean(np.abs(base.season[:, 0]) > 2 * base.error) < 0.05
    assert np.median(base.error) < 0.05


def test_new_windows_are_no_more_surprising_than_a_normal_variable():
    """The guard of the scale: in the mean square of fresh windows no stream of many is far beyond one."""
    effects, sampling = history(200, 600, inflation=2.0)
    base = fitted(effects[:, :200], sampling[:, :200])
    residuals = effects[:, 200:] - base.season[:, :1]
    normal = normalise(innovations(residuals, sampling[:, 200:], base.noise) / base.scale[:, None], base.tails[:, None])
    assert 0.5 < np.mean(normal**2) < 1.0
    assert np.mean((normal**2).mean(axis=1) > 1.1) < 0.1


def test_a_longer_history_knows_its_level_better():
    errors = [np.median(fitted(*history(50, windows)).error) for windows in (100, 400, 1600)]
    assert errors[0] > 1.6 * errors[1] > 2.4 * errors[2]


@pytest.mark.parametrize(
    ("known", "judged"), [(0, False), (1, False), (LEAST_FREEDOM, False), (LEAST_FREEDOM + 1, True)]
)
def test_a_stream_that_was_seldom_there_is_not_judged(known, judged):
    effects, sampling = history(1, 200)
    effects[:, known:] = sampling[:, known:] = np.nan
    base = fitted(effects, sampling)
    assert np.isfinite(base.error).tolist() == [judged]
    finite = (base.season, base.scale, base.noise.natural, base.noise.inflation)
    assert all(np.isfinite(one).all() for one in finite)


def test_missing_windows_at_an_end_teach_nothing():
    effects, sampling = history(3, 100)
    gap = np.full((3, 20), np.nan)
    base = fitted(effects, sampling)
    later = fitted(np.hstack([effects, gap]), np.hstack([sampling, gap]))
    for name in ("season", "scale", "error", "tails", "windows"):
        assert getattr(base, name) == pytest.approx(getattr(later, name))


def test_windows_of_more_rows_count_for_more():
    random = np.random.default_rng(2)
    sampling = np.where(np.arange(200) % 2, 1.0, 1e-4) * np.ones((40, 1))
    effects = random.normal(size=sampling.shape) * np.sqrt(sampling)
    assert np.abs(fitted(effects, sampling).season).max() < 0.01 < np.abs(effects.mean(axis=1)).max()


@pytest.mark.parametrize("unseen", [0, 5, 23])
def test_an_hour_that_was_never_seen_is_taken_for_an_ordinary_one(unseen):
    starts = hours(14 * 24)
    starts = starts[starts % DAY // HOUR != unseen]
    effects, sampling = history(5, len(starts))
    by_hour = Seasonality.of(starts, HOURLY)
    base = fitted(1.2 + 0.01 * effects, sampling, by_hour, starts)
    expected = base.season @ by_hour.design(hours(24)).T
    assert expected == pytest.approx(np.full_like(expected, 1.2), abs=0.02)


def test_a_constant_stream_has_a_level_and_a_scale_and_no_surprise():
    base = fitted(np.full((1, 100), 0.4), np.full((1, 100), 0.01))
    assert base.season[0, 0] == pytest.approx(0.4)
    assert 0 < base.scale[0] < 1e-3
    assert np.isfinite(base.error[0])


def test_no_streams_at_all_are_nothing_special():
    base = fitted(np.zeros((0, 50)), np.zeros((0, 50)), BOTH)
    assert base.season.shape == (0, 30)
    assert base.error.shape == (0,)
