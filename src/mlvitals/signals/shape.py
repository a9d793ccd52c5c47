"""What drifted besides location and spread: the change of shape."""

import numpy as np

from mlvitals.signals.chi_square import merge_few, squared_distance
from mlvitals.signals.location import normal_scores, smoothed_shares
from mlvitals.signals.pair import Difference, Floats, Pair
from mlvitals.signals.spread import spread_scores


def shape_change(pair: Pair) -> Difference:
    """Return ω² less its components along location and spread, debiased; NaN where fewer than four cells are left.

    Columns are finite values by ascending bin, of three bins at least. With the cells of ω² (few rows merged) and the
    pooled shares p̄, the scores of location and spread are made orthonormal under p̄; Σ (q-p)² ÷ p̄ is the sum of squares
    of the components along any such basis, of which these two are taken off, and of the k-3 that are left the mean
    where nothing changed, (k-3)·s·M/(M-1), exact given the pooled counts, M being the rows of both sides.
    noise² = 2(k-3)s². Sources: as for spread; Lancaster (1969), "The chi-squared distribution", on the partition.
    """
    merged = merge_few(pair)
    totals = pair.current + pair.reference
    linear = normal_scores(pair)
    square = spread_scores(linear, smoothed_shares(pair))
    rows = pair.rows + pair.reference_rows
    pooled = merged.totals / rows
    apart = merged.current / pair.rows - merged.reference / pair.reference_rows
    first = _normalised(_less(merged.scores(linear, totals), np.ones_like(pooled), pooled), pooled)
    second = _less(merged.scores(square, totals), np.ones_like(pooled), pooled)
    second = _normalised(_less(_less(second, first, pooled), first, pooled), pooled)
    along = (first * apart).sum(axis=1) ** 2 + (second * apart).sum(axis=1) ** 2
    raw = squared_distance(pair, merged)
    freedom = merged.cells - 3
    mean = freedom * pair.scale * (rows / (rows - 1))[:, 0]
    return Difference(
        value=np.where(freedom >= 1, np.maximum(raw - along, 0.0) - mean, np.nan),
        mean=np.zeros(len(raw)),
        noise=np.sqrt(2 * np.maximum(freedom, 0.0)) * pair.scale,
        told={"raw": raw},
    )


def _less(scores: Floats, unit: Floats, shares: Floats) -> Floats:
    """Return the scores without their component along a unit vector."""
    return np.asarray(scores - unit * (shares * scores * unit).sum(axis=1, keepdims=True))


def _normalised(scores: Floats, shares: Floats) -> Floats:
    length = np.sqrt((shares * scores**2).sum(axis=1, keepdims=True))
    return np.asarray(np.divide(scores, length, out=np.zeros_like(scores), where=length > 0))
