"""What became of every item, and what still waits: the account that `status` prints."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mlvitals.delivery.sink import Request
from mlvitals.state import Store


class Fate(StrEnum):
    """What became of an item; enqueued = delivered + rejected + dead + expired + superseded + dropped + what waits.

    That holds for each destination at any time.

    rejected: refused in part of a request that was taken. dead: never to be taken. expired: past its queue's bounds.
    superseded: too old to be plotted when its turn came, while something newer of its series was; the log has it.
    dropped: by a person's word.

    Totals never fall: a dead letter that a person puts back is enqueued once more, and its first end stays counted.
    """

    ENQUEUED = "enqueued"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    DEAD = "dead"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneStatus:
    """One route of a destination: a queue of its own.

    requests, items, size: what waits, `size` in bytes. oldest: when the oldest was enqueued, microseconds since the
    epoch. trouble: why the last try failed, `held` if a person must act, since when, and when the next try is due.
    """

    route: str
    requests: int
    items: int
    size: int
    oldest: int | None
    trouble: str
    held: bool
    since: int | None
    not_before: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    """One destination's queue: its lanes, by route, and its account.

    letters: dead letters kept. totals: items by fate, every fate.
    """

    destination: str
    lanes: Sequence[LaneStatus]
    letters: int
    totals: Mapping[Fate, int]

    @property
    def requests(self) -> int:
        """How many requests wait."""
        return sum(lane.requests for lane in self.lanes)

    @property
    def items(self) -> int:
        """How many items wait."""
        return sum(lane.items for lane in self.lanes)

    @property
    def size(self) -> int:
        """How many bytes wait."""
        return sum(lane.size for lane in self.lanes)

    @property
    def oldest(self) -> int | None:
        """When the oldest that waits was enqueued, microseconds since the epoch."""
        return min((lane.oldest for lane in self.lanes if lane.oldest is not None), default=None)

    @property
    def gravest(self) -> LaneStatus | None:
        """The lane in the worst trouble: one that is held, then the one that has been in trouble for longest."""
        troubled = [lane for lane in self.lanes if lane.since is not None]
        return min(troubled, key=lambda lane: (not lane.held, lane.since, lane.route), default=None)

    @property
    def trouble(self) -> str:
        """Why the gravest lane takes nothing."""
        return self.gravest.trouble if self.gravest else ""

    @property
    def held(self) -> bool:
        """A person must act for a lane to go on."""
        return self.gravest is not None and self.gravest.held

    @property
    def since(self) -> int | None:
        """Since when the gravest lane takes nothing, microseconds since the epoch."""
        return self.gravest.since if self.gravest else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A request that was not taken, whole (`dead`) or in part (`rejected`: `lost` of its items, unnamed)."""

    sequence: int
    destination: str
    fate: Fate
    reason: str
    enqueued: int
    buried: int
    lost: int
    request: Request


def queue_statuses(store: Store) -> list[QueueStatus]:
    """Return the account of every destination that anything was ever enqueued for, by name, as of one moment."""
    with store.moment() as connection:
        names = connection.execute("SELECT DISTINCT destination FROM delivery_total ORDER BY destination")
        return [_status(store, name) for (name,) in names.fetchall()]


def dead_letters(store: Store, destination: str) -> Iterator[DeadLetter]:
    """Yield a destination's dead letters, oldest first."""
    query = """
        SELECT sequence, fate, reason, enqueued, buried, lost, route, body, items, first, last
        FROM dead_letter WHERE destination = ? ORDER BY sequence
        """
    for sequence, fate, reason, enqueued, buried, lost, *request in store.connection.execute(query, (destination,)):
        route, body, items, first, last = request
        yield DeadLetter(
            sequence=sequence,
            destination=destination,
            fate=Fate(fate),
            reason=reason,
            enqueued=enqueued,
            buried=buried,
            lost=lost,
            request=Request(route=route, body=body, items=items, first=first, last=last),
        )


def _status(store: Store, destination: str) -> QueueStatus:
    connection = store.connection
    (letters,) = connection.execute("SELECT count(*) FROM dead_letter WHERE destination = ?", (destination,)).fetchone()
    query = "SELECT fate, items FROM delivery_total WHERE destination = ?"
    totals = dict(connection.execute(query, (destination,)))
    return QueueStatus(
        destination=destination,
        lanes=_lanes(connection, destination),
        letters=letters,
        totals={fate: totals.get(fate, 0) for fate in Fate},
    )


def _lanes(connection: sqlite3.Connection, destination: str) -> list[LaneStatus]:
    query = """
        SELECT route, count(*), sum(items), sum(size), min(enqueued) FROM outbox WHERE destination = ? GROUP BY route
        """
    waiting = {route: counts for route, *counts in connection.execute(query, (destination,))}
    query = "SELECT route, reason, held, since, not_before FROM delivery_trouble WHERE destination = ?"
    troubles = {route: trouble for route, *trouble in connection.execute(query, (destination,))}
    lanes = []
    for route in sorted(waiting.keys() | troubles.keys()):
        requests, items, size, oldest = waiting.get(route, (0, 0, 0, None))
        reason, held, since, not_before = troubles.get(route, ("", 0, None, None))
        lanes.append(
            LaneStatus(
                route=route,
                requests=requests,
                items=items,
                size=size,
                oldest=oldest,
                trouble=reason,
                held=bool(held),
                since=since,
                not_before=not_before,
            )
        )
    return lanes
