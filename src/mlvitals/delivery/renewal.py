"""Renewal (law 8): what has grown too old for its destination is told anew, so that the newest leaves at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from mlvitals.clock import MINUTE
from mlvitals.delivery.bounds import Place
from mlvitals.delivery.outbox import Outbox
from mlvitals.delivery.rows import Entry, count, insert
from mlvitals.delivery.sink import LOGS, Renewal, Request
from mlvitals.delivery.status import Fate

# A request takes a while on its way, and the destination's clock is not ours.
_MARGIN: Final = 5 * MINUTE
_MARGIN_SHARE: Final = 4
# Of log records, of which every one stays, so many bytes are held in memory at a time.
_LOGS_AT_A_TIME: Final = 8 * 1024 * 1024


def is_stale(renewal: Renewal, request: Request, now: int) -> bool:
    """Tell whether a request holds what its destination would drop for its age; `now` by the wall clock."""
    limit = renewal.age_limit(request.route)
    return limit is not None and is_too_old(request.first, limit, now)


def is_too_old(stamp: int, limit: int, now: int) -> bool:
    """Tell whether a stamp is past a limit of age, or will be before it arrives."""
    return now - stamp > limit - min(_MARGIN, limit // _MARGIN_SHARE)


def renew(outbox: Outbox, renewal: Renewal, head: Entry, now: int) -> int | None:
    """Replace a route's requests, from its head on, by what is sent in their place; return the items that go without.

    None where some expired meanwhile: nothing is replaced, and it has to be done anew.

    What is sent stands in the outbox before it is, so that it is sent again to the byte. Memory holds one request at a
    time and what is sent in their place: the newest of each series, or some megabytes of log records.

    Raises:
        ValueError: more items are returned than were given, a bug of the sink.

    """
    reading = _Reading(outbox, head, _places(outbox, renewal, head, now))
    renewed = renewal.renew(head.request.route, reading.requests(), now)
    for _ in reading.requests():  # what the sink had no need to look at is replaced, too
        pass
    return _replace(outbox, head, reading, renewed)


@dataclass(slots=True)
class _Reading:
    """Reads requests one by one as they are asked for, and remembers which."""

    outbox: Outbox
    head: Entry
    places: Iterator[Place]
    read: list[Place] = field(default_factory=list)
    items: int = 0
    enqueued: int = 0

    def requests(self) -> Iterator[Request]:
        for place in self.places:
            entry = self.outbox.read(self.head.destination, place)
            if entry is not None:  # else it has expired meanwhile
                self.read.append(place)
                self.items += entry.request.items
                self.enqueued = max(self.enqueued, entry.enqueued)
                yield entry.request


def _places(outbox: Outbox, renewal: Renewal, head: Entry, now: int) -> Iterator[Place]:
    """Return which requests are renewed together: all of a route, or of logs those too old that memory holds."""
    query = "SELECT sequence, part, size, first FROM outbox WHERE destination = ? AND route = ? ORDER BY 1, 2"
    route = head.request.route
    rows = outbox.store.connection.execute(query, (head.destination, route)).fetchall()
    taken = 0
    for place, (sequence, part, size, first) in enumerate(rows):
        taken += size
        young = not is_stale(renewal, replace(head.request, first=first), now)
        if route == LOGS and place > 0 and (young or taken > _LOGS_AT_A_TIME):
            return
        yield sequence, part


def _replace(outbox: Outbox, head: Entry, reading: _Reading, renewed: Sequence[Request]) -> int | None:
    destination = head.destination
    places = [(destination, *place) for place in reading.read]
    with outbox.store.transaction() as connection:
        query = "SELECT items FROM outbox WHERE destination = ? AND sequence = ? AND part = ?"
        items = sum(items for place in places for (items,) in connection.execute(query, place))
        if items != reading.items:
            return None
        superseded: int = items - sum(request.items for request in renewed)
        if superseded < 0:
            raise ValueError(f"{destination}: renewed requests hold more items than those in whose place they are")
        connection.executemany("DELETE FROM outbox WHERE destination = ? AND sequence = ? AND part = ?", places)
        query = "SELECT count(*) FROM outbox WHERE destination = ? AND sequence = ?"
        (beside,) = connection.execute(query, (destination, head.sequence)).fetchone()
        base = head.part if beside else ""
        for number, request in enumerate(renewed):
            place = replace(head, part=f"{base}{number:06x}", enqueued=reading.enqueued, request=request)
            insert(connection, place)
        count(connection, destination, Fate.SUPERSEDED, superseded)
    return superseded
