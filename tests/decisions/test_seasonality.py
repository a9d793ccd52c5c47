"""Regressors of the hour and the day: they add up to nothing, follow UTC and Mondays, and are no more than is known."""

import numpy as np
import pytest

from mlvitals.clock import DAY, HOUR, WEEK, parse_time
from mlvitals.decisions.seasonality import Seasonality
from mlvitals.windows.window import SIZES, WindowSize
from tests.decisions.histories import HOURLY, MONDAY, hours

SEASONAL = [size for size in SIZES if 0 < size.length <= DAY]


def starts_of(size, span):
    return np.arange(MONDAY, MONDAY + span, size.length)


@pytest.mark.parametrize("size", SEASONAL, ids=lambda size: size.text)
def test_effects_of_a_week_add_up_to_zero_and_are_told_apart(size):
    starts = starts_of(size, WEEK)
    season = Seasonality.of(starts, size)
    design = season.design(starts)
    assert design.shape == (len(starts), season.terms)
    assert np.all(design[:, 0] == 1)
    assert np.all(design[:, 1:].sum(axis=0) == 0)
    assert np.linalg.matrix_rank(design) == season.terms


def test_windows_of_half_a_day_have_two_parts_of_a_day_and_not_twenty_four():
    size = WindowSize.parse("12h")
    assert Seasonality.of(starts_of(size, WEEK), size).terms == 1 + 1 + 6
    assert Seasonality.of(starts_of(WindowSize.parse("5m"), WEEK), WindowSize.parse("5m")).terms == 1 + 23 + 6


def test_a_monday_is_the_first_day_and_a_sunday_the_negative_of_all():
    season = Seasonality(by_hour=False, by_day=True)
    week = np.array([parse_time(f"2026-03-{day:02}T13:00:00Z") for day in range(2, 9)])
    assert np.array_equal(season.design(week)[:, 1:], np.vstack([np.eye(6), -np.ones(6)]))


def test_hours_are_utc_whatever_clocks_do_on_that_day():
    season = Seasonality(by_hour=True, by_day=False)
    change = np.array([parse_time(f"2026-{day}T02:00:00Z") for day in ("03-28", "03-29", "03-30", "10-25", "10-26")])
    assert np.all(season.design(change) == season.design(change[:1]))
    assert np.flatnonzero(season.design(change[:1])[0]).tolist() == [0, 1 + 2]


@pytest.mark.parametrize("time", [-WEEK, -HOUR, 0, MONDAY])
def test_one_week_later_is_the_same_even_before_the_epoch(time):
    season = Seasonality(by_hour=True, by_day=True)
    design = season.design(np.array([time, time + WEEK]))
    assert np.array_equal(design[0], design[1])


@pytest.mark.parametrize(
    ("count", "by_hour", "by_day"),
    [
        (0, False, False),
        (1, False, False),
        (71, False, False),
        (72, True, False),
        (167, True, False),
        (168, True, True),
    ],
)
def test_a_short_history_tells_hours_after_three_days_and_days_after_a_week(count, by_hour, by_day):
    season = Seasonality.of(hours(count), HOURLY)
    assert (season.by_hour, season.by_day) == (by_hour, by_day)
    assert season.design(hours(count)).shape == (count, season.terms)


@pytest.mark.parametrize(("text", "by_day"), [("1d", True), ("1w", False), ("1mo", False)])
def test_long_windows_have_no_hours_and_those_beyond_a_day_no_days(text, by_day):
    season = Seasonality.of(MONDAY + np.arange(10) * WEEK, WindowSize.parse(text))
    assert (season.by_hour, season.by_day) == (False, by_day)


@pytest.mark.parametrize(
    ("by_hour", "by_day", "words"),
    [
        (True, True, "hour of the day and day of the week"),
        (True, False, "hour of the day"),
        (False, True, "day of the week"),
        (False, False, "none"),
    ],
)
def test_a_person_reads_what_is_told_apart(by_hour, by_day, words):
    assert Seasonality(by_hour=by_hour, by_day=by_day).words == words
