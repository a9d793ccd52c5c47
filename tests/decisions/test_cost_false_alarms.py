"""What mistakes cost varies by a few large amounts: the detector of cost keeps its promise all the same."""

import numpy as np
import pytest

from mlvitals.decisions.ensemble import Ensemble, Rule
from mlvitals.decisions.watching import cost_streams
from tests.decisions.histories import HOURLY, hours, learnt

LEARNT, WATCHED, MODELS = 336, 336, 6
BAR = 2.0  # low, so that alarms can be counted: at most one in a hundred windows
STREAMS = cost_streams("m", "1", "7d")


def cohorts(random, count, *, spread, mistakes=60):
    """Return counts of cohorts with some hundred labels, of which as many are mistaken as chance brings."""
    found = []
    for _ in range(count):
        amounts = random.lognormal(3.0, spread, random.poisson(mistakes))
        found.append([float(random.poisson(500)), amounts.sum(), np.square(amounts).sum()])
    return np.array(found)


def alarms(random, spread, factor=1.0):
    """Return how many windows of all models alarm, after two weeks in which what is usual was learnt."""
    total = 0
    for _ in range(MODELS):
        usually = learnt(STREAMS, cohorts(random, LEARNT, spread=spread))
        ensemble = Ensemble(usually, Rule(size=HOURLY, tolerance=0.02, min_effect=0.0), None)
        bars = dict.fromkeys(ensemble.sources, BAR)
        for place, counts in enumerate(cohorts(random, WATCHED, spread=spread) * [1.0, factor, factor**2]):
            total += len(ensemble.take(counts, int(hours(LEARNT + place + 2)[-1]), bars).findings)
    return total


@pytest.mark.parametrize("spread", [0.5, 1.5])
def test_no_more_false_alarms_than_one_in_as_many_windows_as_the_bar_says(spread):
    assert alarms(np.random.default_rng(3), spread) <= MODELS * WATCHED / 10**BAR


@pytest.mark.parametrize("spread", [0.5, 1.5])
def test_every_model_whose_mistakes_cost_twice_as_much_alarms(spread):
    assert alarms(np.random.default_rng(4), spread, factor=2.0) >= MODELS
