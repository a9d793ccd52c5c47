"""The calibration error against brute force, and what chance makes of it against simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlvitals.signals.calibration import Calibration, binomial_deviation, calibration_error

GROUPS = 20


def grouped(scores):
    edges = np.quantile(scores, np.arange(1, GROUPS) / GROUPS)
    return np.searchsorted(edges, scores, side="right")


def calibration(groups, scores, true) -> Calibration:
    found = calibration_error(runs(groups, scores, true))
    assert found is not None
    return found


def runs(groups, scores, true):
    units = [np.rint(power * 2**32) for power in (scores, scores**2)]
    return np.array(
        [np.bincount(groups, run, minlength=GROUPS) for run in (np.ones(len(scores)), true, *units)]
    ).astype(np.int64)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.integers(0, GROUPS - 1)), min_size=1))
def test_it_is_the_mean_distance_of_shares_from_mean_scores(rows):
    scores, true, groups = (np.array(column) for column in zip(*rows, strict=True))
    expected = 0.0
    for group in set(groups.tolist()):
        mine = groups == group
        expected += mine.mean() * abs(true[mine].mean() - scores[mine].mean())
    found = calibration(groups, scores, true)
    assert found.raw == pytest.approx(expected, abs=1e-9)
    assert found.no_drift_mean >= 0
    assert found.noise >= 0


def test_of_no_rows_nothing_is_told():
    assert calibration_error(np.zeros((4, GROUPS), np.int64)) is None


@pytest.mark.parametrize(
    ("name", "scores"),
    [
        ("evenly spread", lambda random: random.random(2_000)),
        ("rare", lambda random: random.beta(0.1, 10, 5_000)),
        ("nearly sure", lambda random: random.beta(20, 0.1, 500)),
        ("few rows", lambda random: random.random(40)),
        ("constant", lambda _: np.full(300, 0.01)),
    ],
)
def test_chance_alone_makes_the_mean_and_the_spread_that_are_told(name, scores):
    random = np.random.default_rng(5)
    right = scores(random)
    groups = grouped(right) if name != "constant" else np.zeros(len(right), np.intp)
    drawn = [calibration(groups, right, random.random(len(right)) < right) for _ in range(2_000)]
    raw = np.array([one.raw for one in drawn])
    error = raw.std() / np.sqrt(len(raw))
    assert raw.mean() == pytest.approx(drawn[0].no_drift_mean, abs=4 * error)
    assert raw.std() == pytest.approx(drawn[0].noise, rel=0.08)
    # What is told lies around 0: no further from it than a tenth of the error that one cohort has by chance.
    assert abs((raw - drawn[0].no_drift_mean).mean()) < drawn[0].noise / 10


@pytest.mark.parametrize(("trials", "chance"), [(1, 0.3), (2, 0.75), (10, 0.01), (1_000, 0.3), (7, 0.9999)])
def test_the_mean_absolute_deviation_is_the_binomial_distribution_s(trials, chance):
    law = stats.binom(trials, chance)
    expected = law.expect(lambda count: abs(count - trials * chance))
    found = binomial_deviation(np.array([trials * chance]), np.array([law.var()]))
    assert found[0] == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("mean", [1e-12, 0.01, 1.5, 999.9, 1_000.1, 1e9])
def test_of_rare_events_it_is_the_poisson_distribution_s(mean):
    turn = np.floor(mean) + 1
    expected = 2 * turn * np.exp(stats.poisson(mean).logpmf(turn))
    found = binomial_deviation(np.array([mean]), np.array([mean]))
    assert found[0] == pytest.approx(expected, rel=2e-4)


def test_scores_that_are_sure_make_no_noise():
    sure = np.repeat([0.0, 1.0], 50)
    assert calibration(np.repeat([0, 1], 50), sure, sure) == (0.0, 0.0, 0.0)
