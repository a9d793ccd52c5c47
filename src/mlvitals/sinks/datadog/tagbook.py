"""The tags of attributes: each value its own, though Datadog would spell two of them alike."""

from collections.abc import Iterable
from itertools import count
from typing import Final

from mlvitals.state import Store
from mlvitals.telemetry.naming import datadog as naming

_NEWEST: Final = "SELECT coalesce(max(number), 0) FROM datadog_tag WHERE destination = ?"
_ROWS: Final = "SELECT key, value, tag FROM datadog_tag WHERE destination = ? ORDER BY number"
_COLLISIONS_TOLD: Final = 3


class TagBook:
    """Gives out tags, first come, first served: the second of two values that are spelled alike gets a hash behind it.

    What was given out stands in the state, in the transaction that holds the requests in which it is used. So a value
    keeps its tag whatever comes after it, and one that was taken back with its transaction is given out anew.
    """

    def __init__(self, store: Store, destination: str) -> None:
        self._store = store
        self._destination = destination
        self._tags: dict[tuple[str, str], str] = {}
        self._taken: dict[str, str] = {}
        self._number = 0
        self._untold: list[str] = []

    def refresh(self) -> bool:
        """Look, before tags are asked for, whether the state still holds all that is known; tell whether it did."""
        connection = self._store.connection
        (number,) = connection.execute(_NEWEST, (self._destination,)).fetchone()
        if number == self._number:
            return True
        rows = connection.execute(_ROWS, (self._destination,)).fetchall()
        self._tags = {(key, value): tag for key, value, tag in rows}
        self._taken = {tag: value for _, value, tag in rows}
        self._number = number
        return False

    def tag(self, short: str, value: str) -> str:
        """Return the tag of an attribute's value, by its short name; nothing for an empty value.

        Raises:
            ValueError: the short name is none, or the value is no text.

        """
        known = self._tags.get((short, value))
        if known is not None:
            return known
        if not isinstance(value, str):
            raise ValueError(f"the attribute {short} is {value!r}, which is no text")  # noqa: TRY004  # a point's content
        return self._give(short, value) if value else ""

    def collisions(self) -> str:
        """Return, once, which values had to be told apart; nothing where none had to since it was last asked."""
        untold, self._untold = self._untold, []
        more = f" and {len(untold) - _COLLISIONS_TOLD} more" if len(untold) > _COLLISIONS_TOLD else ""
        return ", ".join(untold[:_COLLISIONS_TOLD]) + more

    def _give(self, short: str, value: str) -> str:
        key = naming.attribute_key(short)
        for tag in _candidates(key, value):
            other = self._taken.get(tag)
            if other is None:
                break
        plain = naming.tag(key, value)
        if tag != plain:
            self._untold.append(f"`{short}` {value!r} leaves as `{tag}`, for {self._taken[plain]!r} is `{plain}`")
        self._number += 1
        self._tags[short, value] = tag
        self._taken[tag] = value
        row = (self._destination, self._number, short, value, tag)
        with self._store.transaction() as connection:
            connection.execute("INSERT INTO datadog_tag VALUES (?, ?, ?, ?, ?)", row)
        return tag


def _candidates(key: str, value: str) -> Iterable[str]:
    yield naming.tag(key, value)
    yield from (naming.distinct_tag(key, value, attempt) for attempt in count())
