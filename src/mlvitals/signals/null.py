"""What a statistic does where nothing changed: its mean and standard deviation, given the pooled counts.

Where nothing changed and the rows of both sides are exchangeable, each of a cell's t pooled rows falls to a side in
proportion to that side's rows. Cells with many rows on both sides follow the normal limit; cells with few are summed
over all that can happen.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, erf, gammaln, roots_legendre

from mlvitals.signals.pair import Floats, Pair

# Fewer expected rows on the smaller side than this, and the normal limit is off by more than some per cent.
_FEW: Final = 8.0
_OUTCOMES: Final = np.arange(28.0)  # a binomial count with mean 8 exceeds 27 once in 10⁷

# Midpoints for the distribution function of the greatest of normals, in units of the widest; 2·10⁻⁶ of it is past 4.8.
_STEP: Final = 0.4
_PLACES: Final = np.arange(_STEP / 2, 4.8, _STEP)
_HALF: Final = np.sqrt(2.0)


class Moments(NamedTuple):
    """A mean and a variance for each column, shape (columns,)."""

    mean: Floats
    variance: Floats


def few_rows(pair: Pair) -> npt.NDArray[np.bool_]:
    """Return which cells expect too few rows on the smaller side for the normal limit, shape (columns, cells)."""
    return np.asarray(pair.pooled * np.minimum(pair.rows, pair.reference_rows) < _FEW)


def separable_moments(
    pair: Pair, term: Callable[[Floats, Floats], Floats], limit: Moments, smoothing: float = 0.0
) -> Moments:
    """Return the moments of Σ term(q, p) where nothing changed, covariances between cells left to the caller.

    term: one cell's part, symmetric, 0 where both shares are. limit: each cell's moments in the normal limit, shape
    (columns, cells). smoothing: rows added to every filled cell of both sides before shares are taken. Cells that
    expect fewer than 8 rows on the smaller side are summed over the binomial distribution of that side's count, given
    the cell's pooled rows.
    """
    mean, variance = limit.mean.copy(), limit.variance.copy()
    fewer = np.minimum(pair.rows, pair.reference_rows)
    more = np.maximum(pair.rows, pair.reference_rows)
    share = fewer / (fewer + more)
    totals = pair.current + pair.reference
    sparse = few_rows(pair)
    columns, cells = np.nonzero(sparse & (totals > 0))
    mean[sparse] = variance[sparse] = 0.0
    if len(columns):
        left, weights = _outcomes(totals[columns, cells][:, None].astype(np.float64), share[columns])
        added = smoothing * (totals > 0).sum(axis=1)[columns, None]
        values = term((_OUTCOMES + smoothing) / (fewer[columns] + added), (left + smoothing) / (more[columns] + added))
        # A binomial count varies as if the cell could hold every row: with p̄ of all rows it varies 1 - p̄ as much.
        values *= 1 - pair.pooled[columns, cells][:, None]
        first = (weights * values).sum(axis=1)
        mean[columns, cells] = first
        variance[columns, cells] = np.maximum((weights * values**2).sum(axis=1) - first**2, 0.0)
    return Moments(mean.sum(axis=1), variance.sum(axis=1))


def _outcomes(drawn: Floats, chance: Floats) -> tuple[Floats, Floats]:
    """Return what is left of the drawn rows for each count on the smaller side, and how likely that count is."""
    left = np.maximum(drawn - _OUTCOMES, 0.0)
    odds = left[:, :-1] / _OUTCOMES[1:] * (chance / (1 - chance))
    ratios = np.cumprod(np.concatenate([np.ones_like(chance), odds], axis=1), axis=1)
    return left, np.exp(drawn * np.log1p(-chance)) * ratios


def quadratic_moments(pair: Pair, term: Callable[[Floats, Floats], Floats], factor: float) -> Moments:
    """Return the moments of a divergence that is `factor`·Σ(q - p)² ÷ p̄ for shares close to each other.

    In the normal limit that is `factor`·s·χ² with k - 1 degrees of freedom; a cell's part has mean factor·s·(1 - p̄),
    variance 2(factor·s·(1 - p̄))², and covariance 2(factor·s)²·p̄(i)p̄(j) with another's.
    """
    unit = factor * pair.scale[:, None]
    mean = unit * (1 - pair.pooled)
    found = separable_moments(pair, term, Moments(mean, 2 * mean**2))
    alone = np.where(few_rows(pair), 0.0, pair.pooled)
    between = 2 * unit[:, 0] ** 2 * (alone.sum(axis=1) ** 2 - (alone**2).sum(axis=1))
    return Moments(found.mean, found.variance + np.maximum(between, 0.0))


def root_moments(moments: Moments) -> Moments:
    """Return mean and variance of √max(0, X - E X), X being about χ²-distributed with these moments.

    a·χ² with ν degrees of freedom has them for ν = 2(E X)² ÷ Var X and a = E X ÷ ν. Source of the match: Satterthwaite
    (1946), "An approximate distribution of estimates of variance components", Biometrics Bulletin 2.
    """
    spread = moments.variance > 0
    freedom = np.where(spread, 2 * moments.mean**2 / np.where(spread, moments.variance, 1.0), 1.0)
    unit = np.where(spread, moments.mean / freedom, 0.0)
    freedoms, firsts, seconds = _root_table()
    # Between the points of the table both grow as powers of ν.
    place = np.log(np.clip(freedom, np.exp(freedoms[0]), np.exp(freedoms[-1])))
    first = np.sqrt(unit) * np.exp(np.interp(place, freedoms, firsts))
    second = unit * np.exp(np.interp(place, freedoms, seconds))
    return Moments(first, np.maximum(second - first**2, 0.0))


@lru_cache(maxsize=1)
def _root_table() -> tuple[Floats, Floats, Floats]:
    """Return logarithms of ν, of E √max(0, χ² - ν) and of E max(0, χ² - ν).

    The first by Gauss-Legendre over u = √(χ² - ν), the second by x·f(x; ν) = ν·f(x; ν + 2).
    """
    freedom = np.geomspace(0.25, 1e5, 120)
    nodes, weights = roots_legendre(96)
    longest = np.sqrt(9 * np.sqrt(2 * freedom) + 45)
    u = longest[:, None] * (nodes + 1) / 2
    x = freedom[:, None] + u**2
    half = freedom[:, None] / 2
    density = np.exp((half - 1) * np.log(x / 2) - x / 2 - gammaln(half)) / 2
    first = (weights * 2 * u**2 * density).sum(axis=1) * longest / 2
    second = freedom * (chdtrc(freedom + 2, freedom) - chdtrc(freedom, freedom))
    return np.log(freedom), np.log(first), np.log(second)


def greatest_moments(deviations: Floats, weights: Floats) -> Moments:
    """Return the moments of the greatest |Z(j)| of normal variables with mean 0.

    deviations: standard deviations, shape (columns, variables). weights: how much of a variable is not told by the
    others, shape (columns, variables): P(greatest ≤ x) is taken as Π P(|Z(j)| ≤ x)^w(j).
    """
    widest = deviations.max(axis=1, initial=0.0)
    safe = np.where(widest > 0, widest, 1.0)
    relative = np.maximum(deviations / safe[:, None], 1e-3)
    within = np.log(erf(_PLACES / (_HALF * relative[:, :, None])))
    beyond = -np.expm1((weights[:, :, None] * within).sum(axis=1))
    first = beyond.sum(axis=1) * _STEP
    second = (2 * _PLACES * beyond).sum(axis=1) * _STEP
    return Moments(first * widest, np.maximum(second - first**2, 0.0) * widest**2)
