"""The outbox: requests wait here, as the very bytes to send, from the transaction that made them to their fate."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from mlvitals.clock import DAY
from mlvitals.delivery.sink import Request
from mlvitals.delivery.status import Fate
from mlvitals.delivery.tables import MIGRATIONS
from mlvitals.state import Store

__all__ = ["MIGRATIONS", "Bounds", "Entry", "Outbox", "Trouble"]

_ROW: Final = "sequence, part, enqueued, route, body, items, first, last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much may wait for a destination, and how long: bytes and microseconds; `letters` bounds its dead letters."""

    size: int = 256 * 1024 * 1024
    age: int = 7 * DAY
    letters: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A request that waits, and its place in its destination's queue."""

    destination: str
    sequence: int
    part: str
    enqueued: int
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a destination takes nothing at present.

    held: until a person acts. failures: consecutive answers without success. not_before: when the next try is due.
    """

    held: bool
    reason: str
    failures: int
    not_before: int


@dataclass(frozen=True, slots=True)
class Outbox:
    """The queues of all destinations, in which every item is counted once.

    At any time, for each destination: enqueued = delivered + rejected + dead + expired + waiting.

    Every method is one transaction, or joins the caller's. Times are the wall clock's, in microseconds: a queue ages in
    real time, whatever time the events tell.
    """

    store: Store
    bounds: Mapping[str, Bounds] = field(default_factory=dict)

    def enqueue(self, destination: str, requests: Sequence[Request], now: int) -> None:
        """Append requests to a queue; what no longer fits its bounds expires, oldest first (law 5)."""
        with self.store.transaction() as connection:
            query = "SELECT coalesce(max(sequence), 0) FROM outbox WHERE destination = ?"
            last: int = connection.execute(query, (destination,)).fetchone()[0]
            for sequence, request in enumerate(requests, last + 1):
                _insert(
                    connection,
                    Entry(destination=destination, sequence=sequence, part="", enqueued=now, request=request),
                )
            _count(connection, destination, Fate.ENQUEUED, sum(request.items for request in requests))
            self.expire(destination, now)

    def pending(self, destination: str) -> Iterator[Entry]:
        """Yield what waits, oldest first; the queue must not change meanwhile."""
        query = f"SELECT {_ROW} FROM outbox WHERE destination = ? ORDER BY sequence, part"
        for row in self.store.connection.execute(query, (destination,)):
            yield _entry(destination, row)

    def oldest(self, destination: str) -> Entry | None:
        """Return what must leave next."""
        query = f"SELECT {_ROW} FROM outbox WHERE destination = ? ORDER BY sequence, part LIMIT 1"
        row = self.store.connection.execute(query, (destination,)).fetchone()
        return None if row is None else _entry(destination, row)

    def waiting(self, destination: str) -> int:
        """Return how many requests wait."""
        query = "SELECT count(*) FROM outbox WHERE destination = ?"
        waiting: int = self.store.connection.execute(query, (destination,)).fetchone()[0]
        return waiting

    def trouble(self, destination: str) -> Trouble | None:
        """Return what keeps a destination from taking requests, if anything."""
        query = "SELECT held, reason, failures, not_before FROM delivery_trouble WHERE destination = ?"
        row = self.store.connection.execute(query, (destination,)).fetchone()
        if row is None:
            return None
        held, reason, failures, not_before = row
        return Trouble(held=bool(held), reason=reason, failures=failures, not_before=not_before)

    def deliver(self, entry: Entry) -> None:
        """Account for a request that was taken whole."""
        with self.store.transaction() as connection:
            _remove(connection, entry)
            _count(connection, entry.destination, Fate.DELIVERED, entry.request.items)
            _recover(connection, entry.destination)

    def reject(self, entry: Entry, lost: int, reason: str, now: int) -> int:
        """Account for a request of which the destination refused `lost` items for good; return how many that is.

        A destination that claims to have refused more than it was sent has refused all of it.
        """
        items = entry.request.items
        lost = min(lost, items)
        with self.store.transaction() as connection:
            _remove(connection, entry)
            _count(connection, entry.destination, Fate.REJECTED, lost)
            _count(connection, entry.destination, Fate.DELIVERED, items - lost)
            self._letter(connection, entry, fate=Fate.REJECTED, lost=lost, reason=reason, now=now)
            _recover(connection, entry.destination)
        return lost

    def take_part(
        self, entry: Entry, *, remains: Request | None, refused: Request | None, reason: str, now: int
    ) -> int:
        """Account for a request that was answered item by item; return how many items were taken.

        What remains waits in the request's place, its bytes as they are; what is refused becomes a dead letter of its
        own; the rest was taken.

        Raises:
            ValueError: there are more items in the parts than in the whole, a bug of the sink.

        """
        waits, lost = (part.items if part is not None else 0 for part in (remains, refused))
        taken = entry.request.items - waits - lost
        if taken < 0:
            raise ValueError(f"{entry.destination}: the parts of a request hold more items than the whole")
        with self.store.transaction() as connection:
            _remove(connection, entry)
            _count(connection, entry.destination, Fate.REJECTED, lost)
            _count(connection, entry.destination, Fate.DELIVERED, taken)
            if refused is not None:
                letter = replace(entry, request=refused)
                self._letter(connection, letter, fate=Fate.REJECTED, lost=lost, reason=reason, now=now)
            if remains is not None:
                _insert(connection, replace(entry, request=remains))
            if taken or lost or remains is None:
                _recover(connection, entry.destination)
        return taken

    def bury(self, entry: Entry, reason: str, now: int, *, recovered: bool) -> None:
        """Make a dead letter of a request that will never be taken; `recovered`: the destination itself is well."""
        with self.store.transaction() as connection:
            _remove(connection, entry)
            _count(connection, entry.destination, Fate.DEAD, entry.request.items)
            self._letter(connection, entry, fate=Fate.DEAD, lost=entry.request.items, reason=reason, now=now)
            if recovered:
                _recover(connection, entry.destination)

    def split(self, entry: Entry, pieces: Sequence[Request]) -> None:
        """Replace a request by its pieces, in its place.

        Raises:
            ValueError: the pieces do not carry as many items, a bug of the sink.

        """
        if sum(piece.items for piece in pieces) != entry.request.items:
            raise ValueError(f"{entry.destination}: the pieces of a request do not carry the items of the whole")
        with self.store.transaction() as connection:
            _remove(connection, entry)
            for digit, piece in enumerate(pieces):
                part = f"{entry.part}{digit:x}"
                place = Entry(
                    destination=entry.destination,
                    sequence=entry.sequence,
                    part=part,
                    enqueued=entry.enqueued,
                    request=piece,
                )
                _insert(connection, place)

    def postpone(self, destination: str, not_before: int, reason: str, now: int, *, hold: bool = False) -> None:
        """Remember that a destination took nothing, and when to try again; `hold` says that a person must act."""
        statement = """
            INSERT INTO delivery_trouble VALUES (?, ?, ?, ?, 1, ?) ON CONFLICT (destination) DO UPDATE SET
            held = excluded.held, reason = excluded.reason, failures = failures + 1, not_before = excluded.not_before
            """
        with self.store.transaction() as connection:
            connection.execute(statement, (destination, hold, reason, now, not_before))

    def expire(self, destination: str, now: int) -> int:
        """Drop what is beyond a queue's bounds, oldest first, and count it; return how many items that is."""
        bounds = self.bounds.get(destination, Bounds())
        with self.store.transaction() as connection:
            beyond = _beyond(connection, destination, bounds, now)
            if beyond is None:
                return 0
            place, items = beyond
            statement = "DELETE FROM outbox WHERE destination = ? AND (sequence, part) <= (?, ?)"
            connection.execute(statement, (destination, *place))
            _count(connection, destination, Fate.EXPIRED, items)
        return items

    def _letter(
        self, connection: sqlite3.Connection, entry: Entry, *, fate: Fate, lost: int, reason: str, now: int
    ) -> None:
        request = entry.request
        connection.execute(
            "INSERT INTO dead_letter VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(entry.destination, fate, reason, entry.enqueued, now, request.route, request.items, lost),
                *(len(request.body), request.first, request.last, request.body),
            ),
        )
        # The totals remember what the letters forget: a disk must not fill because nobody reads them.
        statement = """
            DELETE FROM dead_letter WHERE sequence IN (SELECT sequence FROM (
                SELECT sequence, sum(size) OVER (ORDER BY sequence DESC) AS newer FROM dead_letter WHERE destination = ?
            ) WHERE newer > ?)
            """
        connection.execute(statement, (entry.destination, self.bounds.get(entry.destination, Bounds()).letters))


def _entry(destination: str, row: tuple[int, str, int, str, bytes, int, int, int]) -> Entry:
    sequence, part, enqueued, route, body, items, first, last = row
    request = Request(route=route, body=body, items=items, first=first, last=last)
    return Entry(destination=destination, sequence=sequence, part=part, enqueued=enqueued, request=request)


def _insert(connection: sqlite3.Connection, entry: Entry) -> None:
    request = entry.request
    connection.execute(
        "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(entry.destination, entry.sequence, entry.part, entry.enqueued, request.route),
            *(request.items, len(request.body), request.first, request.last, request.body),
        ),
    )


def _remove(connection: sqlite3.Connection, entry: Entry) -> None:
    statement = "DELETE FROM outbox WHERE destination = ? AND sequence = ? AND part = ?"
    gone = connection.execute(statement, (entry.destination, entry.sequence, entry.part)).rowcount
    if gone != 1:
        raise LookupError(f"{entry.destination}: request {entry.sequence}{entry.part} has already met its fate")


def _recover(connection: sqlite3.Connection, destination: str) -> None:
    connection.execute("DELETE FROM delivery_trouble WHERE destination = ?", (destination,))


def _count(connection: sqlite3.Connection, destination: str, fate: Fate, items: int) -> None:
    statement = "INSERT INTO delivery_total VALUES (?, ?, ?) ON CONFLICT (destination, fate) DO UPDATE"
    if items:
        connection.execute(f"{statement} SET items = items + excluded.items", (destination, fate, items))


def _beyond(
    connection: sqlite3.Connection, destination: str, bounds: Bounds, now: int
) -> tuple[tuple[int, str], int] | None:
    """Return the last place beyond the bounds, and the items up to it."""
    query = "SELECT sum(size), min(enqueued) FROM outbox WHERE destination = ?"
    size, oldest = connection.execute(query, (destination,)).fetchone()
    if size is None or (size <= bounds.size and oldest >= now - bounds.age):
        return None
    query = """
        SELECT sequence, part, older FROM (
            SELECT sequence, part, enqueued, sum(items) OVER oldest_first AS older,
                sum(size) OVER (PARTITION BY destination) - sum(size) OVER oldest_first + size AS newer
            FROM outbox WHERE destination = ? WINDOW oldest_first AS (ORDER BY sequence, part)
        ) WHERE newer > ? OR enqueued < ? ORDER BY sequence DESC, part DESC LIMIT 1
        """
    row = connection.execute(query, (destination, bounds.size, now - bounds.age)).fetchone()
    return None if row is None else ((row[0], row[1]), row[2])
