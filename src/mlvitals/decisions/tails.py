"""How heavy the tails of innovations are, and the map that makes them normal."""

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, ndtri, stdtr

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

# Degrees of freedom that are told apart; by the last a t variable is normal for all that thousands of windows can tell.
FREEDOMS: Final = np.array([2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0, 11.0, 16.0, 25.0, 50.0, 1000.0])
# Half of χ²₁'s quantile at 0.9: what is heavier is excluded with 95 % confidence.
_LIKELIHOOD_DROP: Final = 1.353
_ROUNDS: Final = 8
_LEAST_SCALE: Final = 1e-12
_STEPS_PER_UNIT: Final = 400
_LAST: Final = 15 * _STEPS_PER_UNIT  # 1.6 million deviations


def fit_tails(innovations: Floats) -> tuple[Places, Floats]:
    """Return which of `FREEDOMS` and which scale the t distribution of each row has, shape (rows,) each.

    NaN are left out.

    The degrees of freedom are the fewest that a 95 % likelihood bound allows, so that short histories count as heavy
    tailed; the scale is the most likely one at these, by expectation-maximisation. Source: Lange, Little and Taylor
    (1989), "Robust statistical modeling using the t distribution", JASA 84, section 4.
    """
    known = np.isfinite(innovations)
    values = np.where(known, innovations, 0.0)
    count = np.maximum(known.sum(axis=1), 1)
    squares = values**2
    start = np.maximum(squares.sum(axis=1) / count, _LEAST_SCALE)
    likelihoods = np.empty((len(values), len(FREEDOMS)))
    scales = np.empty_like(likelihoods)
    for place, freedom in enumerate(FREEDOMS):
        variance = start.copy()
        for _ in range(_ROUNDS):
            weights = (freedom + 1) / (freedom + squares / variance[:, None])
            variance = np.maximum((weights * squares * known).sum(axis=1) / count, _LEAST_SCALE)
        terms = np.log1p(squares / variance[:, None] / freedom) * known
        constant = gammaln((freedom + 1) / 2) - gammaln(freedom / 2) - 0.5 * np.log(freedom * np.pi)
        likelihoods[:, place] = count * (constant - 0.5 * np.log(variance)) - (freedom + 1) / 2 * terms.sum(axis=1)
        scales[:, place] = np.sqrt(variance)
    allowed = likelihoods >= likelihoods.max(axis=1, keepdims=True) - _LIKELIHOOD_DROP
    first = allowed.argmax(axis=1)
    return first, scales[np.arange(len(values)), first]


def normalise(values: Floats, tails: Places) -> Floats:
    """Return Φ⁻¹(F(values)), F being the t distribution of these tails; arrays that broadcast, NaN where they are NaN.

    By linear interpolation in a table over asinh, exact to 10⁻⁵ and monotone, so that no order is ever reversed. The
    table ends at 1.6 million deviations; what is beyond counts as its end, infinity too.
    """
    table = _table()
    place = np.minimum(np.arcsinh(np.abs(values)) * _STEPS_PER_UNIT, _LAST - 1e-6)
    below = np.nan_to_num(place).astype(np.intp)
    start = np.asarray(tails) * (_LAST + 1) + below
    low = table.take(start)
    return np.asarray(np.copysign(low + (place - below) * (table.take(start + 1) - low), values))


@cache
def _table() -> Floats:
    """Return normal quantiles of t distributions, for each of the tails at even steps of asinh, in one row."""
    values = np.sinh(np.arange(_LAST + 1) / _STEPS_PER_UNIT)
    tail = np.maximum(stdtr(FREEDOMS[:, None], -values[None, :]), 1e-300)
    return np.asarray(-ndtri(tail)).ravel()
