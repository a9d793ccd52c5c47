"""How often we page, and how often falsely, by people's verdicts: the promise, checked against what happened."""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from mlvitals.clock import WEEK
from mlvitals.decisions.episodes import HORIZON
from mlvitals.decisions.poisson import rate_interval
from mlvitals.decisions.words import FALSE, TRUE

UNJUDGED: Final = "unjudged"
VERDICTS: Final = (TRUE, FALSE, UNJUDGED)


class Period(NamedTuple):
    """A stretch of time, microseconds since the epoch; windows that end after `start`, up to `end`, are part of it."""

    start: int
    end: int


EVER: Final = Period(-(2**62), 2**62)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRate:
    """Pages that are remembered, by verdict, and the weeks in which they came.

    weeks: in which windows of any model closed. lower, upper: of the false pages a week, with 95 % confidence whatever
    the pages are of which nobody has said yet what they were: the lower limit takes them for true, the upper for false.
    Where nothing was observed the rate may be anything.
    """

    pages: int
    true: int
    false: int
    unjudged: int
    weeks: float
    lower: float
    upper: float


def measured_rate(connection: sqlite3.Connection, period: Period = EVER) -> MeasuredRate:
    """Return how often false pages came in a period, over all models.

    The interval is the exact one of a Poisson count (see `rate_interval`).
    """
    counts = page_counts(connection, period)
    weeks = observed_weeks(connection, period)
    lower, upper = rate_interval(counts[FALSE], counts[FALSE] + counts[UNJUDGED], weeks)
    return MeasuredRate(
        pages=sum(counts.values()),
        true=counts[TRUE],
        false=counts[FALSE],
        unjudged=counts[UNJUDGED],
        weeks=weeks,
        lower=lower,
        upper=upper,
    )


def page_counts(connection: sqlite3.Connection, period: Period = EVER) -> Mapping[str, int]:
    """Return how many of a period's pages that are remembered have which verdict; every verdict is told."""
    known = verdicts(connection)
    names = connection.execute("SELECT id FROM episode WHERE opened > ? AND opened <= ?", period)
    counts = Counter(known.get(name, UNJUDGED) for (name,) in names)
    return {verdict: counts[verdict] for verdict in VERDICTS}


def verdicts(connection: sqlite3.Connection) -> Mapping[str, str]:
    """Return the verdict of each episode of which somebody has said one, the last where there are several."""
    return dict(connection.execute("SELECT episode, verdict FROM word WHERE kind = 'verdict' ORDER BY sequence"))


def observed_weeks(connection: sqlite3.Connection, period: Period = EVER) -> float:
    """Return for how long of a period windows of any model closed, of each no longer than its pages are remembered."""
    query = """
        SELECT max(first, last - ?1, ?2) AS since, min(last, ?3) AS until FROM observed
        WHERE first < ?3 AND last > ?2 ORDER BY since
        """
    covered, reached = 0, None
    for first, last in connection.execute(query, (HORIZON, *period)):
        covered += max(last - (first if reached is None else max(first, reached)), 0)
        reached = last if reached is None else max(reached, last)
    return covered / WEEK
