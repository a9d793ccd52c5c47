"""How much may wait for a destination and for how long: what is beyond leaves, the oldest first, and is counted."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from mlvitals.clock import DAY

Place = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much may wait for a destination, and how long: bytes and microseconds; `letters` bounds its dead letters."""

    size: int = 256 * 1024 * 1024
    age: int = 7 * DAY
    letters: int = 64 * 1024 * 1024


def find_beyond(connection: sqlite3.Connection, destination: str, bounds: Bounds, now: int) -> Place | None:
    """Return the last place beyond the bounds, None where all is within."""
    query = "SELECT sum(size), min(enqueued) FROM outbox WHERE destination = ?"
    size, oldest = connection.execute(query, (destination,)).fetchone()
    if size is None or (size <= bounds.size and oldest >= now - bounds.age):
        return None
    query = """
        SELECT sequence, part FROM (
            SELECT sequence, part, enqueued,
                sum(size) OVER (PARTITION BY destination) - sum(size) OVER oldest_first + size AS newer
            FROM outbox WHERE destination = ? WINDOW oldest_first AS (ORDER BY sequence, part)
        ) WHERE newer > ? OR enqueued < ? ORDER BY sequence DESC, part DESC LIMIT 1
        """
    found: Place | None = connection.execute(query, (destination, bounds.size, now - bounds.age)).fetchone()
    return found


def remove_up_to(connection: sqlite3.Connection, destination: str, place: Place, spared: Sequence[Place]) -> int:
    """Delete what waits up to a place, but for what is spared; return how many items that is."""
    where = "destination = ? AND (sequence, part) <= (?, ?)"
    if spared:
        where += f" AND (sequence, part) NOT IN (VALUES {', '.join(['(?, ?)'] * len(spared))})"
    values = (destination, *place, *(part for one in spared for part in one))
    (items,) = connection.execute(f"SELECT coalesce(sum(items), 0) FROM outbox WHERE {where}", values).fetchone()
    connection.execute(f"DELETE FROM outbox WHERE {where}", values)
    return int(items)


def find_heads(connection: sqlite3.Connection, destination: str) -> list[Place]:
    """Return the place of the oldest request of each route."""
    query = """
        SELECT sequence, part FROM (
            SELECT sequence, part, row_number() OVER (PARTITION BY route ORDER BY sequence, part) AS place
            FROM outbox WHERE destination = ?
        ) WHERE place = 1
        """
    return connection.execute(query, (destination,)).fetchall()


def age_while_away(connection: sqlite3.Connection, destination: str, bounds: Bounds, now: int) -> None:
    """Let a queue age by the time since it was last seen: no less than nothing, no more than half of what it may.

    The clock may have been set while nobody ran, and a wrong one must not expire what is young, nor keep it for ever.
    """
    row = connection.execute("SELECT moment FROM delivery_seen WHERE destination = ?", (destination,)).fetchone()
    if row is not None:
        away = now - row[0]
        shift = away - min(max(away, 0), bounds.age // 2)
        if shift:
            statement = "UPDATE outbox SET enqueued = enqueued + ? WHERE destination = ?"
            connection.execute(statement, (shift, destination))
    see(connection, destination, now)


def see(connection: sqlite3.Connection, destination: str, now: int) -> None:
    """Remember up to when a queue has aged."""
    connection.execute("INSERT OR REPLACE INTO delivery_seen VALUES (?, ?)", (destination, now))


def bury_within(connection: sqlite3.Connection, destination: str, bounds: Bounds) -> None:
    """Forget the oldest dead letters beyond the bytes that they may take; the totals remember them.

    A disk must not fill because nobody reads the letters.
    """
    statement = """
        DELETE FROM dead_letter WHERE sequence IN (SELECT sequence FROM (
            SELECT sequence, sum(size) OVER (ORDER BY sequence DESC) AS newer FROM dead_letter WHERE destination = ?
        ) WHERE newer > ?)
        """
    connection.execute(statement, (destination, bounds.letters))
