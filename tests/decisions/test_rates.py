"""Evidence of rates: exact over all counts that there can be, silent of what cannot happen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlvitals.decisions.rates import RATE_BETS, Rates, Usual, angle, error_of_rate, fit_usual

UNCAPPED = 600.0
NOTHING = np.zeros(1)


def usual_of(rate, low, high, precision, streams):
    return Usual(*(np.full(streams, float(one)) for one in (rate, low, high, precision)))


def take(rates, hits, rows, usual, cap=UNCAPPED):
    hits, rows = np.broadcast_arrays(np.atleast_1d(np.float64(hits)), np.atleast_1d(np.float64(rows)))
    rates.take(hits, rows, usual, np.full(len(hits), cap))


def e_values(rows, usual):
    """Return the e-values of every count from 0 to all rows, shape (counts, alternatives)."""
    rates = Rates.start(rows + 1)
    take(rates, np.arange(rows + 1), rows, usual)
    return rates.sums


@given(
    st.integers(1, 300), st.floats(1e-6, 1 - 1e-6), st.floats(0, 1), st.floats(1, 1e7).map(lambda one: round(one, 3))
)
def test_the_exact_mean_over_all_counts_is_one_at_the_ends_of_the_interval_and_less_inside(
    rows, rate, spread, precision
):
    low, high = rate * (1 - spread / 2), rate + (1 - rate) * spread / 2
    found = e_values(rows, usual_of(rate, low, high, precision, rows + 1))
    counts = np.arange(rows + 1)
    for truth in (low, rate, high):
        chances = stats.betabinom.pmf(counts, rows, truth * precision, (1 - truth) * precision)
        means = chances @ found / chances.sum()
        assert np.all(means <= 1 + 1e-4)
        whole = found.max(axis=0) < 1e99  # beyond, evidence is cut off
        if truth == high:
            assert means[:5][whole[:5]] == pytest.approx(1.0, abs=1e-4)
        if truth == low:
            assert means[5:][whole[5:]] == pytest.approx(1.0, abs=1e-4)


def test_more_hits_are_more_evidence_of_a_rise_and_less_of_a_fall():
    found = e_values(100, usual_of(0.1, 0.08, 0.12, 500, 101))
    assert np.all(np.diff(found[:, :5], axis=0) > 0)
    assert np.all(np.diff(found[:, 5:], axis=0) < 0)
    assert found[100, 0] > 1 > found[0, 0]


def test_rates_that_vary_by_themselves_make_a_window_say_less():
    steady, varying = (e_values(100, usual_of(0.02, 0.02, 0.02, one, 101)) for one in (1e7, 50.0))
    assert np.all(np.log(varying[20, :3]) < 0.3 * np.log(steady[20, :3]))


def test_evidence_less_windows_falls_in_the_mean_at_the_end_of_the_interval():
    random = np.random.default_rng(5)
    usual, rates, windows = usual_of(0.01, 0.007, 0.013, 200, 4000), Rates.start(4000), np.zeros(4000)
    for _ in range(30):
        rows = np.where(random.random(4000) < 0.2, 0, random.integers(1, 400, 4000))
        hits = random.binomial(rows, random.beta(0.013 * 200, (1 - 0.013) * 200, 4000))
        take(rates, hits, rows, usual, cap=np.log(1e3))
        windows += rows > 0
        surplus = rates.evidence - windows
        assert surplus.mean() <= 3.5 * surplus.std() / np.sqrt(4000)


def test_nothing_is_bet_on_a_fall_of_what_never_was_so_that_no_evidence_grows_where_nothing_happens():
    usual = fit_usual(np.zeros((1, 300)), np.full((1, 300), 200.0), NOTHING)
    rates = Rates.start(1)
    for _ in range(5000):
        take(rates, 0, 200, usual)
    assert rates.evidence[0] < 10**3
    assert rates.sums[0, 5:].tolist() == [0, 0, 0]
    before = rates.evidence[0]
    take(rates, 5, 200, usual)
    assert rates.evidence[0] > 100 * before


def test_what_was_always_so_is_found_to_fall_and_never_to_rise():
    usual = fit_usual(np.full((1, 300), 200.0), np.full((1, 300), 200.0), NOTHING)
    rates = Rates.start(1)
    take(rates, 200, 200, usual)
    assert rates.sums[0, :5].tolist() == [0.0] * 5
    take(rates, 190, 200, usual)
    assert rates.evidence[0] > 1e3
    assert rates.likeliest(usual)[0][0] < 0


def test_a_rate_without_rows_in_the_reference_says_nothing():
    usual = fit_usual(np.zeros((1, 20)), np.zeros((1, 20)), NOTHING)
    rates = Rates.start(1)
    for hits in (0, 100):
        take(rates, hits, 100, usual)
    assert rates.evidence[0] == 0
    assert np.isfinite([usual.rate, usual.low, usual.high, usual.precision]).all()


@pytest.mark.parametrize(("rate", "precision"), [(0.002, 1e7), (0.01, 300.0), (0.2, 100.0)])
def test_the_usual_rate_and_how_it_varies_are_found_again(rate, precision):
    random = np.random.default_rng(4)
    rows = random.integers(200, 800, (200, 336))
    own = random.beta(rate * precision, (1 - rate) * precision, rows.shape)
    usual = fit_usual(random.binomial(rows, own).astype(float), rows.astype(float), np.zeros(len(rows)))
    assert np.median(usual.rate) == pytest.approx(rate, rel=0.03)
    assert np.mean((usual.low <= rate) & (rate <= usual.high)) > 0.93
    if precision < 1e6:
        assert np.median(usual.precision) == pytest.approx(precision, rel=0.25)
    else:
        assert np.median(usual.precision) > 10_000


def test_windows_without_rows_teach_nothing():
    random = np.random.default_rng(1)
    rows = np.full((3, 40), 50.0)
    hits = random.binomial(50, 0.1, (3, 40)).astype(float)
    gaps = [np.insert(one, [0, 7], 0.0, axis=1) for one in (hits, rows)]
    one, other = fit_usual(hits, rows, np.zeros(3)), fit_usual(gaps[0], gaps[1], np.zeros(3))
    for name in ("rate", "low", "high", "precision"):
        assert getattr(one, name) == pytest.approx(getattr(other, name))


def test_what_a_reference_cannot_show_of_itself_is_expected_all_the_same():
    random = np.random.default_rng(3)
    chances = 1 / np.arange(1, 3001)
    chances /= chances.sum()
    inside = 0
    for _ in range(100):
        drawn = random.multinomial(2000, chances)
        usual = fit_usual(np.zeros((1, 20)), np.full((1, 20), 100.0), np.array([(drawn == 1).sum() / 2000]))
        inside += usual.low[0] <= chances[drawn == 0].sum() <= usual.high[0]
    assert inside >= 95
    nothing = fit_usual(np.zeros((1, 20)), np.full((1, 20), 100.0), NOTHING)
    assert nothing.high[0] < 0.01 < chances[drawn == 0].sum()


def test_a_window_without_rows_changes_no_evidence():
    usual, rates = usual_of(0.1, 0.1, 0.1, 1e4, 1), Rates.start(1)
    take(rates, 30, 100, usual)
    before = [getattr(rates, name).copy() for name in ("sums", "climb", "hits", "rows")]
    take(rates, 0, 0, usual)
    after = [getattr(rates, name) for name in ("sums", "climb", "hits", "rows")]
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    assert rates.likeliest(usual)[2][0] == 2


def test_a_cap_only_lowers_an_e_value():
    usual = usual_of(0.1, 0.1, 0.1, 1e4, 101)
    capped = Rates.start(101)
    take(capped, np.arange(101), 100, usual, cap=1.5)
    assert np.array_equal(capped.sums, np.minimum(e_values(100, usual), np.exp(1.5)))


def test_resetting_some_streams_leaves_the_others():
    usual, rates = usual_of(0.1, 0.1, 0.1, 1e4, 2), Rates.start(2)
    take(rates, [30, 30], [100, 100], usual)
    before = rates.evidence
    rates.reset(np.array([False, True]))
    assert rates.evidence.tolist() == [before[0], 0.0]
    effect, error, since = rates.likeliest(usual)
    assert (effect[1], error[1], since[1]) == (0.0, np.inf, 0.0)


@pytest.mark.parametrize("rate", [0.001, 0.05])
def test_a_changed_rate_is_estimated_and_dated(rate):
    random = np.random.default_rng(8)
    usual, rates = usual_of(0.01, 0.009, 0.011, 1e7, 300), Rates.start(300)
    for window in range(50):
        take(rates, random.binomial(400, 0.01 if window < 30 else rate, 300), np.full(300, 400), usual)
    effect, error, since = rates.likeliest(usual)
    truth = 2 * np.arcsin(np.sqrt(rate)) - 2 * np.arcsin(np.sqrt(0.01))
    assert np.median(since) == pytest.approx(20, abs=1)
    assert np.median(effect) == pytest.approx(truth, rel=0.1)
    assert np.mean(np.abs(effect - truth) <= 1.96 * error) > 0.8


def test_a_leap_is_dated_by_itself_and_not_by_the_little_that_came_before():
    usual = usual_of(0.01, 0.005, 0.015, 1e7, 1)
    rates = Rates.start(1)
    for hits in (2, 2, 1, 2):  # of 50, two at 0.01 are much, but may happen
        take(rates, hits, 50, usual, cap=4.0)
    for _ in range(2):
        take(rates, 50, 50, usual, cap=4.0)
    effect, _, since = rates.likeliest(usual)
    assert since[0] == 2
    assert effect[0] > 2.5


def test_evidence_is_finite_whatever_counts_come():
    counts = np.array([0.0, 1.0, 10.0, 1e9])
    hits, rows = (one.ravel() for one in np.meshgrid(counts, counts))
    hits, rows = hits[hits <= rows], rows[hits <= rows]
    for rate in (1e-9, 0.3, 1 - 1e-9):
        for precision in (1.0, 1e7):
            usual, rates = usual_of(rate, rate, rate, precision, len(hits)), Rates.start(len(hits))
            for _ in range(60):
                take(rates, hits, rows, usual, cap=400.0)
            assert np.isfinite(rates.evidence).all()
            assert not np.isnan(np.concatenate(rates.likeliest(usual))).any()


@pytest.mark.parametrize("rate", [0.02, 0.3, 0.9])
def test_an_angle_has_the_same_variance_at_every_rate(rate):
    random = np.random.default_rng(3)
    found = angle(random.binomial(800, rate, 20_000).astype(float), np.full(20_000, 800.0))
    assert found.var() == pytest.approx(1 / 800.5, rel=0.06)
    assert found.mean() == pytest.approx(2 * np.arcsin(np.sqrt(rate)), abs=0.002)


def test_a_rate_counted_over_more_rows_is_known_better_but_no_better_than_it_stays():
    rows = np.array([0.0, 10.0, 1e3, 1e5, 1e9])
    errors = error_of_rate(np.full(5, 0.1), rows, np.full(5, 99.0))
    assert np.all(np.diff(errors) < 0)
    assert errors[-1] == pytest.approx(2 * np.sqrt(0.09 / 100), rel=1e-3)
    assert RATE_BETS == 8
