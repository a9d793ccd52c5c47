"""Quarters: which one a time is in, how they are named, and which one is told where nobody says."""

from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.clock import DAY, parse_time
from mlvitals.decisions.paging_rate import Period
from mlvitals.errors import InputError
from mlvitals.report.calendar import newest_quarter, parse_quarter, quarter_name, quarter_of
from tests.decisions.incidents import fresh

YEARS = (parse_time("1905-01-01T00:00:00Z"), parse_time("2199-12-31T00:00:00Z"))


@pytest.fixture
def connection():
    with closing(fresh()) as opened:
        yield opened


@given(st.integers(*YEARS))
def test_quarters_follow_one_another_without_a_gap(time):
    period = quarter_of(time)
    assert period.start <= time < period.end
    assert 90 * DAY <= period.end - period.start <= 92 * DAY
    assert quarter_of(period.end).start == period.end
    assert quarter_of(period.start - 1).end == period.start


@given(st.integers(*YEARS))
def test_a_quarter_is_read_by_the_name_it_has(time):
    period = quarter_of(time)
    assert parse_quarter(quarter_name(period).replace(" ", "")) == period
    assert parse_quarter(quarter_name(period).replace(" ", "-").lower()) == period


def test_a_period_that_is_no_quarter_has_its_ends_for_a_name():
    assert quarter_name(Period(0, DAY)) == "1970-01-01T00:00:00Z to 1970-01-02T00:00:00Z"


@pytest.mark.parametrize("text", ["2026", "2026Q5", "2026Q0", "26Q1", "0000Q1", "2026 third", ""])
def test_what_names_no_quarter_is_refused(text):
    with pytest.raises(ValueError, match="write it like `2026Q3`"):
        parse_quarter(text)


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        ("2026-02-10", "2026-05-03", "2026 Q1"),  # over, though it was not watched from its beginning
        ("2026-01-01", "2026-04-01", "2026 Q1"),  # over to the moment
        ("2026-01-01", "2026-03-31", "2026 Q1"),  # nothing was watched before it
        ("2026-04-01", "2026-05-03", "2026 Q2"),
        ("2025-03-01", "2026-01-09", "2025 Q4"),
    ],
)
def test_the_newest_quarter_that_is_over_and_was_watched_is_told_else_the_one_that_is_on(
    connection, first, last, found
):
    times = [parse_time(f"{day}T00:00:00Z") for day in (first, last)]
    connection.execute("INSERT INTO observed VALUES ('m', ?, ?)", times)
    assert quarter_name(newest_quarter(connection)) == found


def test_before_a_window_has_closed_there_is_no_quarter(connection):
    with pytest.raises(InputError, match="no window has closed yet"):
        newest_quarter(connection)
