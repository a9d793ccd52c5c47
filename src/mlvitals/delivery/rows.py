"""A request that waits as a row of the outbox, and the counts of what became of items."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from mlvitals.delivery.bounds import Place
from mlvitals.delivery.sink import Request
from mlvitals.delivery.status import Fate

COLUMNS: Final = "sequence, part, enqueued, route, body, items, first, last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A request that waits, and its place in its destination's queue."""

    destination: str
    sequence: int
    part: str
    enqueued: int
    request: Request

    @property
    def place(self) -> Place:
        """Where it stands: lesser places leave first."""
        return self.sequence, self.part


def entry_of(destination: str, row: tuple[int, str, int, str, bytes, int, int, int]) -> Entry:
    """Return the entry of a row of `COLUMNS`."""
    sequence, part, enqueued, route, body, items, first, last = row
    request = Request(route=route, body=body, items=items, first=first, last=last)
    return Entry(destination=destination, sequence=sequence, part=part, enqueued=enqueued, request=request)


def insert(connection: sqlite3.Connection, entry: Entry) -> None:
    """Let a request wait."""
    request = entry.request
    connection.execute(
        "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(entry.destination, entry.sequence, entry.part, entry.enqueued, request.route),
            *(request.items, len(request.body), request.first, request.last, request.body),
        ),
    )


def remove(connection: sqlite3.Connection, entry: Entry) -> None:
    """Take a request out.

    Raises:
        LookupError: it does not wait any more, a bug of ours.

    """
    statement = "DELETE FROM outbox WHERE destination = ? AND sequence = ? AND part = ?"
    gone = connection.execute(statement, (entry.destination, entry.sequence, entry.part)).rowcount
    if gone != 1:
        raise LookupError(f"{entry.destination}: request {entry.sequence}{entry.part} has already met its fate")


def count(connection: sqlite3.Connection, destination: str, fate: Fate, items: int) -> None:
    """Count items by what became of them."""
    statement = "INSERT INTO delivery_total VALUES (?, ?, ?) ON CONFLICT (destination, fate) DO UPDATE"
    if items:
        connection.execute(f"{statement} SET items = items + excluded.items", (destination, fate, items))


def last_sequence(connection: sqlite3.Connection, destination: str) -> int:
    """Return the number of the last request in a queue, 0 where it is empty."""
    query = "SELECT coalesce(max(sequence), 0) FROM outbox WHERE destination = ?"
    last: int = connection.execute(query, (destination,)).fetchone()[0]
    return last


def recover(connection: sqlite3.Connection, destination: str, route: str) -> None:
    """Forget what troubled a lane: something was taken."""
    connection.execute("DELETE FROM delivery_trouble WHERE destination = ? AND route = ?", (destination, route))
