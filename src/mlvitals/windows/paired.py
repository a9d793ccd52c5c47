"""What two versions that served the same ids were worth on these, once labels have come: counts that add."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.windows.exact_sum import CELLS, add_exact, read_fraction
from mlvitals.windows.layout import Layout, Task
from mlvitals.windows.outcomes import Contributions, as_number
from mlvitals.windows.pairs import Pairs
from mlvitals.windows.summary import Counts, pack, unpack

Codes = npt.NDArray[np.intp]

CLASS_CELLS: Final = 8  # true class (negative, positive) × this version (wrong, right) × the other (wrong, right)
NUMBER_CELLS: Final = 1 + 2 * CELLS  # rows, Σ d and Σ d², d = |error of the other| - |error of this one|


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """Labels of ids that a version and another one served, counted by what each of the two made of them.

    cells: shape (CLASS_CELLS,), or (NUMBER_CELLS,) in a regression. In many classes no true class is positive.
    """

    task: Task
    cells: Counts

    @property
    def rows(self) -> int:
        """The labels that both versions are judged by."""
        return int(self.cells[0] if self.task is Task.REGRESSION else self.cells.sum())

    @property
    def classes(self) -> Counts:
        """Labels by true class, this version and the other one: wrong before right, shape (2, 2, 2)."""
        return self.cells.reshape(2, 2, 2)

    def moments(self) -> tuple[float, float]:
        """Return Σ d and Σ (d - mean d)² of two or more numbers; `OverflowError` where they fit into no double."""
        rows = self.rows
        total, squares = (read_fraction(part) for part in self.cells[1:].reshape(2, CELLS))
        return float(total), float(squares - total**2 / rows)


@dataclass(frozen=True, slots=True)
class SharedIds:
    """Which predictions of some pairs stand beside others of the same id, by the index of the prediction.

    rows: the first pair of each. begins, sizes: the first prediction of its id, and how many there are of it.
    """

    rows: Codes
    begins: Codes
    sizes: Codes


def shared_ids(pairs: Pairs) -> SharedIds | None:
    """Return which predictions share their id; None where none do, as of models that serve an id once."""
    rows = np.flatnonzero(np.diff(pairs.prediction, prepend=-1))
    ids = pairs.ids[rows]
    new = np.diff(ids, prepend=-1) != 0
    if new.all():
        return None
    begins = np.flatnonzero(new)
    sizes, group = np.diff(np.append(begins, len(ids))), np.cumsum(new) - 1
    return SharedIds(rows, begins[group], sizes[group])


def count_paired(
    layout: Layout, pairs: Pairs, shared: SharedIds, what: Contributions, buckets: int
) -> Iterator[tuple[str, Counts]]:
    """Yield what contributions of one version's cohort say beside each other version, shape (buckets, cells).

    A label that names its version is about no other one, a prediction that belongs to no cohort is compared with none.
    The age of a label is that of this version's prediction.
    """
    mine = pairs.prediction[what.rows]
    sizes = np.where(pairs.limited[what.rows], 0, shared.sizes[mine])
    place = np.repeat(np.arange(len(mine)), sizes)
    step = np.arange(len(place)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    theirs = shared.begins[mine][place] + step
    kept = (theirs != mine[place]) & ~pairs.uncounted[shared.rows[theirs]]
    place, others = place[kept], shared.rows[theirs[kept]]
    versions = np.array(pairs.versions.take(others).to_list(), dtype=object)
    count = _count_numbers if layout.output.task is Task.REGRESSION else _count_classes
    for version in sorted(set(versions.tolist())):
        beside = versions == version
        part = Contributions(*(column[place[beside]] for column in (what.rows, what.buckets, what.signs)))
        yield version, count(layout, pairs, part, others[beside], buckets)


def _count_classes(layout: Layout, pairs: Pairs, what: Contributions, others: Codes, buckets: int) -> Counts:
    counts = np.zeros((buckets, CLASS_CELLS), dtype=np.int64)
    positive = layout.output.positive if layout.output.task is Task.BINARY else None
    columns = (
        pairs.decisions.take(what.rows).to_list(),
        pairs.decisions.take(others).to_list(),
        pairs.contents.take(what.rows).to_list(),
        what.buckets.tolist(),
        what.signs.tolist(),
    )
    for *decisions, truth, bucket, sign in zip(*columns, strict=True):
        if None in decisions:  # neither right nor wrong
            continue
        if positive is None:
            mine, theirs = (decision == truth for decision in decisions)
            counts[bucket, 2 * mine + theirs] += sign
        else:
            mine, theirs = ((decision == positive) is (truth == positive) for decision in decisions)
            counts[bucket, 4 * (truth == positive) + 2 * mine + theirs] += sign
    return counts


def _count_numbers(layout: Layout, pairs: Pairs, what: Contributions, others: Codes, buckets: int) -> Counts:
    del layout
    counts = np.zeros((buckets, NUMBER_CELLS), dtype=np.int64)
    truth = pairs.contents.take(what.rows).map(as_number, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        better = np.abs(pairs.scores[others] - truth) - np.abs(pairs.scores[what.rows] - truth)
        squares = better * better
    usable = np.isfinite(squares)
    rows, signs = what.buckets[usable], what.signs[usable]
    np.add.at(counts[:, 0], rows, signs)
    for place, values in enumerate((better, squares)):
        add_exact(counts.reshape(-1, copy=False), rows * NUMBER_CELLS + 1 + place * CELLS, values[usable], signs)
    return counts


class PairedCounts:
    """Those of one model, by window, version and other version. Every call belongs into the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, model: str, buckets: int) -> None:
        self._connection = connection
        self._model = model
        self._buckets = buckets

    def add(self, start: int, version: str, other: str, counts: Counts) -> None:
        """Add what labels said of the ids of a version's window that another version served, shape (buckets, cells)."""
        place = (self._model, start, version, other)
        row = self._connection.execute(
            "SELECT counts FROM paired WHERE model = ? AND start = ? AND version = ? AND other = ?", place
        ).fetchone()
        total = counts if row is None else counts + unpack(row[0], counts.shape)
        self._connection.execute("INSERT OR REPLACE INTO paired VALUES (?, ?, ?, ?, ?)", (*place, pack(total)))

    def at(self, start: int, version: str, other: str, task: Task, bucket: int) -> Paired | None:
        """Return what is known at the maturity that closes an age bucket; None where no label speaks of both."""
        row = self._connection.execute(
            "SELECT counts FROM paired WHERE model = ? AND start = ? AND version = ? AND other = ?",
            (self._model, start, version, other),
        ).fetchone()
        if row is None:
            return None
        cells = NUMBER_CELLS if task is Task.REGRESSION else CLASS_CELLS
        found = Paired(task, unpack(row[0], (self._buckets, cells))[: bucket + 1].sum(axis=0))
        return found if found.rows else None

    def forget(self, before: int) -> None:
        """Remove what belongs to windows that start before a time."""
        self._connection.execute("DELETE FROM paired WHERE model = ? AND start < ?", (self._model, before))
