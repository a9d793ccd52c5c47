"""Whether a column follows from the time of its row: as a number of the calendar, or by the hour of the week."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mlvitals.clock import DAY, HOUR, MINUTE, WEEK

Times = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

AGREEMENT: Final = 0.99
_FOLLOWED: Final = 0.95  # of the rows that do not hold the commonest value
_HALF_HOUR: Final = 30 * MINUTE
_OFFSETS: Final = range(-12 * HOUR, 14 * HOUR + 1, _HALF_HOUR)  # all zones of the world, but three of a quarter hour
_YEAR: Final = 366 * DAY
_LEAST_ROWS: Final = 100
_PROBED: Final = 512
_MONDAY: Final = 3  # 1970-01-01 was a Thursday, three days after one


class Part(NamedTuple):
    """A number of the calendar: its name, its period where counting starts anew (0: none), and how it is read."""

    name: str
    period: int
    read: Callable[[Times], Times]


def _day_of_year(times: Times) -> Times:
    days = _days(times)
    return np.asarray(days - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64)


def _day_of_month(times: Times) -> Times:
    days = _days(times)
    return np.asarray(days - days.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64)


def _week_of_year(times: Times) -> Times:
    """Return the ISO week, from 0: that of the year of its Thursday."""
    days = times // DAY
    return _day_of_year((days - (days + _MONDAY) % 7 + _MONDAY) * DAY) // 7


def _month(times: Times) -> Times:
    return _days(times).astype("datetime64[M]").astype(np.int64) % 12


def _days(times: Times) -> npt.NDArray[np.datetime64]:
    return (times // DAY).astype("datetime64[D]")


_PARTS: Final = (
    Part("minute of the hour", 60, lambda times: times // MINUTE % 60),
    Part("hour of the day", 24, lambda times: times // HOUR % 24),
    Part("weekday", 7, lambda times: (times // DAY + _MONDAY) % 7),
    Part("day of the month", 0, _day_of_month),
    Part("day of the year", 0, _day_of_year),
    Part("week of the year", 0, _week_of_year),
    Part("month", 12, _month),
    Part("quarter", 4, lambda times: _month(times) // 3),
    Part("year", 0, lambda times: 1970 + _days(times).astype("datetime64[Y]").astype(np.int64)),
)


def find_number(values: Floats, times: Times) -> str | None:
    """Return which number of the calendar the values are, None where they are none.

    Every zone's offset is tried, with and without an hour of daylight saving, and every numbering: from 0 or 1, weeks
    from any day. Values and numbers must agree in `AGREEMENT` of the rows. A column that hardly varies agrees with too
    much, and is none.

    Args:
        values: finite, shape (rows,).
        times: of the rows, microseconds since the epoch, UTC, same shape.

    """
    if len(values) < _LEAST_ROWS or (values != np.floor(values)).any() or np.abs(values).max() > _YEAR:
        return None
    numbers = values.astype(np.int64)
    if np.unique(numbers, return_counts=True)[1].max() > AGREEMENT * len(numbers):
        return None
    step = max(1, len(numbers) // _PROBED)
    for part in _PARTS:
        for offset in _OFFSETS:
            probe = _agreement(numbers[::step], times[::step] + offset, part)
            if probe >= AGREEMENT - 0.05 and _agreement(numbers, times + offset, part) >= AGREEMENT:
                return part.name
    return None


def _agreement(numbers: Times, times: Times, part: Part) -> float:
    """Return the share of rows in which the numbers are the calendar's but for where counting starts."""
    plain, later = (_difference(numbers, part.read(one), part.period) for one in (times, times + HOUR))
    starts, counts = np.unique(plain, return_counts=True)
    start = starts[counts.argmax()]
    return float(((plain == start) | (later == start)).mean())


def _difference(numbers: Times, parts: Times, period: int) -> Times:
    return (numbers - parts) % period if period else numbers - parts


def follows_the_week(codes: Codes, times: Times) -> bool:
    """Tell whether the half hour of the week decides a value, as it does weekdays, nights, shifts and scaled hours.

    Only half hours that were seen in at least two weeks count: in `AGREEMENT` of their rows the value must be the one
    that is commonest there, which must explain nearly all rows that differ from the commonest value of all.

    Args:
        codes: the values, numbered from 0, shape (rows,).
        times: as above.

    """
    cells, weeks = times % WEEK // _HALF_HOUR, times // WEEK
    size = WEEK // _HALF_HOUR
    first, last = np.full(size, np.iinfo(np.int64).max), np.full(size, np.iinfo(np.int64).min)
    np.minimum.at(first, cells, weeks)
    np.maximum.at(last, cells, weeks)
    again = (first < last)[cells]
    rows = int(again.sum())
    if rows < max(_LEAST_ROWS, len(codes) / 2):
        return False
    common = int(np.bincount(codes[again]).max())
    pairs, counts = np.unique(cells[again] * (int(codes.max()) + 1) + codes[again], return_counts=True)
    best = np.zeros(size, dtype=np.int64)
    np.maximum.at(best, pairs // (int(codes.max()) + 1), counts)
    explained = int(best.sum())
    return explained >= AGREEMENT * rows and explained - common >= _FOLLOWED * (rows - common) > 0


def find_epoch_unit(values: Floats, times: Times) -> str | None:
    """Return the unit in which values are times since the epoch, within a year of their rows' in `AGREEMENT` of them.

    Args:
        values: finite, shape (rows,).
        times: as above.

    """
    if len(values) < _LEAST_ROWS:
        return None
    for name, unit in {"seconds": 1e6, "milliseconds": 1e3, "microseconds": 1.0, "nanoseconds": 1e-3}.items():
        told = values * unit
        # Small numbers say nothing, even if the rows are of 1970.
        near = (np.abs(told - times) <= _YEAR) & (np.abs(told) > _YEAR)
        if near.mean() >= AGREEMENT and np.ptp(values) > 0:
            return name
    return None
