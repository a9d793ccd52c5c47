"""The cohorts of a model, in memory while they change and in the state database otherwise."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mlvitals.windows.layout import Layout
from mlvitals.windows.layout_codec import decode_layout, encode_layout
from mlvitals.windows.summary import Summary, pack, unpack

Counts = npt.NDArray[np.int64]

_COHORTS_IN_MEMORY: Final = 256


class CohortKey(NamedTuple):
    """One model version's predictions of one window, all of them (segment "") or of one segment."""

    start: int
    version: str
    segment: str


@dataclass(slots=True)
class Cohort:
    """A cohort's counts, and what has happened to it.

    closed: its window is closed. changed: labels have come since it was last measured.
    """

    key: CohortKey
    end: int
    summary: Summary
    closed: bool = False
    changed: bool = False


class Cohorts:
    """One model's cohorts. Changes stay in memory until `flush`; every call belongs into the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, model: str, buckets: int) -> None:
        self._connection = connection
        self._model = model
        self._buckets = buckets
        self._layouts: dict[str, Layout] = {}
        self._loaded: dict[CohortKey, Cohort] = {}
        self._dirty: set[CohortKey] = set()

    def add_served(self, key: CohortKey, end: int, layout: Layout, served: Counts) -> None:
        """Add counts of predictions to an open cohort, which begins under this layout if it is new."""
        cohort = self.get(key)
        if cohort is None:
            cohort = self._loaded[key] = Cohort(key, end, Summary.empty(layout, self._buckets))
        cohort.summary.served[:] += served
        self._dirty.add(key)

    def get(self, key: CohortKey) -> Cohort | None:
        """Return a cohort, open or closed; None where there is none."""
        if key not in self._loaded:
            for cohort in self._select("start = ? AND version = ? AND segment = ?", key):
                self._loaded[key] = cohort
        return self._loaded.get(key)

    def add_outcomes(self, key: CohortKey, outcomes: Counts) -> None:
        """Add counts of labels to a cohort."""
        cohort = self.get(key)
        if cohort is None:
            raise KeyError(key)
        cohort.summary.outcomes[:] += outcomes
        cohort.changed = True
        self._dirty.add(key)

    def due(self, close: int) -> list[CohortKey]:
        """Return the keys of open cohorts whose window ends at or before a time, in order."""
        self.flush()
        rows = self._connection.execute(
            "SELECT start, version, segment FROM cohort WHERE model = ? AND closed = 0 AND end <= ? "
            "ORDER BY start, version, segment",
            (self._model, close),
        )
        return [CohortKey(*row) for row in rows]

    def closed_keys(self) -> list[tuple[CohortKey, int, bool]]:
        """Return, in order, every closed cohort's key, its end, and whether labels have come since it was measured."""
        self.flush()
        rows = self._connection.execute(
            "SELECT start, version, segment, end, changed FROM cohort WHERE model = ? AND closed = 1 "
            "ORDER BY start, version, segment",
            (self._model,),
        )
        return [
            (CohortKey(start, version, segment), end, bool(changed)) for start, version, segment, end, changed in rows
        ]

    def mark(self, cohort: Cohort) -> None:
        """Note that a cohort's flags have changed, be it in memory still or not."""
        self._loaded[cohort.key] = cohort
        self._dirty.add(cohort.key)

    def settled_maturities(self) -> dict[CohortKey, set[str]]:
        """Return which maturities of each cohort have been measured."""
        rows = self._connection.execute(
            "SELECT start, version, segment, maturity FROM settlement WHERE model = ?", (self._model,)
        )
        settled: dict[CohortKey, set[str]] = {}
        for start, version, segment, maturity in rows:
            settled.setdefault(CohortKey(start, version, segment), set()).add(maturity)
        return settled

    def settlements(self, key: CohortKey) -> dict[str, tuple[str, int]]:
        """Return a cohort's measured maturities: a digest of what was said, and its revision."""
        rows = self._connection.execute(
            "SELECT maturity, digest, revision FROM settlement "
            "WHERE model = ? AND start = ? AND version = ? AND segment = ?",
            (self._model, *key),
        )
        return {maturity: (digest, revision) for maturity, digest, revision in rows}

    def record_settlement(self, key: CohortKey, maturity: str, digest: str, revision: int) -> None:
        """Note what was said of a cohort at a maturity."""
        self._connection.execute(
            "INSERT OR REPLACE INTO settlement VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self._model, *key, maturity, digest, revision),
        )

    def remove(self, cohort: Cohort) -> None:
        """Remove a cohort that nothing will be added to any more."""
        self._dirty.discard(cohort.key)
        self._loaded.pop(cohort.key, None)
        self._connection.execute(
            "DELETE FROM cohort WHERE model = ? AND start = ? AND version = ? AND segment = ?",
            (self._model, *cohort.key),
        )

    def remove_window(self, start: int) -> None:
        """Remove all cohorts of a window."""
        self.flush()
        for key in [key for key in self._loaded if key.start == start]:
            del self._loaded[key]
        self._connection.execute("DELETE FROM cohort WHERE model = ? AND start = ?", (self._model, start))
        self._connection.execute("DELETE FROM settlement WHERE model = ? AND start = ?", (self._model, start))

    def flush(self) -> None:
        """Write what has changed, and let cohorts leave memory past its bound."""
        for key in sorted(self._dirty):
            self._write(self._loaded[key])
        self._dirty.clear()
        while len(self._loaded) > _COHORTS_IN_MEMORY:
            del self._loaded[next(iter(self._loaded))]

    def _write(self, cohort: Cohort) -> None:
        layout = cohort.summary.layout
        if layout.hash not in self._layouts:
            self._connection.execute("INSERT OR IGNORE INTO layout VALUES (?, ?)", (layout.hash, encode_layout(layout)))
            self._layouts[layout.hash] = layout
        self._connection.execute(
            "INSERT INTO cohort VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "served = excluded.served, outcomes = excluded.outcomes, "
            "closed = excluded.closed, changed = excluded.changed",
            (
                self._model,
                *cohort.key,
                cohort.end,
                layout.hash,
                pack(cohort.summary.served),
                pack(cohort.summary.outcomes),
                cohort.closed,
                cohort.changed,
            ),
        )

    def _select(self, where: str, values: tuple[object, ...]) -> Iterator[Cohort]:
        rows = self._connection.execute(
            "SELECT start, version, segment, end, layout, served, outcomes, closed, changed FROM cohort "
            f"WHERE model = ? AND {where}",
            (self._model, *values),
        ).fetchall()
        for start, version, segment, end, name, served, outcomes, closed, changed in rows:
            layout = self._layout(name)
            shape = (self._buckets, layout.outcome_size)
            summary = Summary(layout, unpack(served, (layout.served_size,)), unpack(outcomes, shape))
            yield Cohort(CohortKey(start, version, segment), end, summary, bool(closed), bool(changed))

    def _layout(self, name: str) -> Layout:
        if name not in self._layouts:
            row = self._connection.execute("SELECT document FROM layout WHERE hash = ?", (name,)).fetchone()
            self._layouts[name] = decode_layout(row[0])
        return self._layouts[name]
