"""What matured cohorts tell of how labels arrive: by decision and true class, how many had come by each age."""

import sqlite3
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.clock import DAY
from mlvitals.windows.cohorts import Cohort
from mlvitals.windows.groups import ALL
from mlvitals.windows.summary import Counts

# How labels arrive is learnt from a quarter: long enough for a few cohorts of a month, short enough to have changed.
LEARNT_FROM: Final = 92 * DAY

_HEAD: Final = 3  # the window's start, then how many predictions are of the negative and of the positive class


@dataclass(frozen=True, slots=True, eq=False)
class Matured:
    """Cohorts that reached the last maturity, all versions of a window as one; decisions and classes negative first.

    served: predictions by decision, shape (cohorts, 2). known: by decision and true class those that had their label by
    an age, shape (cohorts, 2, 2). final: those that have it by the last maturity.
    """

    served: Counts
    known: Counts
    final: Counts


class MaturedCohorts:
    """Those of one model, for longer than cohorts live. Every call belongs into the caller's transaction.

    ages: the maturities, ascending, in microseconds.
    """

    def __init__(self, connection: sqlite3.Connection, model: str, ages: tuple[int, ...]) -> None:
        self._connection = connection
        self._model = model
        self._ages = ages

    def keep(self, cohort: Cohort) -> bool:
        """Keep a cohort that reached the last maturity; tell whether it was kept before and has changed since."""
        served = cohort.summary.decisions
        if served is None or cohort.key.segment != ALL:
            return False
        key = (self._model, cohort.key.start, cohort.key.version)
        known = [cohort.summary.outcome(bucket).confusion[:2, :2] for bucket in range(len(self._ages))]
        counts = np.array([cohort.key.start, *served, *np.ravel(known)], dtype="<i8").tobytes()
        row = self._connection.execute(
            "SELECT counts FROM matured WHERE model = ? AND start = ? AND version = ?", key
        ).fetchone()
        if row is not None and row[0] == counts:
            return False
        self._connection.execute("INSERT OR REPLACE INTO matured VALUES (?, ?, ?, ?, ?)", (*key, cohort.end, counts))
        return row is not None

    def at(self, end: int, bucket: int) -> Matured | None:
        """Return what had matured when a cohort whose window ends at a time reached an age; None at the last one.

        By the events' time alone: neither the order of arrival nor when it is asked can tell.
        """
        if bucket == len(self._ages) - 1:
            return None
        until = end + self._ages[bucket] - self._ages[-1]
        rows = self._connection.execute(
            "SELECT counts FROM matured WHERE model = ? AND end > ? AND end <= ? ORDER BY end, start, version",
            (self._model, until - LEARNT_FROM, until),
        ).fetchall()
        width = _HEAD + 4 * len(self._ages)
        cells = np.frombuffer(b"".join(counts for (counts,) in rows), dtype="<i8").reshape(-1, width)
        windows = _added_up(cells)
        outcomes = windows[:, 2:].reshape(-1, len(self._ages), 2, 2)
        return Matured(windows[:, :2], outcomes[:, bucket], outcomes[:, -1])

    def forget(self, before: int) -> None:
        """Remove what no cohort of a window that starts at or after a time can ask for."""
        self._connection.execute(
            "DELETE FROM matured WHERE model = ? AND end <= ?",
            (self._model, before - max(self._ages, default=0) - LEARNT_FROM),
        )


def _added_up(cells: npt.NDArray[np.int64]) -> Counts:
    """Return the rows of each window added up, without its start."""
    starts, window = np.unique(cells[:, 0], return_inverse=True)
    totals = np.zeros((len(starts), cells.shape[1] - 1), dtype=np.int64)
    np.add.at(totals, window, cells[:, 1:])
    return totals
