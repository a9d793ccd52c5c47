"""Two sides of like columns, counted over the same cells: what every method of drift is a function of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mlvitals.windows.summary import Counts

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Counts of columns on two sides; every column has a row on both.

    current, reference: counts, shape (columns, cells); what lies past a column's own cells is empty on both sides.
    sizes: how many cells are a column's own, shape (columns,).
    rows, reference_rows: their sums n and N, shape (columns, 1).
    q, p, pooled: shares of the window, of the reference and of both together, shape (columns, cells).
    scale: s = 1/n + 1/N, shape (columns,).
    """

    current: Counts
    reference: Counts
    sizes: npt.NDArray[np.int64]
    rows: Floats
    reference_rows: Floats
    q: Floats
    p: Floats
    pooled: Floats
    scale: Floats

    @property
    def own(self) -> npt.NDArray[np.bool_]:
        """Which cells are a column's own, shape (columns, cells)."""
        return np.asarray(np.arange(self.current.shape[1]) < self.sizes[:, None])


def make_pair(current: Counts, reference: Counts, sizes: npt.NDArray[np.int64] | None = None) -> Pair:
    """Return the pair of these counts, shape (columns, cells) each; without `sizes` every cell is a column's own.

    Raises:
        ValueError: a column is empty on a side, where no share is defined.

    """
    rows, reference_rows = current.sum(axis=1, keepdims=True) + 0.0, reference.sum(axis=1, keepdims=True) + 0.0
    if not (rows.all() and reference_rows.all()):
        raise ValueError("a column without rows on a side cannot be compared")
    return Pair(
        current=current,
        reference=reference,
        sizes=np.full(len(current), current.shape[1]) if sizes is None else sizes,
        rows=rows,
        reference_rows=reference_rows,
        # Quotients of whole numbers are correctly rounded: equal distributions differ by exactly 0.
        q=current / rows,
        p=reference / reference_rows,
        pooled=(current + reference) / (rows + reference_rows),
        scale=(1 / rows + 1 / reference_rows)[:, 0],
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Difference:
    """How much the columns of a pair differ, by one method; every array has shape (columns,), NaN where undefined.

    mean, noise: the value's mean and standard deviation where nothing changed.
    lower, upper: an interval, or the bounds of what bins hide. cell: the cell that says most; None where none does.
    told: what else a person needs to understand the value, by short names.
    """

    value: Floats
    mean: Floats
    noise: Floats
    lower: Floats | None = None
    upper: Floats | None = None
    cell: npt.NDArray[np.intp] | None = None
    told: Mapping[str, Floats] = field(default_factory=dict)
