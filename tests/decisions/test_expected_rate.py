"""What a detector of a rate has come to expect, told as the share that it is."""

import numpy as np
import pytest

from mlvitals.decisions.ensemble import Ensemble, Rule
from mlvitals.decisions.watching import RATE, coverage_streams
from tests.decisions.histories import HOURLY, hours, learnt

LEARNT = 336


def ensemble_of(served, chance):
    """Return the detector of coverage after two weeks of cohorts of these many predictions."""
    random = np.random.default_rng(5)
    counts = np.column_stack([np.full(LEARNT, served), random.binomial(served, chance, LEARNT)]).astype(np.float64)
    usually = learnt(coverage_streams("m", "1", "7d"), counts)
    return Ensemble(usually, Rule(size=HOURLY, tolerance=0.02, min_effect=0.1))


def window(place):
    return int(hours(LEARNT + place + 1)[-1])


@pytest.mark.parametrize(("served", "chance"), [(400, 0.9), (400, 0.3), (20, 0.9), (400, 0.004)])
def test_the_expected_share_is_the_one_that_was_learnt_be_it_common_or_rare(served, chance):
    ensemble = ensemble_of(served, chance)
    (source,) = ensemble.sources
    expected = ensemble.expected_rate(source, RATE, window(0))
    assert expected == pytest.approx(chance, abs=0.02)
    assert ensemble.expected_rate(source, "reversed", window(0)) is None


@pytest.mark.parametrize("served", [400, 20])
def test_what_was_accepted_is_expected_from_then_on(served):
    ensemble = ensemble_of(served, 0.9)
    (source,) = ensemble.sources
    ensemble.rebase(source)
    for place in range(48):
        ensemble.take(np.array([served, served // 2], dtype=np.float64), window(place), {source: 4.0})
    assert ensemble.expected_rate(source, RATE, window(48)) == pytest.approx(0.5, abs=0.03)
