"""The population stability index, smoothed and freed of its bias."""

from math import sqrt
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mlvitals.windows.summary import Counts

# Jeffreys' prior for a multinomial: half a row in every cell.
_SMOOTHING: Final = 0.5


class Stability(NamedTuple):
    """A population stability index.

    value: debiased, negative at times where nothing changed. raw: as smoothing leaves it, never negative.
    noise: standard deviation of the value where nothing changed. error: its standard error as things are.
    terms: what each cell adds to `raw`, shape (cells,).
    """

    value: float
    raw: float
    noise: float
    error: float
    terms: npt.NDArray[np.float64]


def stability_index(current: Counts, reference: Counts) -> Stability | None:
    """Return PSI = Σ (q - p)·ln(q ÷ p) in nats, debiased, or None where either side is empty.

    current, reference: counts by cell (bins and specials), shape (cells,). The k cells that are empty on both sides are
    left out; p and q are smoothed by half a row a cell. With n and N rows and s = 1/n + 1/N:

    value = PSI - Σ(1-q)(1+p/q) ÷ 2n - Σ(1-p)(1+q/p) ÷ 2N (second order in the sampling error, also under drift).
    noise² = 2(k-1)s²: where nothing changed, PSI ÷ s tends to χ² with k-1 degrees of freedom. Sources: Yurdakul (2018),
    "Statistical properties of population stability index"; Yurdakul and Naranjo (2020), J. Risk Model Validation 14.
    error² = noise² + what the delta method's first-order variance exceeds 4(k-1)s² by, its own mean where nothing
    changed (it is a quadratic form in the same differences).
    """
    rows, reference_rows = int(current.sum()), int(reference.sum())
    if rows == 0 or reference_rows == 0:
        return None
    filled = (current > 0) | (reference > 0)
    cells = int(filled.sum())
    q = _smooth(current[filled])
    p = _smooth(reference[filled])
    log_ratio = np.log(q / p)
    contributions = (q - p) * log_ratio
    raw = float(contributions.sum())
    bias = _bias(q, p, rows) + _bias(p, q, reference_rows)
    first_order = _variance(q, log_ratio + 1 - p / q) / rows + _variance(p, -log_ratio + 1 - q / p) / reference_rows
    null = 2 * (cells - 1) * (1 / rows + 1 / reference_rows) ** 2
    terms = np.zeros(len(current))
    terms[filled] = contributions
    return Stability(raw - bias, raw, sqrt(null), sqrt(max(first_order - null, null)), terms)


def _smooth(counts: Counts) -> npt.NDArray[np.float64]:
    return np.asarray((counts + _SMOOTHING) / (int(counts.sum()) + _SMOOTHING * len(counts)))


def _bias(own: npt.NDArray[np.float64], other: npt.NDArray[np.float64], rows: int) -> float:
    return float(((1 - own) * (1 + other / own)).sum()) / (2 * rows)


def _variance(shares: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> float:
    mean = float((shares * values).sum())
    return float((shares * (values - mean) ** 2).sum())
