"""What a person may do with a queue while nothing runs: have it tried at once, put dead letters back, drop."""

from dataclasses import dataclass

from mlvitals.delivery.outbox import Outbox
from mlvitals.delivery.rows import Entry, count, insert, last_sequence
from mlvitals.delivery.status import Fate, dead_letters


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervened:
    """What was done to a destination's queue: so many requests with so many items; `left`: letters left as they are."""

    destination: str
    requests: int = 0
    items: int = 0
    left: int = 0


def try_at_once(outbox: Outbox, destination: str) -> Intervened:
    """Forget every trouble of a destination, so that what waits is tried as soon as something runs."""
    waiting = outbox.waiting(destination)
    with outbox.store.transaction() as connection:
        connection.execute("DELETE FROM delivery_trouble WHERE destination = ?", (destination,))
        return Intervened(destination=destination, requests=waiting, items=_items(outbox, destination))


def put_back(outbox: Outbox, destination: str, now: int) -> Intervened:
    """Put dead letters back at the end of their queue, as if they were new: enqueued once more (see `Fate`).

    A letter of which some items were taken stays: to send it again would send those twice.
    """
    requests = items = left = 0
    with outbox.store.transaction() as connection:
        sequence = last_sequence(connection, destination)
        for letter in list(dead_letters(outbox.store, destination)):
            if letter.lost < letter.request.items:
                left += 1
                continue
            requests += 1
            items += letter.request.items
            entry = Entry(
                destination=destination,
                sequence=sequence + requests,
                part="",
                enqueued=now,
                request=letter.request,
            )
            insert(connection, entry)
            connection.execute("DELETE FROM dead_letter WHERE sequence = ?", (letter.sequence,))
        count(connection, destination, Fate.ENQUEUED, items)
    return Intervened(destination=destination, requests=requests, items=items, left=left)


def drop_waiting(outbox: Outbox, destination: str) -> Intervened:
    """Drop all that waits, and count it."""
    with outbox.store.transaction() as connection:
        dropped = Intervened(
            destination=destination, requests=outbox.waiting(destination), items=_items(outbox, destination)
        )
        connection.execute("DELETE FROM outbox WHERE destination = ?", (destination,))
        connection.execute("DELETE FROM delivery_trouble WHERE destination = ?", (destination,))
        count(connection, destination, Fate.DROPPED, dropped.items)
    return dropped


def drop_letters(outbox: Outbox, destination: str) -> Intervened:
    """Forget all dead letters; what became of their items is counted already."""
    with outbox.store.transaction() as connection:
        query = "SELECT count(*), coalesce(sum(lost), 0) FROM dead_letter WHERE destination = ?"
        letters, items = connection.execute(query, (destination,)).fetchone()
        connection.execute("DELETE FROM dead_letter WHERE destination = ?", (destination,))
    return Intervened(destination=destination, requests=letters, items=items)


def _items(outbox: Outbox, destination: str) -> int:
    query = "SELECT coalesce(sum(items), 0) FROM outbox WHERE destination = ?"
    items: int = outbox.store.connection.execute(query, (destination,)).fetchone()[0]
    return items
