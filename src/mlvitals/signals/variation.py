"""The total variation distance: the share of rows that would have to change their cell."""

from math import pi
from typing import Final

import numpy as np

from mlvitals.signals.null import Moments, separable_moments
from mlvitals.signals.pair import Difference, Floats, Pair

# Of the absolute value of a standard normal variable: its mean, its variance.
_MEAN: Final = (2 / pi) ** 0.5
_VARIANCE: Final = 1 - 2 / pi


def total_variation(pair: Pair) -> Difference:
    """Return ½ Σ |q - p|, in [0, 1], as it is: its bias goes as drift comes, so that none is subtracted.

    Where nothing changed, a cell's difference is normal with variance σ² = p̄(1-p̄)s: its part has mean ½σ√(2/π) and
    variance ¼σ²(1-2/π), and for correlation ρ covariance ¼σσ'ρ²/π to second order (the mean of a product of absolute
    values: Isserlis' theorem for |x| in Hermite polynomials). Cells with few rows are summed over what can happen.
    """
    spread = np.sqrt(pair.pooled * (1 - pair.pooled) * pair.scale[:, None])
    null = separable_moments(pair, _part, Moments(spread * _MEAN / 2, spread**2 * _VARIANCE / 4))
    # ρ = -√(p̄p̄' ÷ (1-p̄)(1-p̄')), so that σσ'ρ² = u·u'·s.
    rest = 1 - pair.pooled
    u = pair.pooled * np.sqrt(np.divide(pair.pooled, rest, out=np.zeros_like(rest), where=rest > 0))
    between = (u.sum(axis=1) ** 2 - (u**2).sum(axis=1)) * pair.scale / (4 * pi)
    return Difference(
        value=np.minimum(_part(pair.q, pair.p).sum(axis=1), 1.0),
        mean=null.mean,
        noise=np.sqrt(null.variance + np.maximum(between, 0.0)),
    )


def _part(q: Floats, p: Floats) -> Floats:
    return np.asarray(np.abs(q - p) / 2)
