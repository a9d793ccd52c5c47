"""The two-sample χ² as an effect, ω², which does not depend on how many rows there are."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mlvitals.signals.pair import Difference, Floats, Pair
from mlvitals.windows.summary import Counts

# The usual least expected count of a cell (Cochran, 1954, "Some methods for strengthening the common χ² tests").
_EXPECTED: Final = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """A pair whose cells with few rows are one cell, the last; a function of the pooled counts alone.

    few: which cells were merged, shape (columns, cells). current, reference: shape (columns, cells + 1). cells: how
    many of them hold rows, shape (columns,).
    """

    few: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    current: Counts
    reference: Counts
    cells: Floats

    @property
    def totals(self) -> Counts:
        """The pooled counts."""
        return self.current + self.reference

    def scores(self, scores: Floats, totals: Counts) -> Floats:
        """Return scores of the merged pair's cells: the merged ones' is their mean over the pooled rows, `totals`."""
        weights = np.where(self.few, totals, 0)
        rows = weights.sum(axis=1, keepdims=True)
        mean = (weights * scores).sum(axis=1, keepdims=True) / np.maximum(rows, 1)
        return np.concatenate([np.where(self.few, 0.0, scores), mean], axis=1)


def merge_few(pair: Pair) -> Merged:
    """Return the pair with all cells merged that expect fewer than 5 rows on the smaller side.

    Where even together they expect fewer, the smallest of the others joins them, of equals the first.
    """
    totals = pair.current + pair.reference
    share = np.minimum(pair.rows, pair.reference_rows) / (pair.rows + pair.reference_rows)
    few = totals * share < _EXPECTED
    together = np.where(few, totals, 0).sum(axis=1)
    lonely = np.flatnonzero((together > 0) & (together * share[:, 0] < _EXPECTED) & ~few.all(axis=1))
    if len(lonely):
        others = np.where(few[lonely], np.iinfo(np.int64).max, totals[lonely])
        few[lonely, others.argmin(axis=1)] = True
    current, reference = (_merge(side, few) for side in (pair.current, pair.reference))
    return Merged(few, current, reference, ((current + reference) > 0).sum(axis=1) + 0.0)


def _merge(counts: Counts, few: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Counts:
    kept = np.where(few, 0, counts)
    return np.concatenate([kept, (counts.sum(axis=1) - kept.sum(axis=1))[:, None]], axis=1)


def omega_square(pair: Pair) -> Difference:
    """Return ω² = Σ (q - p)² ÷ p̄ - E₀ with p̄ the pooled shares; NaN where fewer than two cells are left.

    Cells that expect fewer than 5 rows on the smaller side are merged. X² = (Σ (q - p)² ÷ p̄) ÷ s is the two-sample χ²
    statistic. Where nothing changed, given the pooled counts, its mean is (k-1)·M/(M-1) and its variance Dawson's,
    both exact, M being the rows of both sides: E₀ = (k-1)·s·M/(M-1) is subtracted, and the mean of ω² is 0. At most
    n·N·s² for sides that share no cell. Sources: Dawson (1954), "A simplified expression for the variance of the
    χ²-function on a contingency table", Biometrika 41; as an effect: Cohen (1988), "Statistical power analysis", 7.
    """
    merged = merge_few(pair)
    raw = squared_distance(pair, merged)
    rows = (pair.rows + pair.reference_rows)[:, 0]
    mean = (merged.cells - 1) * pair.scale * rows / (rows - 1)
    defined = (merged.cells >= 2) & (rows > 3)  # fewer rows have no variance
    return Difference(
        value=np.where(defined, raw - mean, np.nan),
        mean=np.zeros(len(raw)),
        noise=pair.scale * np.sqrt(_variance(pair, merged)),
        told={"raw": raw},
    )


def squared_distance(pair: Pair, merged: Merged) -> Floats:
    """Return Σ (q - p)² ÷ p̄ over the merged cells."""
    apart = merged.current / pair.rows - merged.reference / pair.reference_rows
    pooled = merged.totals / (pair.rows + pair.reference_rows)
    return np.asarray(np.divide(apart**2, pooled, out=np.zeros_like(pooled), where=pooled > 0).sum(axis=1))


def _variance(pair: Pair, merged: Merged) -> Floats:
    """Return Dawson's variance of X² for two sides and k cells, given all sums."""
    n, reference_n = pair.rows[:, 0], pair.reference_rows[:, 0]
    rows, cells = np.maximum(n + reference_n, 4.0), merged.cells
    totals = merged.totals
    inverse = np.divide(1.0, totals, out=np.zeros(totals.shape), where=totals > 0).sum(axis=1)
    between_cells = (cells - 1) * (rows - cells) / (rows - 1)
    between_sides = (rows - 2) / (rows - 1)
    uneven_cells = (rows * inverse - cells**2) / (rows - 2)
    uneven_sides = (rows / n + rows / reference_n - 4) / (rows - 2)
    variance = 2 * rows / (rows - 3) * (between_cells - uneven_cells) * (between_sides - uneven_sides) + (
        rows**2 / (rows - 1) * uneven_cells * uneven_sides
    )
    return np.asarray(np.maximum(variance, 0.0))
