"""Evidence of a step: never more than chance allows inside the tolerance, and dated where it began."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlvitals.decisions.steps import BETS, SIDES, Novelty, Steps
from mlvitals.decisions.tails import FREEDOMS
from mlvitals.decisions.whitening import Filter, Noise

UNCAPPED = 600.0
CAP = np.log(1e3)
NORMAL = len(FREEDOMS) - 1


def novelty(standard, *, tolerance=0.0, tails=NORMAL, gain=0.0, persistence=0.0, cap=UNCAPPED, deviation=1.0):
    standard = np.atleast_1d(np.asarray(standard, dtype=np.float64))
    full = [np.broadcast_to(np.float64(one), standard.shape) for one in (deviation, tolerance, gain, persistence, cap)]
    places = np.full(standard.shape, tails, dtype=np.intp)
    return Novelty(standard, full[0], full[1], places, full[2], full[3], full[4])


def followed(residuals, sampling, noise, tolerance, cap=CAP):
    """Return steps after every window of histories whose tolerance is in the effect's own unit."""
    state, steps = Filter.start(noise), Steps.start(len(residuals))
    for window in range(residuals.shape[1]):
        innovation, total, gain = state.step(residuals[:, window], sampling[:, window], noise)
        deviation = np.sqrt(total)
        steps.take(
            Novelty(
                standard=innovation / deviation,
                deviation=deviation,
                tolerance=tolerance / deviation,
                tails=np.full(len(residuals), NORMAL),
                gain=gain,
                persistence=noise.persistence,
                cap=np.full(len(residuals), cap),
            )
        )
        yield steps


def natural(streams, persistence=0.7, variance=0.5):
    return Noise(*(np.full(streams, one) for one in (persistence, variance, 1.0, np.inf)))


def wandering(random, noise, windows):
    """Return histories of the noise with a sampling variance of 1, shape (streams, windows)."""
    level = random.normal(size=len(noise.natural)) * np.sqrt(noise.natural)
    history = np.empty((len(level), windows))
    for window in range(windows):
        history[:, window] = level + random.normal(size=len(level))
        fresh = np.sqrt(noise.natural * (1 - noise.persistence**2))
        level = noise.persistence * level + fresh * random.normal(size=len(level))
    return history


@pytest.mark.parametrize("place", range(len(FREEDOMS)))
@pytest.mark.parametrize("tolerance", [0.0, 0.3, 2.0])
def test_the_mean_of_every_e_value_is_one_at_the_edge_of_the_tolerance_and_less_inside(place, tolerance):
    normal = np.arange(-7.9, 7.9, 0.02) if place < 2 else np.arange(-25.0, 25.0, 0.02)
    chance = stats.norm.pdf(normal) * 0.02
    values = np.copysign(stats.t.isf(stats.norm.sf(np.abs(normal)), FREEDOMS[place]), normal)
    for level, side in ((tolerance, 0), (-tolerance, 1), (0.0, 0), (-tolerance, 0)):
        steps = Steps.start(len(values))
        steps.take(novelty(values + level, tolerance=tolerance, tails=place))
        means = chance @ steps.sums.sum(axis=3)[:, side]
        assert np.all(means <= 1 + 1e-3)
        if side == (0 if level > 0 else 1) and level:
            light = stats.norm.isf(stats.t.sf(BETS, FREEDOMS[place])) < normal[-1] - 4
            assert means[light] == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize("place", [0, 3, NORMAL])
def test_a_cap_only_lowers_an_e_value(place):
    values = np.linspace(-20, 20, 801)
    free, capped = Steps.start(len(values)), Steps.start(len(values))
    free.take(novelty(values, tails=place))
    capped.take(novelty(values, tails=place, cap=2.0))
    assert np.array_equal(capped.sums, np.minimum(free.sums, np.exp(2.0)))


@pytest.mark.parametrize("sign", [1.0, 0.0, -1.0])
def test_evidence_less_windows_falls_in_the_mean_of_a_level_that_stays_at_the_edge_of_its_tolerance(sign):
    random = np.random.default_rng(20)
    noise = natural(2000)
    residuals = wandering(random, noise, 25) + sign * 0.4
    residuals[random.random(residuals.shape) < 0.2] = np.nan
    windows = np.zeros(len(residuals))
    for place, steps in enumerate(followed(residuals, np.ones_like(residuals), noise, 0.4)):
        windows += np.isfinite(residuals[:, place])
        surplus = steps.evidence - windows
        assert surplus.mean() <= 3.5 * surplus.std() / np.sqrt(len(surplus))
    assert windows.mean() == pytest.approx(20, abs=1)


def test_evidence_reaches_a_bar_no_oftener_than_windows_divided_by_it():
    random = np.random.default_rng(3)
    noise, alarms = natural(1000), 0
    residuals = wandering(random, noise, 80)
    for steps in followed(residuals, np.ones_like(residuals), noise, 0.0):
        over = steps.evidence >= 50
        alarms += over.sum()
        steps.reset(over)
    assert 0 < alarms <= residuals.size / 50


@given(st.lists(st.floats(-5, 5) | st.none(), min_size=1, max_size=12), st.floats(0, 0.98), st.floats(0, 1))
def test_a_missing_window_changes_no_evidence(values, persistence, gain):
    steps = Steps.start(1)
    for value in values:
        known = value is not None
        before = {name: getattr(steps, name).copy() for name in ("sums", "climb", "precision", "share")}
        taken = novelty(value if known else np.nan, gain=gain if known else 0.0, persistence=persistence)
        steps.take(taken)
        if not known:
            assert all(np.array_equal(kept, getattr(steps, name)) for name, kept in before.items())


def test_what_the_filter_took_of_a_step_fades_in_a_missing_window():
    steps = Steps.start(1)
    steps.take(novelty(1.0, gain=0.6, persistence=0.5))
    steps.take(novelty(1.0, gain=0.6, persistence=0.5))
    ages = steps.absorbed.copy()
    assert ages[0] == pytest.approx([0.3, 0.5 * (0.3 + 0.6 * 0.7), 0.5 * (0.36 + 0.6 * 0.64)], abs=0.03)
    steps.take(novelty(np.nan, persistence=0.5))
    assert steps.absorbed == pytest.approx(0.5 * ages)


def test_a_noiseless_step_leaves_just_what_the_trace_says():
    """The filter's innovations after a step of one are one less what it has taken, whatever rows windows have."""
    noise = natural(1, 0.9, 2.0)
    random = np.random.default_rng(1)
    sampling = 1 / random.integers(1, 40, (1, 8)).astype(np.float64)
    state, steps, seen = Filter.start(noise), Steps.start(1), []
    for window in range(8):
        innovation, total, gain = state.step(np.array([1.0]), sampling[:, window], noise)
        seen.append(innovation[0])
        steps.take(replace(novelty(np.sqrt(1e4), gain=gain, persistence=0.9), deviation=np.sqrt(total)))
        if window < 7:
            # The upward bet has climbed from the first window on, so its own trace is that of this very step.
            ahead, _, _ = Filter(state.level.copy(), state.variance.copy()).step(
                np.array([1.0]), sampling[:, window + 1], noise
            )
            assert 1 - steps.taken[0, 0, 0] == pytest.approx(ahead[0])
    assert seen[0] > seen[-1] > 0


def test_resetting_some_streams_leaves_the_others():
    steps = Steps.start(3)
    for _ in range(5):
        steps.take(novelty([2.0, 2.0, -2.0], gain=0.3, persistence=0.5))
    before = steps.evidence
    steps.reset(np.array([False, True, False]))
    assert steps.evidence.tolist() == [before[0], 0.0, before[2]]
    effect, error, since = steps.likeliest()
    assert (effect[1], error[1], since[1]) == (0.0, np.inf, 0.0)
    assert effect[0] == -effect[2] > 0


@pytest.mark.parametrize("step", [-2.0, 1.5, 4.0])
def test_a_step_is_estimated_and_dated(step):
    random = np.random.default_rng(9)
    noise = natural(300)
    residuals = wandering(random, noise, 60)
    residuals[:, 45:] += step
    *_, steps = followed(residuals, np.ones_like(residuals), noise, 0.05)
    effect, error, since = steps.likeliest()
    assert np.median(since) == pytest.approx(15, abs=1)
    assert np.mean(np.abs(since - 15) <= 3) > 0.5
    assert np.median(effect) == pytest.approx(step, rel=0.08)
    assert np.mean(np.abs(effect - step) <= 1.96 * error) > 0.85
    side = steps.sums.sum(axis=(2, 3)).argmax(axis=1)
    assert np.mean(SIDES[side] == np.sign(step)) > 0.99


def test_missing_windows_before_a_step_do_not_belong_to_it():
    steps = Steps.start(1)
    for value in (0.0, np.nan, np.nan, np.nan, 5.0, np.nan, 5.0):
        steps.take(novelty(value))
    assert steps.likeliest()[2][0] == 3


def test_a_greater_step_is_found_sooner():
    noise, delays = natural(200), []
    for step in (1.0, 2.0, 4.0):
        residuals = wandering(np.random.default_rng(4), noise, 80) + step
        reached = np.full(200, 80)
        for window, steps in enumerate(followed(residuals, np.ones_like(residuals), noise, 0.05, np.log(1e4**0.6))):
            reached = np.minimum(reached, np.where(steps.evidence >= 1e4, window + 1, 80))
        delays.append(np.median(reached))
    assert delays[0] > delays[1] > delays[2] >= 2


@given(st.lists(st.floats(-1e150, 1e150) | st.just(np.nan), min_size=1, max_size=20), st.integers(0, NORMAL))
def test_evidence_is_finite_whatever_comes(values, place):
    steps = Steps.start(1)
    for value in values:
        known = np.isfinite(value)
        steps.take(novelty(value if known else np.nan, tails=place, gain=0.9 if known else 0.0, cap=400.0))
        assert np.isfinite(steps.evidence).all()
        assert not np.isnan(np.concatenate(steps.likeliest())).any()
