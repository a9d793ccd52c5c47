"""The Kolmogorov-Smirnov distance, bracketed by what bins can know of it."""

from math import log, pi, sqrt
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mlvitals.windows.summary import Counts

# Mean and standard deviation of Kolmogorov's distribution, the limit of D ÷ √s where nothing changed: √(π/2)·ln 2 and
# √(π²/12 - (π/2)·ln² 2). Marsaglia, Tsang and Wang (2003), "Evaluating Kolmogorov's distribution", J. Stat. Software 8.
KOLMOGOROV_MEAN: Final = sqrt(pi / 2) * log(2)
KOLMOGOROV_DEVIATION: Final = sqrt(pi**2 / 12 - pi / 2 * log(2) ** 2)


class Distance(NamedTuple):
    """A distance between two distributions: the least and the greatest that the counts allow.

    no_drift_mean, noise: its mean and standard deviation where nothing changed, for continuous values: on bins the mean
    is an upper bound, and the standard deviation is at most a sixth larger (half a normal's absolute value, one edge).
    """

    value: float
    upper: float
    no_drift_mean: float
    noise: float


def largest_distance(current: Counts, reference: Counts, is_point: npt.NDArray[np.bool_]) -> Distance | None:
    """Return the largest difference between two distribution functions, or None where either side is empty.

    current, reference: counts by ascending bin, shape (bins,). is_point: bins that hold a single value, shape (bins,).
    At the edges the difference Δ is known: value = max |Δ|. Inside a bin j it lies between Δ(j-1) - p(j) and
    Δ(j-1) + q(j), so that upper = max over bins of max(Δ(j-1) + q(j), p(j) - Δ(j-1)), value at least. A bin that is a
    single point has no inside.
    """
    rows, reference_rows = int(current.sum()), int(reference.sum())
    if rows == 0 or reference_rows == 0:
        return None
    # Quotients of whole numbers are correctly rounded: equal distributions differ by exactly 0.
    difference = np.cumsum(current) / rows - np.cumsum(reference) / reference_rows
    before = np.concatenate([[0.0], difference[:-1]])
    value = float(np.abs(difference).max())
    inside = np.maximum(before + current / rows, reference / reference_rows - before)[~is_point]
    scale = sqrt(1 / rows + 1 / reference_rows)
    return Distance(value, float(inside.max(initial=value)), KOLMOGOROV_MEAN * scale, KOLMOGOROV_DEVIATION * scale)
