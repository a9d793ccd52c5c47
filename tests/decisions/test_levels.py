"""Levels that are learnt anew: from the windows after a word, with an error that they justify."""

import numpy as np
import pytest

from mlvitals.decisions.levels import Levels
from mlvitals.decisions.rates import Usual

USUAL = Usual(*(np.array([one, one]) for one in (0.1, 0.09, 0.11, 1e4)))
BOTH = np.array([True, True])
FIRST = np.array([True, False])
NONE = np.zeros(0, dtype=np.bool_)


def test_before_any_word_levels_are_the_references():
    levels = Levels.start(2, 3, 2)
    assert not levels.left.any()
    assert not levels.offset.any()
    assert levels.usual(USUAL) is USUAL


def test_a_level_is_the_weighted_mean_of_the_windows_since():
    levels = Levels.start(1, 2, 0)
    levels.begin(np.array([True]), FIRST, NONE, 3)
    for residual, weight in ((1.0, 1.0), (2.0, 3.0), (np.nan, 5.0)):
        levels.take(np.array([residual, 9.0]), np.full(2, weight), FIRST, np.array([0.04, 0.04]))
    assert levels.offset.tolist() == [1.75, 0.0]
    assert levels.error == pytest.approx([0.2, 0.0])
    assert levels.left.tolist() == [3]


def test_an_effect_that_never_came_keeps_its_level():
    levels = Levels.start(1, 2, 0)
    levels.begin(np.array([True]), BOTH, NONE, 3)
    levels.take(np.array([np.nan, 1.0]), np.ones(2), BOTH, np.array([1.0, 1.0]))
    assert levels.offset.tolist() == [0.0, 1.0]
    assert levels.error.tolist() == [0.0, 1.0]


def test_learning_again_forgets_what_was_summed_before():
    levels = Levels.start(1, 1, 0)
    one = np.array([True])
    for level in (4.0, -2.0):
        levels.begin(one, one, NONE, 2)
        for _ in range(2):
            levels.take(np.array([level]), np.ones(1), one, np.array([0.01]))
        assert levels.offset[0] == level


def test_a_rate_is_counted_anew_and_the_others_stay():
    levels = Levels.start(1, 0, 2)
    levels.begin(np.array([True]), NONE, FIRST, 2)
    for _ in range(10):
        levels.take_rates(np.array([30.0, 30.0]), np.array([100.0, 100.0]), FIRST)
    usual = levels.usual(USUAL)
    assert usual.rate == pytest.approx([0.3, 0.1], abs=1e-3)
    assert usual.low[0] < 0.3 < usual.high[0]
    assert usual.high[0] - usual.low[0] < 0.13
    assert (usual.low[1], usual.high[1]) == (0.09, 0.11)
    assert usual.precision is USUAL.precision


@pytest.mark.parametrize(("hits", "low", "high"), [(0.0, 1e-9, 0.01), (1000.0, 0.99, 1 - 1e-9)])
def test_a_rate_that_became_nothing_or_all_stays_inside_its_ends(hits, low, high):
    levels = Levels.start(1, 0, 1)
    levels.begin(np.array([True]), NONE, np.array([True]), 1)
    levels.take_rates(np.array([hits]), np.array([1000.0]), np.array([True]))
    usual = levels.usual(Usual(*(one[:1] for one in (USUAL.rate, USUAL.low, USUAL.high, USUAL.precision))))
    assert usual.low[0] >= low
    assert usual.high[0] <= high
    assert 0 < usual.low[0] < usual.rate[0] < usual.high[0] < 1


def test_a_rate_without_rows_since_stays_the_references():
    levels = Levels.start(1, 0, 2)
    levels.begin(np.array([True]), NONE, BOTH, 1)
    levels.take_rates(np.zeros(2), np.zeros(2), BOTH)
    assert levels.usual(USUAL) is USUAL
