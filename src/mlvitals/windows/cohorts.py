"""The cohorts of a model, in memory while they change and in the state database otherwise."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mlvitals.clock import DAY
from mlvitals.windows.kept_layouts import keep_layout, kept_layout
from mlvitals.windows.layout import Layout
from mlvitals.windows.past import keep_past
from mlvitals.windows.summary import Summary, pack, unpack

Counts = npt.NDArray[np.int64]

_CELLS_IN_MEMORY: Final = 2**23  # of all cohorts of a model

# An earlier window is no neighbour any more: two months may lie between months, and a version of long ago is forgotten.
PREVIOUS_AT_MOST: Final = 92 * DAY


class CohortKey(NamedTuple):
    """One model version's predictions of one window, all of them (segment "") or of one segment."""

    start: int
    version: str
    segment: str


@dataclass(slots=True)
class Cohort:
    """A cohort's counts, and what has happened to it.

    closed: its window is closed. changed: labels have come since it was last measured. settled: at how many checkpoints
    and maturities it has been looked at. repeats: rows that were not counted, because their id had been served before;
    they stand outside the summary, which an exact duplicate must not change. conflicts: by age bucket, labelled
    predictions whose labels have said different things; outside of the summary too, which a corrected label must not
    change.
    """

    key: CohortKey
    end: int
    summary: Summary
    closed: bool = False
    changed: bool = False
    settled: int = 0
    repeats: int = 0
    conflicts: Counts = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def conflicts_at(self, bucket: int) -> int:
        """Return how many labels of the buckets up to this one stand after another one that said something else."""
        return int(self.conflicts[: bucket + 1].sum())


class Cohorts:
    """One model's cohorts. Changes stay in memory until `flush`; every call belongs into the caller's transaction.

    maturities: ascending ages, in microseconds; each closes an age bucket. checkpoints: lesser ones, at which a cohort
        is looked at before that; `settled` counts these too.
    """

    def __init__(
        self, connection: sqlite3.Connection, model: str, maturities: Sequence[int], checkpoints: Sequence[int] = ()
    ) -> None:
        self._connection = connection
        self._model = model
        self._maturities = maturities
        self._checkpoints = len(checkpoints)
        self._stops = (*checkpoints, *maturities)
        self._layouts: dict[str, Layout] = {}
        self._loaded: dict[CohortKey, Cohort] = {}
        self._cells = 0
        self._dirty: set[CohortKey] = set()
        self._served: set[CohortKey] = set()  # what was served in these has changed, too

    def add_served(self, key: CohortKey, end: int, layout: Layout, served: Counts) -> None:
        """Add counts of predictions to an open cohort, which begins under this layout if it is new."""
        self._open(key, end, layout).summary.served[:] += served

    def add_repeats(self, key: CohortKey, end: int, layout: Layout, rows: int) -> None:
        """Add rows that repeat an id to an open cohort, which begins under this layout if it is new."""
        self._open(key, end, layout).repeats += rows

    def _open(self, key: CohortKey, end: int, layout: Layout) -> Cohort:
        cohort = self.get(key)
        if cohort is None:
            cohort = self._load(
                Cohort(key, end, Summary.empty(layout, len(self._maturities)), conflicts=self._no_conflicts())
            )
        self._dirty.add(key)
        self._served.add(key)
        return cohort

    def get(self, key: CohortKey) -> Cohort | None:
        """Return a cohort, open or closed; None where there is none."""
        if key not in self._loaded:
            for cohort in self._select("start = ? AND version = ? AND segment = ?", key):
                self._load(cohort)
        return self._loaded.get(key)

    def add_outcomes(self, key: CohortKey, outcomes: Counts) -> None:
        """Add counts of labels to a cohort."""
        cohort = self.get(key)
        if cohort is None:
            raise KeyError(key)
        cohort.summary.outcomes[:] += outcomes
        self.note_change(cohort)

    def add_conflicts(self, key: CohortKey, conflicts: Counts) -> None:
        """Add counts of predictions whose labels have said different things, shape (maturities,), to a cohort."""
        cohort = self.get(key)
        if cohort is None:
            raise KeyError(key)
        cohort.conflicts[:] += conflicts
        self.note_change(cohort)

    def note_change(self, cohort: Cohort) -> None:
        """Note that what labels say of a cohort has changed, so that it is measured again."""
        cohort.changed = True
        self.mark(cohort)

    def note_change_after(self, key: CohortKey) -> None:
        """Note that whole cohorts of later windows, if they have been measured, are to be measured again."""
        self.flush()
        rows = self._connection.execute(
            "SELECT start, version, segment FROM cohort WHERE model = ? AND start > ? AND segment = '' "
            "AND closed AND settled > ? AND NOT changed",
            (self._model, key.start, self._checkpoints),
        )
        for row in rows.fetchall():
            cohort = self.get(CohortKey(*row))
            if cohort is not None:
                self.note_change(cohort)

    def segments_of(self, key: CohortKey) -> list[Cohort]:
        """Return the cohorts of the segments of a version's window, in order."""
        self.flush()
        rows = self._connection.execute(
            "SELECT segment FROM cohort WHERE model = ? AND start = ? AND version = ? AND segment <> '' "
            "ORDER BY segment",
            (self._model, key.start, key.version),
        )
        found = [self.get(CohortKey(key.start, key.version, segment)) for (segment,) in rows.fetchall()]
        return [cohort for cohort in found if cohort is not None]

    def of_window(self, start: int, segment: str) -> list[Cohort]:
        """Return the cohorts of a window and segment, one for each version, in order."""
        self.flush()
        rows = self._connection.execute(
            "SELECT version FROM cohort WHERE model = ? AND start = ? AND segment = ? ORDER BY version",
            (self._model, start, segment),
        )
        found = [self.get(CohortKey(start, version, segment)) for (version,) in rows.fetchall()]
        return [cohort for cohort in found if cohort is not None]

    def keep_as_previous(self, key: CohortKey) -> None:
        """Keep a cohort's counts for the next window of its version and segment, be it forgotten meanwhile or not."""
        self._connection.execute(
            "INSERT OR REPLACE INTO previous SELECT model, version, segment, start, layout, served FROM cohort "
            "WHERE model = ? AND start = ? AND version = ? AND segment = ?",
            (self._model, *key),
        )

    def last_served(self, version: str, segment: str) -> int | None:
        """Return the start of the last closed window with a version's predictions in a segment; None if forgotten."""
        query = "SELECT start FROM previous WHERE model = ? AND version = ? AND segment = ?"
        row = self._connection.execute(query, (self._model, version, segment)).fetchone()
        return None if row is None else int(row[0])

    def previous(self, key: CohortKey) -> Summary | None:
        """Return the counts kept of an earlier window of this version and segment; None where there is no near one."""
        row = self._connection.execute(
            "SELECT layout, served FROM previous "
            "WHERE model = ? AND version = ? AND segment = ? AND start >= ? AND start < ?",
            (self._model, key.version, key.segment, key.start - PREVIOUS_AT_MOST, key.start),
        ).fetchone()
        if row is None:
            return None
        empty = Summary.empty(self._layout(row[0]))
        return Summary(empty.layout, unpack(row[1], empty.served.shape), empty.outcomes)

    def due_to_close(self, close: int) -> list[CohortKey]:
        """Return the keys of open cohorts whose window ends at or before a time, in order."""
        return self._due(close, closed=False)

    def due_to_settle(self, settle: int) -> list[CohortKey]:
        """Return the keys of closed cohorts that are to be measured by a time, in order.

        They reach a maturity at or before it, or labels have come since they were measured.
        """
        return self._due(settle, closed=True)

    def next_due(self) -> tuple[int | None, int | None]:
        """Return the times at which the next cohort is due to close and the next to settle."""
        self.flush()
        query = "SELECT min(due) FROM cohort WHERE model = ? AND closed = ?"
        close, settle = (self._connection.execute(query, (self._model, closed)).fetchone()[0] for closed in (0, 1))
        return close, settle

    def _due(self, time: int, *, closed: bool) -> list[CohortKey]:
        self.flush()
        rows = self._connection.execute(
            "SELECT start, version, segment FROM cohort INDEXED BY cohort_by_due "
            "WHERE model = ? AND closed = ? AND due <= ? ORDER BY start, version, segment",
            (self._model, closed, time),
        )
        return [CohortKey(*row) for row in rows]

    def mark(self, cohort: Cohort) -> None:
        """Note that a cohort's flags have changed, be it in memory still or not."""
        if cohort.key not in self._loaded:
            self._load(cohort)
        self._loaded[cohort.key] = cohort
        self._dirty.add(cohort.key)

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

    def forget(self, before: int) -> None:
        """Remove the cohorts of windows that start before a time; all of them are closed.

        What was served in them stays for reports, as `past` says.
        """
        self.flush()
        for key in [key for key in self._loaded if key.start < before]:
            self._unload(key)
        keep_past(self._connection, self._model, before)
        for table in ("settlement", "cohort"):
            self._connection.execute(f"DELETE FROM {table} WHERE model = ? AND start < ?", (self._model, before))

    def forget_previous(self, before: int) -> None:
        """Remove what is kept for windows that start at or after a time, but too early to be their neighbour."""
        self._connection.execute(
            "DELETE FROM previous WHERE model = ? AND start < ?", (self._model, before - PREVIOUS_AT_MOST)
        )

    def flush(self) -> None:
        """Write what has changed, and let cohorts leave memory past its bound."""
        for key in sorted(self._dirty):
            if key in self._served:
                self._write(self._loaded[key])
            else:
                self._update(self._loaded[key])
        self._dirty.clear()
        self._served.clear()
        while self._cells > _CELLS_IN_MEMORY:
            self._unload(next(iter(self._loaded)))

    def _load(self, cohort: Cohort) -> Cohort:
        self._loaded[cohort.key] = cohort
        self._cells += cohort.summary.served.size + cohort.summary.outcomes.size
        return cohort

    def _unload(self, key: CohortKey) -> None:
        summary = self._loaded.pop(key).summary
        self._cells -= summary.served.size + summary.outcomes.size

    def _update(self, cohort: Cohort) -> None:
        """Write what can change of a cohort that is known, but what was served in it."""
        self._connection.execute(
            "UPDATE cohort SET outcomes = ?, closed = ?, changed = ?, settled = ?, due = ?, conflicts = ? "
            "WHERE model = ? AND start = ? AND version = ? AND segment = ?",
            (
                pack(cohort.summary.outcomes),
                cohort.closed,
                cohort.changed,
                cohort.settled,
                self._due_at(cohort),
                _packed(cohort.conflicts),
                self._model,
                *cohort.key,
            ),
        )

    def _write(self, cohort: Cohort) -> None:
        layout = cohort.summary.layout
        if layout.hash not in self._layouts:
            keep_layout(self._connection, layout)
            self._layouts[layout.hash] = layout
        self._connection.execute(
            "INSERT INTO cohort VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "served = excluded.served, outcomes = excluded.outcomes, closed = excluded.closed, "
            "changed = excluded.changed, settled = excluded.settled, due = excluded.due, repeats = excluded.repeats, "
            "conflicts = excluded.conflicts",
            (
                self._model,
                *cohort.key,
                cohort.end,
                layout.hash,
                pack(cohort.summary.served),
                pack(cohort.summary.outcomes),
                cohort.closed,
                cohort.changed,
                cohort.settled,
                self._due_at(cohort),
                cohort.repeats,
                _packed(cohort.conflicts),
            ),
        )

    def _due_at(self, cohort: Cohort) -> int | None:
        """Return when the cohort is to be looked at next, None where only new labels can make it change."""
        if not cohort.closed:
            return cohort.end
        # What was looked at before the first maturity is not looked at again, whatever labels come.
        reached = min(cohort.settled, self._checkpoints) if cohort.changed else cohort.settled
        return cohort.end + self._stops[reached] if reached < len(self._stops) else None

    def _select(self, where: str, values: tuple[object, ...]) -> Iterator[Cohort]:
        rows = self._connection.execute(
            "SELECT start, version, segment, end, layout, served, outcomes, closed, changed, settled, repeats, "
            f"conflicts FROM cohort WHERE model = ? AND {where}",
            (self._model, *values),
        ).fetchall()
        for start, version, segment, end, name, served, outcomes, closed, changed, settled, repeats, packed in rows:
            layout = self._layout(name)
            shape = (len(self._maturities), layout.outcome_size)
            summary = Summary(layout, unpack(served, (layout.served_size,)), unpack(outcomes, shape))
            key = CohortKey(start, version, segment)
            conflicts = self._no_conflicts() if packed is None else unpack(packed, (len(self._maturities),))
            yield Cohort(key, end, summary, bool(closed), bool(changed), settled, repeats, conflicts)

    def _no_conflicts(self) -> Counts:
        return np.zeros(len(self._maturities), dtype=np.int64)

    def _layout(self, name: str) -> Layout:
        if name not in self._layouts:
            self._layouts[name] = kept_layout(self._connection, name)
        return self._layouts[name]


def _packed(conflicts: Counts) -> bytes | None:
    """Return counts as they are kept: none where all labels are as they first were, which most cohorts' are."""
    return pack(conflicts) if conflicts.any() else None
