"""The account of rows: every row of every source has one disposition, or waits and is counted as held."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from mlvitals import wire
from mlvitals.events import Disposition, ReadAccount

ANY_MODEL: Final = ""  # the model of rows that were not read as far as their model
EXAMPLES_KEPT: Final = 20


class AccountKey(NamedTuple):
    """What a row was: its source, the kind of event, its model, and what became of it."""

    source: str
    event: str
    model: str
    disposition: str


class Account:
    """Collects changes of the account and writes them in the caller's transaction."""

    def __init__(self) -> None:
        self._changes: Counter[AccountKey] = Counter()
        self._examples: list[tuple[str, str]] = []

    def add(self, source: str, event: str, model: str, disposition: Disposition, rows: int) -> None:
        """Count rows; a negative number takes back an earlier count (an orphan that found its prediction)."""
        if rows:
            self._changes[AccountKey(source, event, model, disposition.value)] += rows

    def add_read(self, source: str, read: ReadAccount) -> None:
        """Count what the format could not use."""
        self.add(source, "row", ANY_MODEL, Disposition.UNPARSEABLE, read.unparseable)
        self.add(source, "row", ANY_MODEL, Disposition.SKIPPED, read.skipped)
        self._examples.extend((source, reason) for reason in read.examples)

    @contextmanager
    def undone_on_failure(self) -> Iterator[None]:
        """Take back what a block added if it raises."""
        before, self._changes = self._changes, Counter()
        try:
            yield
        except BaseException:
            self._changes = before
            raise
        for key, rows in self._changes.items():
            before[key] += rows
        self._changes = before

    def flush(self, connection: sqlite3.Connection) -> None:
        """Write the changes."""
        connection.executemany(
            """
            INSERT INTO account VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
            SET rows = rows + excluded.rows, taken_back = taken_back + excluded.taken_back
            """,
            ((*key, rows, max(-rows, 0)) for key, rows in sorted(self._changes.items()) if rows),
        )
        for source, reason in self._examples:
            (kept,) = connection.execute("SELECT count(*) FROM example WHERE source = ?", (source,)).fetchone()
            if kept < EXAMPLES_KEPT:
                connection.execute("INSERT OR IGNORE INTO example VALUES (?, ?)", (source, reason))
        self._changes.clear()
        self._examples.clear()


def read_account(connection: sqlite3.Connection) -> dict[AccountKey, int]:
    """Return the account so far, in order."""
    rows = connection.execute("SELECT source, event, model, disposition, rows FROM account ORDER BY 1, 2, 3, 4")
    return {
        AccountKey(source, event, model, disposition): count
        for source, event, model, disposition, count in rows
        if count
    }


def read_totals(connection: sqlite3.Connection) -> dict[Disposition, int]:
    """Return how many rows were ever given each disposition, which only grows: what is taken back stays counted."""
    query = "SELECT disposition, sum(rows + taken_back) FROM account GROUP BY disposition"
    totals = dict(connection.execute(query))
    return {disposition: totals.get(disposition.value, 0) for disposition in Disposition}


def orphan_ratios(connection: sqlite3.Connection) -> dict[str, float]:
    """Return by model the share of its different labels that no prediction is known for; no label, no share.

    One that waits for its prediction is an orphan until that comes; exact duplicates are not counted.
    """
    kept = (Disposition.ACCEPTED.value, Disposition.EXPIRED.value, Disposition.ORPHAN.value)
    rows = connection.execute(
        "SELECT model, sum(rows * (disposition = ?3)) * 1.0 / sum(rows) FROM account "
        "WHERE event = ?4 AND model <> ?5 AND disposition IN (?1, ?2, ?3) "
        "GROUP BY model HAVING sum(rows) > 0 ORDER BY model",
        (*kept, wire.EVENT_LABEL, ANY_MODEL),
    )
    return dict(rows.fetchall())


def read_held(connection: sqlite3.Connection) -> dict[tuple[str, str], int]:
    """Return the rows that wait, by source and kind of event."""
    rows = connection.execute(
        "SELECT source, event, sum(rows) FROM (SELECT source, event, rows FROM held "
        "UNION ALL SELECT source, event, rows FROM half_batch) GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return {(source, event): count for source, event, count in rows}
