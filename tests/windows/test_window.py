from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlvitals.clock import DAY, HOUR, parse_time
from mlvitals.windows.window import WindowSize

TEXTS = ["1m", "2m", "5m", "10m", "15m", "30m", "1h", "2h", "3h", "4h", "6h", "8h", "12h", "1d", "1w", "1mo"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEAR = 365 * DAY
TIMES = st.integers(-1_900 * YEAR, 8_000 * YEAR)


def moment(time):
    return EPOCH + timedelta(microseconds=time)


@given(st.sampled_from(TEXTS), TIMES)
@example("1mo", parse_time("2024-02-29T23:59:59.999999Z"))
@example("1mo", parse_time("1900-02-28T23:59:59.999999Z"))
@example("1w", 0)
@example("1d", -1)
def test_every_time_is_in_its_window(text, time):
    size = WindowSize.parse(text)
    start = size.start(time)
    end = size.end(start)
    assert start <= time < end
    assert size.start(start) == start
    assert size.start(end - 1) == start
    assert size.start(end) == end


@given(st.sampled_from(TEXTS), TIMES)
def test_windows_begin_where_a_calendar_would_have_them(text, time):
    size = WindowSize.parse(text)
    start = moment(size.start(time))
    if text == "1mo":
        assert (start.year, start.month) == (moment(time).year, moment(time).month)
        assert start == datetime(start.year, start.month, 1, tzinfo=UTC)
    elif text == "1w":
        assert start.weekday() == 0
        assert start.time() == datetime.min.time()
        assert moment(time) - start < timedelta(days=7)
    else:
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
        assert (start - midnight) % timedelta(microseconds=size.length) == timedelta(0)


@given(st.sampled_from(TEXTS), st.lists(TIMES))
def test_a_column_of_times_is_as_time_by_time(text, times):
    size = WindowSize.parse(text)
    assert size.starts(np.array(times, dtype=np.int64)).tolist() == [size.start(time) for time in times]


@given(st.sampled_from(TEXTS), TIMES, st.lists(st.integers(0, 2 * HOUR), min_size=1))
def test_so_it_is_where_all_times_are_near(text, time, steps):
    size = WindowSize.parse(text)
    times = [time + step for step in steps]
    assert size.starts(np.array(times, dtype=np.int64)).tolist() == [size.start(one) for one in times]


@pytest.mark.parametrize(
    ("text", "time", "start", "end"),
    [
        ("1mo", "2024-02-29T12:00:00Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
        ("1mo", "2023-12-31T23:59:59Z", "2023-12-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ("1mo", "1969-12-31T23:59:59Z", "1969-12-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ("1w", "1970-01-01T00:00:00Z", "1969-12-29T00:00:00Z", "1970-01-05T00:00:00Z"),
        ("1w", "2026-03-01T23:59:59Z", "2026-02-23T00:00:00Z", "2026-03-02T00:00:00Z"),
        ("12h", "1969-12-31T11:59:59Z", "1969-12-31T00:00:00Z", "1969-12-31T12:00:00Z"),
    ],
)
def test_some_windows_by_hand(text, time, start, end):
    size = WindowSize.parse(text)
    assert size.start(parse_time(time)) == parse_time(start)
    assert size.end(parse_time(start)) == parse_time(end)


@pytest.mark.parametrize("text", ["", "7m", "5h", "2d", "60m", "24h", "7d", "1M", "1 h", "1y"])
def test_a_size_that_divides_nothing_is_refused(text):
    with pytest.raises(ValueError, match=r"is not a window size: use one of 1m, 2m, .*1d, 1w, 1mo"):
        WindowSize.parse(text)


@given(st.sampled_from(TEXTS), TIMES, st.integers(0, 40))
def test_windows_between_two_starts_are_counted_as_they_follow_each_other(text, time, number):
    size = WindowSize.parse(text)
    first = end = size.start(time)
    for _ in range(number):
        end = size.end(end)
    assert size.count(first, end) == number
    assert size.count(end, first) == -number
