import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.clock import (
    DAY,
    HOUR,
    MILLISECOND,
    MINUTE,
    SECOND,
    WEEK,
    FixedClock,
    SystemClock,
    format_time,
    parse_duration,
    parse_time,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)).map(  # noqa: DTZ001  # given a zone below
    lambda moment: (moment.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("250ms", 250 * MILLISECOND),
        ("30s", 30 * SECOND),
        ("10m", 10 * MINUTE),
        ("1h", HOUR),
        ("7d", 7 * DAY),
        ("2w", 2 * WEEK),
        ("0s", 0),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text, length):
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "7", "d", "1.5h", "-1d", "7 d", "7D", "1mo", "1d2h", "7d\n"])
def test_what_is_no_duration_is_refused_by_name(text):
    with pytest.raises(
        ValueError, match="is not a duration: write a whole number and one of ms, s, m, h, d, w"
    ) as error:
        parse_duration(text)
    assert str(error.value).startswith(f"`{text}`")


@given(MOMENTS)
def test_a_time_that_is_written_is_read_again(moment):
    assert parse_time(format_time(moment)) == moment


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (1_500, "1970-01-01T00:00:00.001500Z"),
        (1_000, "1970-01-01T00:00:00.001Z"),
        (-86_400 * SECOND, "1969-12-31T00:00:00Z"),
        (1_772_323_200 * SECOND, "2026-03-01T00:00:00Z"),
    ],
)
def test_a_time_has_no_more_digits_than_it_needs(moment, text):
    assert format_time(moment) == text


@pytest.mark.parametrize(
    "text", ["2026-03-01T00:00:00Z", "2026-03-01T02:00:00+02:00", "2026-02-28T19:00:00-05:00", "20260301T000000Z"]
)
def test_any_zone_names_the_same_moment(text):
    assert parse_time(text) == 1_772_323_200 * SECOND


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="`2026-03-01T00:00:00` names no zone: end it with Z or an offset"):
        parse_time("2026-03-01T00:00:00")


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "1772323200"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match=r"is not an RFC 3339 time, like 2026-03-01T00:00:00Z"):
        parse_time(text)


def test_the_systems_clock_tells_microseconds_since_the_epoch():
    before = time.time_ns() // 1_000
    assert before <= SystemClock().now() <= time.time_ns() // 1_000


def test_a_fixed_clock_stands_where_it_was_set():
    clock = FixedClock(5)
    assert (clock.now(), clock.now()) == (5, 5)
    clock.moment = 7
    assert clock.now() == 7
