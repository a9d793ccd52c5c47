"""The promised rate, checked against verdicts: how many pages, in how many weeks, how often falsely."""

from math import inf

import pytest
from scipy import stats

from mlvitals.clock import HOUR, WEEK
from mlvitals.decisions.episode_rows import read_episodes
from mlvitals.decisions.episodes import HORIZON
from mlvitals.decisions.paging_rate import Period, measured_rate, page_counts
from mlvitals.decisions.words import Kind
from tests.decisions.incidents import NOON

MONTH = 24 * 28


def judge(told, verdict, number):
    episodes = sorted(read_episodes(told.connection), key=lambda one: one.opened)
    told.say(Kind.VERDICT, model="m", episode=episodes[number].id, verdict=verdict)


def pages(told, *windows):
    for window in windows:
        told.take("m", window, ["amount"])
        told.take("m", window + 1, over=["amount"])


def test_before_anything_was_observed_nothing_is_known(told):
    rate = measured_rate(told.connection)
    assert (rate.pages, rate.weeks, rate.lower, rate.upper) == (0, 0.0, 0.0, inf)


def test_weeks_without_a_page_bound_the_rate_from_above(told):
    told.take("m", 0)
    told.take("m", MONTH - 1)
    rate = measured_rate(told.connection)
    assert (rate.pages, rate.weeks, rate.lower) == (0, 4.0, 0.0)
    assert rate.upper == pytest.approx(3.688879 / 4)  # -ln 0.025


def test_the_interval_is_that_of_a_poisson_count(told):
    pages(told, 0, 200, 400, MONTH - 2)
    for number in range(4):
        judge(told, "false", number)
    rate = measured_rate(told.connection)
    assert (rate.pages, rate.false, rate.unjudged) == (4, 4, 0)
    assert stats.poisson.sf(3, rate.lower * rate.weeks) == pytest.approx(0.025)
    assert stats.poisson.cdf(4, rate.upper * rate.weeks) == pytest.approx(0.025)


def test_a_page_that_nobody_judged_may_be_false_and_may_be_true(told):
    pages(told, 0, 200, MONTH - 2)
    judge(told, "false", 0)
    judge(told, "true", 1)
    some = measured_rate(told.connection)
    assert (some.true, some.false, some.unjudged) == (1, 1, 1)
    judge(told, "false", 2)
    assert measured_rate(told.connection).upper == some.upper
    judge(told, "true", 2)  # the last word counts
    known = measured_rate(told.connection)
    assert (known.true, known.false, known.unjudged) == (2, 1, 0)
    assert known.upper < some.upper
    assert known.lower == some.lower
    assert page_counts(told.connection) == {"true": 2, "false": 1, "unjudged": 0}


def test_weeks_in_which_several_models_ran_count_once(told):
    week = WEEK // HOUR
    for model, first, last in (("m", 0, 2), ("n", 1, 3), ("o", 5, 6)):
        told.take(model, first * week)
        told.take(model, last * week - 1)
    assert measured_rate(told.connection).weeks == 4.0


def test_no_more_weeks_count_than_pages_are_remembered(told):
    told.take("m", 0)
    told.take("m", 3 * HORIZON // HOUR)
    assert measured_rate(told.connection).weeks == HORIZON / WEEK
    told.take("of years ago", -10 * HORIZON // HOUR)
    told.take("of years ago", -10 * HORIZON // HOUR + WEEK // HOUR - 1)
    assert measured_rate(told.connection).weeks == HORIZON / WEEK + 1


def test_of_a_period_its_own_pages_and_weeks_count(told):
    pages(told, 10, MONTH // 2, MONTH - 2)
    judge(told, "false", 1)
    middle = NOON + MONTH // 4 * HOUR
    found = measured_rate(told.connection, Period(middle, middle + 2 * WEEK))
    assert (found.pages, found.false, found.weeks) == (1, 1, 2.0)
    after = measured_rate(told.connection, Period(NOON + MONTH * HOUR, NOON + 2 * MONTH * HOUR))
    assert (after.pages, after.weeks) == (0, 0.0)
