"""Means of rankings' metrics and their intervals, from exact sums."""

import numpy as np
import numpy.typing as npt
import pytest

from mlvitals.contracts.evidence import exact_cells, fill, layouts
from mlvitals.signals.moments import moments
from mlvitals.signals.performance import PERFORMANCE_SCORE
from mlvitals.signals.ranked_lists import ranking_scores
from mlvitals.signals.spec import Evidence
from mlvitals.windows.outcome_sums import CUTOFFS, RANK_METRICS, rank_sums

SAMPLES = 1_000


def outcome(values, labelled=None, nothing=0):
    """Return what labels say where every metric has these values."""
    values = np.asarray(values, dtype=np.float64)
    sums = {
        name: exact_cells(power)
        for cutoff in CUTOFFS
        for name, power in zip(rank_sums(cutoff), (values, values**2) * 2, strict=True)
    }
    rows = labelled or len(values)
    counts: dict[str, npt.ArrayLike] = {"labelled": [rows], "measured": [len(values)], "nothing_relevant": [nothing]}
    return fill(layouts()["ranking"], {"predictions": 2 * rows}, [{**sums, **counts}])


def test_the_value_is_the_mean_and_the_interval_students():
    values = [0.25, 0.5, 0.75, 1.0]
    found = {one.metric: one for one in ranking_scores(outcome(values).outcome(0))}
    assert set(found) == set(RANK_METRICS)
    one = found["ndcg@10"]
    half = 3.182446305284263 * np.std(values, ddof=1) / 2  # Student's quantile with three degrees of freedom
    assert (one.value, one.samples) == (0.625, 4)
    assert (one.lower, one.upper) == pytest.approx((0.625 - half, min(1.0, 0.625 + half)), rel=1e-12)


def test_ends_stay_where_values_lie():
    one = next(ranking_scores(outcome([0.0, 0.0, 1.0]).outcome(0)))
    assert (one.lower, one.upper) == (0.0, 1.0)


def test_values_that_do_not_vary_have_no_interval():
    one = next(ranking_scores(outcome([1.0, 1.0]).outcome(0)))
    assert (one.value, one.lower, one.upper) == (1.0, None, None)


def test_without_anything_to_judge_nothing_is_told():
    assert list(ranking_scores(outcome([], labelled=5, nothing=5).outcome(0))) == []
    assert list(moments(outcome([], labelled=5).outcome(0))) == []


def test_a_reading_tells_what_was_left_out():
    summary = outcome([0.5] * 4, labelled=10, nothing=3)
    readings = PERFORMANCE_SCORE.compute(Evidence(current=summary, outcome=summary.outcome(0), maturity="7d"))
    evidence = next(iter(readings)).evidence
    assert evidence == {"left_out": 6.0, "nothing_relevant": 3.0, "coverage": 0.5}


def test_versions_are_told_apart_by_the_variance_of_the_mean():
    values = np.array([0.2, 0.4, 0.9])
    found = {one.metric: one for one in moments(outcome(values).outcome(0))}
    assert found["map@5"].variance == pytest.approx(values.var(ddof=1) / 3)
    assert found["map@5"].side == 1


def draw_many(random, rows):
    """Reciprocal ranks of the first relevant id, none in a fifth of the rankings."""
    ranks = random.geometric(0.4, size=(SAMPLES, rows))
    return np.where(random.random((SAMPLES, rows)) < 0.2, 0.0, 1 / ranks)


def draw_even(random, rows):
    return random.beta(4, 2, size=(SAMPLES, rows))


@pytest.mark.parametrize(("draw", "least"), [(draw_many, 0.91), (draw_even, 0.914)])
@pytest.mark.parametrize("rows", [50, 300])
def test_intervals_hold_the_true_mean(draw, least, rows):
    truth = draw(np.random.default_rng(1), 20_000 // 10).mean()
    held = 0
    for values in draw(np.random.default_rng(2), rows):
        one = next(ranking_scores(outcome(values).outcome(0)))
        held += one.lower <= truth <= one.upper
    assert held / SAMPLES >= least
    print(f"{draw.__name__} {rows}: {held / SAMPLES:.3f}")  # noqa: T201  # the figures of the document
