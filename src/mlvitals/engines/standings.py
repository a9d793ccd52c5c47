"""How each series stood against its plain threshold in the window before: what lets a warning last."""

import sqlite3
from collections.abc import Mapping

import msgspec

from mlvitals.windows.cohorts import PREVIOUS_AT_MOST, CohortKey

Series = tuple[str, frozenset[tuple[str, str]]]
"""A signal and its attributes, within the cohorts of one version and segment."""

Standing = dict[Series, int]
"""In how many windows in a row a series was at its level; one that is not there was not."""


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    signal: str
    attributes: dict[str, str]
    standing: int


_DECODER = msgspec.json.Decoder(tuple[_Kept, ...])


def series_of(signal: str, attributes: Mapping[str, str]) -> Series:
    """Return what a signal and its attributes are known by."""
    return signal, frozenset(attributes.items())


class Standings:
    """Those of one model: a small document for each version and segment of which anything warns, and none for others.

    Every call belongs into the caller's transaction. What is read was written with an earlier window, so that neither
    a restart nor how the events were cut into batches can tell.
    """

    def __init__(self, connection: sqlite3.Connection, model: str) -> None:
        self._connection = connection
        self._model = model

    def before(self, key: CohortKey) -> Standing:
        """Return how the series of a cohort's version and segment stood in the last near window before it."""
        row = self._connection.execute(
            "SELECT series FROM standing WHERE model = ? AND version = ? AND segment = ? AND start >= ? AND start < ?",
            (self._model, key.version, key.segment, key.start - PREVIOUS_AT_MOST, key.start),
        ).fetchone()
        if row is None:
            return {}
        return {series_of(one.signal, one.attributes): one.standing for one in _DECODER.decode(row[0])}

    def keep(self, key: CohortKey, standing: Standing) -> None:
        """Keep how they stand in a cohort's window."""
        place = self._model, key.version, key.segment
        if not standing:
            self._connection.execute("DELETE FROM standing WHERE model = ? AND version = ? AND segment = ?", place)
            return
        rows = sorted((signal, sorted(attributes), windows) for (signal, attributes), windows in standing.items())
        kept = [_Kept(signal, dict(attributes), windows) for signal, attributes, windows in rows]
        self._connection.execute(
            "INSERT OR REPLACE INTO standing VALUES (?, ?, ?, ?, ?)", (*place, key.start, msgspec.json.encode(kept))
        )

    def forget(self, before: int) -> None:
        """Remove what is kept for windows that start at or after a time, but too early to be their neighbour."""
        self._connection.execute(
            "DELETE FROM standing WHERE model = ? AND start < ?", (self._model, before - PREVIOUS_AT_MOST)
        )
