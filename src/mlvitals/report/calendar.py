"""Quarters of a year, UTC."""

import re
import sqlite3
from datetime import UTC, datetime

from mlvitals.clock import SECOND, format_time
from mlvitals.decisions.paging_rate import Period, observed_weeks
from mlvitals.errors import InputError

_NAME = re.compile(r"([1-9]\d{3})-?Q([1-4])", re.IGNORECASE)


def parse_quarter(text: str) -> Period:
    """Return the quarter that is written `2026Q3`, or `2026-Q3`.

    Raises:
        ValueError: the text names no quarter.

    """
    match = _NAME.fullmatch(text)
    if match is None:
        raise ValueError(f"`{text}` is not a quarter: write it like `2026Q3`")
    return _quarter(int(match[1]), int(match[2]))


def quarter_of(time: int) -> Period:
    """Return the quarter that a time (microseconds since the epoch) is in."""
    at = datetime.fromtimestamp(time // SECOND, UTC)
    return _quarter(at.year, (at.month + 2) // 3)


def quarter_name(period: Period) -> str:
    """Return `2026 Q3` of a quarter; of any other period its first and its last moment."""
    if quarter_of(period.start) == period:
        at = datetime.fromtimestamp(period.start // SECOND, UTC)
        return f"{at.year} Q{(at.month + 2) // 3}"
    return f"{format_time(period.start)} to {format_time(period.end)}"


def newest_quarter(connection: sqlite3.Connection) -> Period:
    """Return the newest quarter that is over by the windows that closed and has some of them, else the one they are in.

    Raises:
        InputError: no window has closed yet.

    """
    (last,) = connection.execute("SELECT max(last) FROM observed").fetchone()
    if last is None:
        raise InputError("no window has closed yet: there is no quarter to tell of")
    over = quarter_of(quarter_of(last).start - 1)
    return over if observed_weeks(connection, over) else quarter_of(last - 1)


def _quarter(year: int, number: int) -> Period:
    following = (year + number // 4, number % 4 * 3 + 1)
    start, end = (datetime(*at, 1, tzinfo=UTC) for at in ((year, number * 3 - 2), following))
    return Period(int(start.timestamp()) * SECOND, int(end.timestamp()) * SECOND)
