"""The Wasserstein distance: how far values have to be carried, in units of the reference's own scale."""

from math import pi
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.signals.pair import Difference, Floats, Pair

# The distance between the quartiles of a standard normal variable.
_QUARTILES: Final = 1.3489795003921634

_MEAN: Final = (2 / pi) ** 0.5
_VARIANCE: Final = 1 - 2 / pi


def wasserstein(pair: Pair, edges: Floats, is_outside: npt.NDArray[np.bool_]) -> Difference:
    """Return W₁ = ∫ |F_q - F_p| over the reference's range ÷ its scale; NaN where the reference has no scale.

    Columns are finite values by ascending bin. edges: shape (columns, bins - 1), those past a column's own equal its
    last. is_outside: bins out of the reference's range, shape (columns, bins). Distribution functions are linear inside
    a bin. Rows outside of the range count at its ends, so that no single value carries the distance away;
    `out_of_range` is their share of the window.

    `scale` is the reference's interquartile range ÷ 1.349, or its standard deviation (uniform inside a bin) where half
    of it is one point, both from its bins.
    In a bin of width w with Δ(j-1) at its left, |Δ| is at most max(Δ(j-1) + q, p - Δ(j-1)) and at least
    max(0, Δ(j-1) - p, -Δ(j-1) - q), whatever the values inside; lower and upper are the sums of w times that.
    Where nothing changed, Δ ÷ √s is a Brownian bridge: mean = √(2s/π)·∫√(Var), by Simpson's rule on the variance of the
    interpolated Δ; variance = (1-2/π)·∫∫ σσ'ρ², by the trapezoid rule, ρ² being the ratio of the odds at the two places
    (exact for ρ = 0 and ±1). Source: Vallender (1974) for W₁ on the line.
    """
    width, scale = _units(pair, edges, is_outside[:, 1:-1])
    current = np.cumsum(pair.current, axis=1)[:, :-1] / pair.rows
    below = np.cumsum(pair.reference, axis=1)[:, :-1] / pair.reference_rows
    apart = current - below
    left, right = apart[:, :-1], apart[:, 1:]
    q, p = pair.q[:, 1:-1], pair.p[:, 1:-1]
    least = np.maximum(np.maximum(left - p, -left - q), 0.0)
    most = np.maximum(left + q, p - left)
    mean, variance = _null(pair, width)
    value = (width * _between(left, right)).sum(axis=1)
    return Difference(
        value=value,
        mean=mean,
        noise=np.sqrt(variance),
        lower=np.minimum((width * least).sum(axis=1), value),
        upper=np.maximum((width * most).sum(axis=1), value),
        told={"scale": scale, "out_of_range": (pair.q * is_outside).sum(axis=1)},
    )


def _units(pair: Pair, edges: Floats, is_outside: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return the widths of the inner bins in units of the scale, shape (columns, bins - 2), and the scale.

    Bins out of the range have no width.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        widths = np.where(is_outside, 0.0, np.diff(edges, axis=1))
        quartiles = _quantile(pair, edges, widths, 0.75) - _quantile(pair, edges, widths, 0.25)
        p = pair.p[:, 1:-1]
        inside = np.maximum(p.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        middles = edges[:, :-1] - edges[:, :1] + widths / 2
        mean = (p * middles).sum(axis=1, keepdims=True) / inside
        squares = (p * ((middles - mean) ** 2 + widths**2 / 12)).sum(axis=1, keepdims=True) / inside
        scale = np.where(quartiles > 1e-9 * np.sqrt(squares[:, 0]), quartiles / _QUARTILES, np.sqrt(squares[:, 0]))
        # A constant reference has the width of one double: no scale.
        scale = np.where((scale > 1e-12 * np.abs(edges).max(axis=1)) & np.isfinite(scale), scale, np.nan)
        return widths / scale[:, None], scale


def _quantile(pair: Pair, edges: Floats, widths: Floats, share: float) -> Floats:
    below = np.cumsum(pair.reference, axis=1)[:, :-1]
    target = share * pair.reference_rows
    place = np.clip((below[:, 1:] < target).sum(axis=1), 0, widths.shape[1] - 1)
    rows = np.arange(len(place))
    inside = pair.reference[rows, place + 1]
    part = (target[:, 0] - below[rows, place]) / np.maximum(inside, 1)
    return np.asarray(edges[rows, place] + widths[rows, place] * np.clip(part, 0.0, 1.0))


def _between(left: Floats, right: Floats) -> Floats:
    """Return the mean of |Δ| between two ends where it is linear."""
    size, other = np.abs(left), np.abs(right)
    total = size + other
    crossing = np.divide(left**2 + right**2, 2 * total, out=np.zeros_like(total), where=total > 0)
    return np.where(left * right < 0, crossing, total / 2)


def _null(pair: Pair, width: Floats) -> tuple[Floats, Floats]:
    rows = pair.rows + pair.reference_rows
    below = np.cumsum(pair.current + pair.reference, axis=1)[:, :-1] / rows
    variance = below * (1 - below)
    first, second = variance[:, :-1], variance[:, 1:]
    middle = (first + second + 2 * below[:, :-1] * (1 - below[:, 1:])) / 4
    simpson = (np.sqrt(first) + 4 * np.sqrt(middle) + np.sqrt(second)) / 6
    mean = _MEAN * np.sqrt(pair.scale) * (width * simpson).sum(axis=1)
    weights = (np.pad(width, ((0, 0), (1, 0))) + np.pad(width, ((0, 0), (0, 1)))) / 2
    known = variance > 0
    odds = np.divide(below, 1 - below, out=np.ones_like(below), where=known)
    # σσ'ρ² = σ·odds for the place before, σ'/odds' for the one after.
    deviation = weights * np.sqrt(variance)
    before = np.cumsum(deviation * odds, axis=1) - deviation * odds
    cross = 2 * (before * deviation / odds).sum(axis=1) + (deviation**2).sum(axis=1)
    return mean, _VARIANCE * pair.scale * cross
