"""The Kolmogorov-Smirnov distance, bracketed by what bins can know of it."""

from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.signals.null import greatest_moments
from mlvitals.signals.pair import Difference, Pair

# Fitted to simulations of 11 layouts of 2 … 64 bins, equal, skewed and with point masses: mean within 6 %, standard
# deviation within 8 %.
_NEWS: Final = 0.7


def largest_distance(pair: Pair, is_point: npt.NDArray[np.bool_]) -> Difference:
    """Return the largest difference between two distribution functions, as it is.

    Columns are finite values by ascending bin. is_point: bins that hold a single value, shape (columns, bins). At the
    edges the difference Δ is known: value = max |Δ|. Inside a bin j it lies between Δ(j-1) - p(j) and Δ(j-1) + q(j), so
    that upper = max over bins of max(Δ(j-1) + q(j), p(j) - Δ(j-1)), value at least. A bin that is a single point has no
    inside.

    Where nothing changed, Δ ÷ √s at the edges is a Brownian bridge at F (Doob, 1949): normal variables with variance
    F(1-F), which form a Markov chain. Of the greatest, P(≤ x) is taken as the product of each one's, raised to
    (1-ρ²)^0.7, ρ being its correlation with the one before; our approximation, exact for a single edge.
    """
    difference = np.cumsum(pair.current, axis=1) / pair.rows - np.cumsum(pair.reference, axis=1) / pair.reference_rows
    before = np.concatenate([np.zeros((len(difference), 1)), difference[:, :-1]], axis=1)
    value = np.abs(difference).max(axis=1)
    inside = np.where(is_point, 0.0, np.maximum(before + pair.q, pair.p - before)).max(axis=1)
    totals = pair.current + pair.reference
    rows = pair.rows + pair.reference_rows
    below = np.cumsum(totals, axis=1)
    odds = np.divide(below, rows - below, out=np.full(below.shape, np.inf), where=below < rows)
    # ρ² is the ratio of two neighbours' odds; an edge that adds no row adds no news.
    earlier = np.concatenate([np.zeros((len(odds), 1)), odds[:, :-1]], axis=1)
    correlation = np.divide(earlier, odds, out=np.zeros_like(odds), where=(odds > 0) & np.isfinite(odds))
    deviations = np.sqrt(below / rows * (1 - below / rows))
    null = greatest_moments(deviations, np.where(deviations > 0, (1 - correlation) ** _NEWS, 0.0))
    root = np.sqrt(pair.scale)
    return Difference(
        value=value,
        mean=null.mean * root,
        noise=np.sqrt(null.variance) * root,
        lower=value,
        upper=np.maximum(inside, value),
    )
