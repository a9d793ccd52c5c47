"""What a model usually serves: by its reference where that is complete, else by the first weeks that were served."""

import sqlite3
from typing import Final

from mlvitals.clock import DAY, WEEK
from mlvitals.engines.layouts import References
from mlvitals.signals.season import Season, season_of_series
from mlvitals.signals.spec import Volume
from mlvitals.windows.reference import Reference
from mlvitals.windows.window import WindowSize

_LONGEST_MONTH: Final = 31 * DAY


class UsualVolume:
    """One model's usual volume, all versions together. Every call belongs into the caller's transaction.

    Without a complete reference it is learnt from the totals of the first windows that were served: two weeks, or eight
    windows where these are longer than a day, anew with each day until they are full, and frozen then. The very first
    window is left out, for it may have begun in its midst.
    """

    def __init__(self, connection: sqlite3.Connection, model: str, size: WindowSize, references: References) -> None:
        self._connection = connection
        self._model = model
        self._size = size
        self._references = references
        self._of_reference: tuple[Reference, Season | None] | None = None
        self._learnt: tuple[int, Season | None] | None = None
        self._first = self._read_first()

    def note(self, start: int, predictions: int) -> None:
        """Take the total of a window that closes; windows come in order. A second note of it changes nothing."""
        if not predictions or self._by_reference() is not None:
            return
        if self._first is None or start < self._first + self._span:
            self._connection.execute("INSERT OR IGNORE INTO volume VALUES (?, ?, ?)", (self._model, start, predictions))
            self._first = start if self._first is None else self._first

    def at(self, start: int) -> Volume | None:
        """Return what is usual in a window, by windows before it; None where that is not known yet."""
        season = self._by_reference() or self._by_first_windows(start)
        return None if season is None else season.at(start)

    @property
    def _span(self) -> int:
        """How long totals are taken, the first window included."""
        if 0 < self._size.length <= DAY:
            return 2 * WEEK + DAY
        return 9 * (self._size.length or _LONGEST_MONTH)

    def _by_reference(self) -> Season | None:
        operating = self._references.operating
        if operating is None or not operating.complete:
            return None
        if self._of_reference is None or self._of_reference[0] is not operating:
            place = operating.layout.served_sections["predictions"]
            counts = {start: int(served[place][0]) for start, served in operating.series.items()}
            self._of_reference = operating, season_of_series(counts, self._size)
        return self._of_reference[1]

    def _by_first_windows(self, start: int) -> Season | None:
        if self._first is None or start <= self._first:
            return None
        until = min(start // DAY * DAY, self._size.start(self._first + self._span))
        if self._learnt is None or self._learnt[0] != until:
            first = self._size.end(self._first)
            rows = self._connection.execute(
                "SELECT start, predictions FROM volume WHERE model = ? AND start >= ? AND start < ?",
                (self._model, first, until),
            )
            self._learnt = until, Season.fit(dict(rows.fetchall()), self._size, first, until)
        return self._learnt[1]

    def _read_first(self) -> int | None:
        row = self._connection.execute("SELECT min(start) FROM volume WHERE model = ?", (self._model,)).fetchone()
        first: int | None = row[0]
        return first
