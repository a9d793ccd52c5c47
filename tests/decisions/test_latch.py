"""An alarm lasts until what it was of has gone for a while; windows that say nothing are no proof of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.decisions.latch import MOST, Latches, recovery_windows
from mlvitals.windows.window import SIZES, WindowSize


@pytest.mark.parametrize(
    ("text", "windows"), [("1m", 24), ("5m", 24), ("1h", 24), ("2h", 12), ("6h", 4), ("12h", 3), ("1d", 3), ("1w", 3)]
)
def test_recovery_takes_the_windows_of_a_day_from_three_to_twenty_four(text, windows):
    assert recovery_windows(WindowSize.parse(text)) == windows


def test_calendar_months_recover_after_three():
    assert recovery_windows(WindowSize.parse("1mo")) == 3
    assert max(recovery_windows(size) for size in SIZES) == MOST


def follow(departures, *, step=2.0, windows=6, weights=None):
    """Return in which windows, from 1 on, the one alarm of a step was over."""
    latches, over = Latches.start(1), []
    latches.close(0, 5, step)
    for place, departure in enumerate(departures):
        weight = 1.0 if weights is None else weights[place]
        if latches.take(np.array([departure]), np.array([weight]), windows)[0]:
            over.append(place + 1)
    return over


@pytest.mark.parametrize("step", [2.0, -2.0])
def test_an_alarm_is_over_after_the_stated_number_of_windows_inside_and_only_once(step):
    assert follow([0.0] * 20, step=step) == [6]


def test_an_alarm_lasts_while_the_step_does():
    assert follow([2.0] * 200) == []
    assert follow([1.1] * 200) == []
    assert follow([4.0] * 200) == []


def test_a_step_to_the_other_side_is_no_recovery():
    assert follow([-2.0] * 100) == []


def test_what_comes_back_must_stay_back():
    assert follow([2.0] * 10 + [0.0] * 2 + [2.0] * 10) == []
    (over,) = follow([2.0] * 10 + [0.0] * 20)
    assert 13 <= over <= 16


def test_what_returned_once_is_not_over_because_older_windows_were_inside():
    """The newer half must be inside by itself."""
    assert follow([0.0] * 3 + [2.0] * 3, windows=6) == []
    assert follow([0.0] * 2 + [0.0, 0.0, 0.0, 9.0], windows=6) == []


def test_missing_windows_are_no_recovery():
    assert follow([0.0] * 500, weights=[0.0] * 500) == []
    assert follow([0.0] * 11, weights=[1.0, 0.0] * 5 + [1.0]) == [11]


def test_windows_that_say_more_count_for_more():
    weights = [1000.0 if place % 2 else 1.0 for place in range(40)]
    assert follow([3.0, 0.0] * 20, weights=weights) == [6]
    assert follow([0.0, 3.0] * 20, weights=weights) == []


def test_an_alarm_begins_anew_with_nothing_of_the_one_before():
    latches = Latches.start(2)
    latches.close(0, 1, 2.0)
    for _ in range(5):
        latches.take(np.zeros(2), np.ones(2), 6)
    latches.release(np.array([True, False]))
    latches.close(0, 1, 2.0)
    assert [bool(latches.take(np.zeros(2), np.ones(2), 6)[0]) for _ in range(7)] == [False] * 5 + [True, False]


def test_alarms_do_not_touch_each_other():
    latches = Latches.start(3)
    latches.close(0, 4, 1.0)
    latches.close(2, 7, 1.0)
    assert latches.closed.tolist() == [True, False, True]
    for _ in range(3):
        over = latches.take(np.array([0.0, 0.0, 1.0]), np.ones(3), 3)
    assert over.tolist() == [True, False, False]
    assert latches.closed.tolist() == [False, False, True]


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1e12)), max_size=60), st.integers(3, 24))
def test_no_alarm_ends_before_so_many_windows_said_something(windows, least):
    departures, weights = ([one[place] for one in windows] for place in (0, 1))
    over = follow(departures, windows=least, weights=weights)
    assert len(over) <= 1
    for window in over:
        assert sum(weight > 0 for weight in weights[:window]) >= least
