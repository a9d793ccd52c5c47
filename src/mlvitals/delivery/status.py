"""What became of every item, and what still waits: the account that `status` prints."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from mlvitals.delivery.sink import Request
from mlvitals.state import Store


class Fate(StrEnum):
    """What became of an item; enqueued = delivered + rejected + dead + expired + what still waits.

    rejected: refused in part of a request that was taken. dead: never to be taken. expired: past its queue's bounds.
    """

    ENQUEUED = "enqueued"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    DEAD = "dead"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    """One destination's queue.

    requests, items, size: what waits, `size` in bytes. oldest: when the oldest was enqueued, microseconds since the
    epoch. trouble: why the last try failed, `held` if a person must act, since when, and when the next try is due.
    letters: dead letters kept. totals: items by fate, every fate.
    """

    destination: str
    requests: int
    items: int
    size: int
    oldest: int | None
    trouble: str
    held: bool
    since: int | None
    not_before: int | None
    letters: int
    totals: Mapping[Fate, int]


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
    """Return the account of every destination that anything was ever enqueued for, by name."""
    names = store.connection.execute("SELECT DISTINCT destination FROM delivery_total ORDER BY destination")
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
    def row(query: str) -> tuple[int, ...] | None:
        found: tuple[int, ...] | None = store.connection.execute(query, (destination,)).fetchone()
        return found

    waiting = "SELECT count(*), coalesce(sum(items), 0), coalesce(sum(size), 0), min(enqueued)"
    requests, items, size, oldest = row(f"{waiting} FROM outbox WHERE destination = ?") or (0, 0, 0, None)
    query = "SELECT reason, held, since, not_before FROM delivery_trouble WHERE destination = ?"
    reason, held, since, not_before = row(query) or ("", 0, None, None)
    query = "SELECT fate, items FROM delivery_total WHERE destination = ?"
    totals = dict(store.connection.execute(query, (destination,)))
    letters = row("SELECT count(*) FROM dead_letter WHERE destination = ?")
    return QueueStatus(
        destination=destination,
        requests=requests,
        items=items,
        size=size,
        oldest=oldest,
        trouble=str(reason),
        held=bool(held),
        since=since,
        not_before=not_before,
        letters=letters[0] if letters else 0,
        totals={fate: totals.get(fate, 0) for fate in Fate},
    )
