"""What lets points pass: the series that their model was allowed, of as many versions at a time as may send.

A version's name may be new every hour. So a version holds a place: for a day of event time at least, and as long after
as it serves or nobody else wants it. That bounds what is sent at a time, and what begins in a day.
"""

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NamedTuple

from mlvitals.clock import DAY
from mlvitals.state import Migrations
from mlvitals.telemetry.budget import Allowance
from mlvitals.telemetry.points import MetricPoint

MIGRATIONS: Final = Migrations(
    owner="telemetry",
    steps=(
        (
            # What is known at a maturity is news of windows of long ago: each maturity has its own places.
            """
            CREATE TABLE version_place (
                model TEXT NOT NULL,
                maturity TEXT NOT NULL,
                version TEXT NOT NULL,
                since INTEGER NOT NULL,
                last INTEGER NOT NULL,
                PRIMARY KEY (model, maturity, version)
            ) STRICT, WITHOUT ROWID
            """,
            # Of the newest window of each: how many of its series did not leave.
            """
            CREATE TABLE series_dropped (
                model TEXT NOT NULL,
                maturity TEXT NOT NULL,
                start INTEGER NOT NULL,
                series INTEGER NOT NULL,
                PRIMARY KEY (model, maturity)
            ) STRICT, WITHOUT ROWID
            """,
        ),
    ),
)

HOLD: Final = DAY  # so long at least a version keeps its place, if it takes one


class Window(NamedTuple):
    """Where points are of: a version's window, in microseconds since the epoch; maturity "" as the window closes."""

    model: str
    version: str
    maturity: str
    start: int
    end: int


class Gate:
    """Lets the points of one window pass or drops them, and counts what it drops.

    allowance: what a model may send, None where that is not bounded.
    """

    def __init__(self, allowance: Callable[[str], Allowance | None]) -> None:
        self._allowance = allowance

    def __call__(
        self, connection: sqlite3.Connection, window: Window, points: Sequence[MetricPoint]
    ) -> list[MetricPoint]:
        """Return the points that leave. The connection's transaction holds what is noted of them."""
        allowance = self._allowance(window.model)
        if allowance is None or not points:
            return list(points)
        leaving = [point for point in points if allowance.lets(point.name, point.attributes)]
        if leaving and not _take_place(connection, window, allowance.versions):
            leaving = []
        _note(connection, window, len(points) - len(leaving))
        return leaving


def dropped_series(connection: sqlite3.Connection) -> dict[str, int]:
    """Return how many series of each model's newest window (of its newest cohort at each maturity) did not leave."""
    query = "SELECT model, sum(series) FROM series_dropped GROUP BY model ORDER BY model"
    return dict(connection.execute(query).fetchall())


def forget_series(connection: sqlite3.Connection, known: Mapping[str, Collection[str]]) -> None:
    """Forget places and counts of models, or of maturities, that are configured no more: nothing will renew them.

    known: each model's maturities, as they are spelled.
    """
    for table in ("version_place", "series_dropped"):
        found = connection.execute(f"SELECT DISTINCT model, maturity FROM {table}").fetchall()
        gone = [row for row in found if row[0] not in known or row[1] not in ("", *known[row[0]])]
        connection.executemany(f"DELETE FROM {table} WHERE model = ? AND maturity = ?", gone)


def _take_place(connection: sqlite3.Connection, window: Window, places: int) -> bool:
    """Take a place for a version, or keep it; tell whether there is one.

    Where all are taken, a version gives way that holds its place for a day or more and has missed the window before
    this one: of several the one that is silent for longest.
    """
    query = (
        "SELECT version, since, last FROM version_place WHERE model = ? AND maturity = ? ORDER BY last DESC, version"
    )
    holders = connection.execute(query, (window.model, window.maturity)).fetchall()
    for version, *_ in holders[places:]:  # the configuration allowed more before
        _leave(connection, window, version)
    holders = holders[:places]
    if window.version not in (version for version, *_ in holders) and len(holders) == places:
        silent = window.start - 2 * (window.end - window.start)
        gone = [version for version, since, last in holders if since <= window.start - HOLD and last <= silent]
        if not gone:
            return False
        _leave(connection, window, gone[-1])
    connection.execute(
        "INSERT INTO version_place VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET last = max(last, excluded.last)",
        (window.model, window.maturity, window.version, window.start, window.start),
    )
    return True


def _leave(connection: sqlite3.Connection, window: Window, version: str) -> None:
    connection.execute(
        "DELETE FROM version_place WHERE model = ? AND maturity = ? AND version = ?",
        (window.model, window.maturity, version),
    )


def _note(connection: sqlite3.Connection, window: Window, dropped: int) -> None:
    """Add to what was dropped of the newest window; a newer one begins anew, an older one is no news."""
    connection.execute(
        """
        INSERT INTO series_dropped VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
        series = CASE WHEN excluded.start > start THEN excluded.series
                      WHEN excluded.start = start THEN series + excluded.series ELSE series END,
        start = max(start, excluded.start)
        """,
        (window.model, window.maturity, window.start, dropped),
    )
