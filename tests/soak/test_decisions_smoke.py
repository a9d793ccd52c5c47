"""A few weeks of the promise in every run of the tests, and what it costs."""

import time

import numpy as np
import pytest

from mlvitals.decisions.ensemble import Ensemble, Rule
from tests.soak.paging import SIZE, WEEK, Setting, counts, learnt, start
from tests.soak.paging_runs import ALONE, MIN_EFFECT, TOLERANCE, Delays, delays, false_pages
from tests.soak.paging_stories import failed

SEASON = Setting(name="season, 2 weeks of reference", rows=2000, weeks=2)
_STATE = 65_536  # bytes a feature


@pytest.fixture(scope="module")
def wide():
    """A hundred features, and windows of theirs."""
    setting, generator = Setting(name="season", rows=2000, weeks=1), np.random.default_rng(1)
    usually = learnt(setting, generator, features=100)
    ensemble = Ensemble(usually, Rule(size=SIZE, tolerance=TOLERANCE, min_effect=MIN_EFFECT))
    return ensemble, counts(setting, generator, 24, features=100)


def test_a_feature_is_remembered_in_less_than_64_kilobytes(wide):
    ensemble, _ = wide
    assert sum(array.nbytes for array in ensemble.kept) / 100 < _STATE


def test_a_hundred_features_are_decided_faster_than_a_quarter_of_a_million_numbers_are_merged(wide):
    """20 ms are promised: what such a sort takes where decisions take 10, by instructions that every machine has."""
    ensemble, live = wide
    bars = dict.fromkeys(ensemble.sources, ALONE)
    numbers = np.random.default_rng(1).random(250_000)

    def seconds(work):
        began = time.process_time()
        work()
        return time.process_time() - began

    turns = [
        (
            seconds(lambda: ensemble.take(live[window], start(WEEK + window), bars)),  # noqa: B023 - called at once
            seconds(lambda: np.sort(numbers, kind="stable")),
        )
        for window in range(24)
    ]
    decided, merged = (min(taken) for taken in zip(*turns, strict=True))
    assert decided < merged


def test_ordinary_production_pages_nobody_for_two_weeks():
    assert [one.features for one in false_pages(SEASON, seed=1, models=1, weeks=2).values()] == [0, 0]


def test_a_quarter_of_a_deviation_is_told_within_hours():
    found = delays(SEASON, seed=2, models=1, steps=(0.25,))
    assert Delays(windows=found[0.25, False]).late <= 5


def test_one_failure_upstream_is_one_page_that_is_closed_once():
    what = failed(SEASON, seed=4)
    assert (what.pages, what.closed, what.alarms) == (1, 1, 6)
