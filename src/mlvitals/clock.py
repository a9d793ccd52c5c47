"""Time as integers: microseconds since 1970-01-01T00:00:00Z, durations likewise, and a clock that can be injected."""

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

_UNITS = {"ms": MILLISECOND, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
_DURATION = re.compile(r"(\d+)(ms|s|m|h|d|w)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Tells the present; every layer takes one instead of asking the operating system."""

    def now(self) -> int:
        """Return the present in microseconds since the epoch."""
        ...


class SystemClock:
    """The operating system's clock."""

    def now(self) -> int:
        """Return the present in microseconds since the epoch."""
        return time.time_ns() // 1_000


class SteadyClock:
    """A clock that begins with the operating system's and that nobody sets: for ages and pauses within a process."""

    def __init__(self) -> None:
        self._ahead = time.time_ns() - time.monotonic_ns()

    def now(self) -> int:
        """Return the microseconds since the epoch, as told by what has passed since the clock was made."""
        return (self._ahead + time.monotonic_ns()) // 1_000


@dataclass(slots=True)
class FixedClock:
    """A clock that stands where it was set: for `--until`, replays and tests."""

    moment: int

    def now(self) -> int:
        """Return the moment that was set, in microseconds since the epoch."""
        return self.moment


def parse_duration(text: str) -> int:
    """Return the length of `30s`, `10m`, `1h`, `7d`, `2w` in microseconds.

    Raises:
        ValueError: the text is not a whole number followed by one unit.

    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"`{text}` is not a duration: write a whole number and one of ms, s, m, h, d, w, like `7d`")
    return int(match[1]) * _UNITS[match[2]]


@lru_cache(maxsize=4_096)
def parse_time(text: str) -> int:
    """Return an RFC 3339 time in microseconds since the epoch.

    Raises:
        ValueError: the text is not a time, or names no zone.

    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"`{text}` is not an RFC 3339 time, like 2026-03-01T00:00:00Z") from error
    if moment.tzinfo is None:
        raise ValueError(f"`{text}` names no zone: end it with Z or an offset")
    return (moment - _EPOCH) // timedelta(microseconds=1)


@lru_cache(maxsize=4_096)  # every measurement of a window tells its start and its end
def format_time(moment: int) -> str:
    """Return a time in RFC 3339, UTC, with no more digits than it needs (none, 3 or 6)."""
    whole = _EPOCH + timedelta(microseconds=moment)
    fraction = moment % SECOND
    spec = "seconds" if fraction == 0 else "milliseconds" if fraction % MILLISECOND == 0 else "microseconds"
    return whole.isoformat(timespec=spec).removesuffix("+00:00") + "Z"
