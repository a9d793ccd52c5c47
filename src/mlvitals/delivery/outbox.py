"""The outbox: requests wait here, as the very bytes to send, from the transaction that made them to their fate."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mlvitals.delivery.bounds import (
    Bounds,
    Place,
    age_while_away,
    bury_within,
    find_beyond,
    find_heads,
    remove_up_to,
    see,
)
from mlvitals.delivery.rows import COLUMNS, Entry, count, entry_of, insert, last_sequence, recover, remove
from mlvitals.delivery.sink import Request
from mlvitals.delivery.status import Fate
from mlvitals.state import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a route of a destination takes nothing at present.

    held: until a person acts. failures: consecutive answers without success. not_before: when the next try is due.
    """

    held: bool
    reason: str
    failures: int
    not_before: int


@dataclass(frozen=True, slots=True)
class Outbox:
    """The queues of all destinations, in which every item is counted once.

    At any time, for each destination, the account of `Fate` adds up. Within a destination each route is a lane of its
    own: order is kept in a lane, and a lane in trouble holds up no other.

    Every method is one transaction, or joins the caller's. Ages are told by a clock that no one sets, in microseconds:
    a queue ages in real time, whatever time the events tell. `wake`: called for a destination once something new for
    it is durable.
    """

    store: Store
    bounds: Mapping[str, Bounds] = field(default_factory=dict)
    wake: dict[str, Callable[[], object]] = field(default_factory=dict)

    def enqueue(self, destination: str, requests: Sequence[Request], now: int) -> None:
        """Append requests to a queue; what no longer fits its bounds expires, oldest first (law 5).

        The first of each route stays: it may be on its way, and expires only by `expire`, between two tries.
        """
        if not requests:
            return
        with self.store.transaction() as connection:
            for sequence, request in enumerate(requests, last_sequence(connection, destination) + 1):
                place = Entry(destination=destination, sequence=sequence, part="", enqueued=now, request=request)
                insert(connection, place)
            count(connection, destination, Fate.ENQUEUED, sum(request.items for request in requests))
            see(connection, destination, now)
            self._expire(connection, destination, now, spare=True)
            if (wake := self.wake.get(destination)) is not None:
                self.store.afterwards(wake)

    def pending(self, destination: str) -> Iterator[Entry]:
        """Yield what waits, oldest first; the queue must not change meanwhile."""
        query = f"SELECT {COLUMNS} FROM outbox WHERE destination = ? ORDER BY sequence, part"
        for row in self.store.connection.execute(query, (destination,)):
            yield entry_of(destination, row)

    def oldest(self, destination: str, route: str) -> Entry | None:
        """Return what must leave next on a route."""
        query = f"""
            SELECT {COLUMNS} FROM outbox WHERE destination = ? AND route = ? ORDER BY sequence, part LIMIT 1
            """
        row = self.store.connection.execute(query, (destination, route)).fetchone()
        return None if row is None else entry_of(destination, row)

    def read(self, destination: str, place: Place) -> Entry | None:
        """Return what waits at a place."""
        query = f"SELECT {COLUMNS} FROM outbox WHERE destination = ? AND sequence = ? AND part = ?"
        row = self.store.connection.execute(query, (destination, *place)).fetchone()
        return None if row is None else entry_of(destination, row)

    def waiting(self, destination: str) -> int:
        """Return how many requests wait."""
        query = "SELECT count(*) FROM outbox WHERE destination = ?"
        waiting: int = self.store.connection.execute(query, (destination,)).fetchone()[0]
        return waiting

    def routes(self, destination: str) -> dict[str, Trouble | None]:
        """Return the routes on which something waits, each with its trouble."""
        query = "SELECT DISTINCT route FROM outbox WHERE destination = ? ORDER BY route"
        found = self.store.connection.execute(query, (destination,)).fetchall()
        return {route: self.trouble(destination, route) for (route,) in found}

    def trouble(self, destination: str, route: str) -> Trouble | None:
        """Return what keeps a route from taking requests, if anything."""
        query = "SELECT held, reason, failures, not_before FROM delivery_trouble WHERE destination = ? AND route = ?"
        row = self.store.connection.execute(query, (destination, route)).fetchone()
        if row is None:
            return None
        held, reason, failures, not_before = row
        return Trouble(held=bool(held), reason=reason, failures=failures, not_before=not_before)

    def deliver(self, entry: Entry) -> None:
        """Account for a request that was taken whole."""
        with self.store.transaction() as connection:
            remove(connection, entry)
            count(connection, entry.destination, Fate.DELIVERED, entry.request.items)
            recover(connection, entry.destination, entry.request.route)

    def reject(self, entry: Entry, lost: int, reason: str, now: int) -> int:
        """Account for a request of which the destination refused `lost` items for good; return how many that is.

        A destination that claims to have refused more than it was sent has refused all of it.
        """
        items = entry.request.items
        lost = min(lost, items)
        with self.store.transaction() as connection:
            remove(connection, entry)
            count(connection, entry.destination, Fate.REJECTED, lost)
            count(connection, entry.destination, Fate.DELIVERED, items - lost)
            self._letter(connection, entry, fate=Fate.REJECTED, lost=lost, reason=reason, now=now)
            recover(connection, entry.destination, entry.request.route)
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
            remove(connection, entry)
            count(connection, entry.destination, Fate.REJECTED, lost)
            count(connection, entry.destination, Fate.DELIVERED, taken)
            if refused is not None:
                letter = replace(entry, request=refused)
                self._letter(connection, letter, fate=Fate.REJECTED, lost=lost, reason=reason, now=now)
            if remains is not None:
                insert(connection, replace(entry, request=remains))
            if taken or lost or remains is None:
                recover(connection, entry.destination, entry.request.route)
        return taken

    def bury(self, entry: Entry, reason: str, now: int, *, recovered: bool) -> None:
        """Make a dead letter of a request that will never be taken; `recovered`: the destination itself is well."""
        with self.store.transaction() as connection:
            remove(connection, entry)
            count(connection, entry.destination, Fate.DEAD, entry.request.items)
            self._letter(connection, entry, fate=Fate.DEAD, lost=entry.request.items, reason=reason, now=now)
            if recovered:
                recover(connection, entry.destination, entry.request.route)

    def split(self, entry: Entry, pieces: Sequence[Request]) -> None:
        """Replace a request by its pieces, in its place.

        Raises:
            ValueError: the pieces do not carry as many items, a bug of the sink.

        """
        if sum(piece.items for piece in pieces) != entry.request.items:
            raise ValueError(f"{entry.destination}: the pieces of a request do not carry the items of the whole")
        with self.store.transaction() as connection:
            remove(connection, entry)
            for digit, piece in enumerate(pieces):
                insert(connection, replace(entry, part=f"{entry.part}{digit:x}", request=piece))

    def postpone(
        self, destination: str, route: str, not_before: int, reason: str, now: int, *, hold: bool = False
    ) -> None:
        """Remember that a route took nothing, and when to try again; `hold` says that a person must act."""
        statement = """
            INSERT INTO delivery_trouble VALUES (?, ?, ?, ?, ?, 1, ?) ON CONFLICT (destination, route) DO UPDATE SET
            held = excluded.held, reason = excluded.reason, failures = failures + 1, not_before = excluded.not_before
            """
        with self.store.transaction() as connection:
            connection.execute(statement, (destination, route, hold, reason, now, not_before))

    def expire(self, destination: str, now: int) -> int:
        """Drop what is beyond a queue's bounds, oldest first, and count it; return how many items that is.

        Only for whoever sends: nothing of this queue may be on its way.
        """
        with self.store.transaction() as connection:
            if self.waiting(destination):
                see(connection, destination, now)
            return self._expire(connection, destination, now, spare=False)

    def resume(self, destination: str, now: int) -> None:
        """Let a queue age by the time in which nobody ran, as far as a clock is to be believed."""
        with self.store.transaction() as connection:
            age_while_away(connection, destination, self._bounds(destination), now)

    def _expire(self, connection: sqlite3.Connection, destination: str, now: int, *, spare: bool) -> int:
        beyond = find_beyond(connection, destination, self._bounds(destination), now)
        if beyond is None:
            return 0
        spared = find_heads(connection, destination) if spare else []
        items = remove_up_to(connection, destination, beyond, spared)
        count(connection, destination, Fate.EXPIRED, items)
        return items

    def _bounds(self, destination: str) -> Bounds:
        return self.bounds.get(destination, Bounds())

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
        bury_within(connection, entry.destination, self._bounds(entry.destination))
