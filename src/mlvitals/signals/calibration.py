"""Whether scores mean what they say: how often what had probability p came true."""

from math import pi, sqrt
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, xlogy

from mlvitals.windows.losses import FIXED_POINT
from mlvitals.windows.summary import Counts

Floats = npt.NDArray[np.float64]

# From this mean on the normal distribution's mean absolute deviation is within one part in twelve thousand.
_NORMAL_FROM: Final = 1e3
# Below this chance it is the Poisson distribution's; the logarithms of larger factorials would lose it in rounding.
_LEAST_CHANCE: Final = 1e-6


class Calibration(NamedTuple):
    """The expected calibration error, and what it would be if the scores were right: its mean and standard error."""

    raw: float
    no_drift_mean: float
    noise: float


def calibration_error(runs: Counts) -> Calibration | None:
    """Return the expected calibration error over the drift bins of a score, None without any row.

    It is Σ (m ÷ M)·|ȳ - s̄| over the bins, of m of M rows each, with the share ȳ that came true and the mean score s̄.
    Even right scores are off by chance: what comes true in a bin then has mean Σ s and variance Σ s(1 - s). Its mean
    absolute deviation is taken as that of the binomial distribution with these two moments.
    Sources: Naeini, Cooper and Hauskrecht (2015), "Obtaining well calibrated probabilities using Bayesian binning",
    AAAI; de Moivre (1730) for the mean absolute deviation, after Diaconis and Zabell (1991), Statistical Science 6.

    Args:
        runs: rows, those that came true, Σ score and Σ score² (in units of 1 ÷ FIXED_POINT), shape (4, bins).

    """
    held = runs[:, runs[0] > 0].astype(np.float64)
    if held.shape[1] == 0:
        return None
    rows, true, scores, squares = held[0], held[1], held[2] / FIXED_POINT, held[3] / FIXED_POINT
    total = rows.sum()
    # The rarer side, so that the binomial's support ends where the counts' does.
    mean = np.minimum(scores, rows - scores)
    variance = np.clip(scores - squares, 0, mean)
    deviation = binomial_deviation(mean, variance)
    rest = np.maximum(variance - deviation**2, 0)
    return Calibration(
        raw=float(np.abs(true - scores).sum() / total),
        no_drift_mean=float(deviation.sum() / total),
        noise=float(sqrt(rest.sum()) / total),
    )


def binomial_deviation(mean: Floats, variance: Floats) -> Floats:
    """Return the mean absolute deviation of binomial distributions, given by mean and variance: 0 ≤ variance ≤ mean.

    With p = 1 - variance ÷ mean, n = mean ÷ p and v = ⌊mean⌋ + 1 it is 2v·C(n, v)·pᵛ·(1 - p)ⁿ⁻ᵛ⁺¹ (de Moivre); n need
    not be whole. For small p it is the Poisson distribution's, for many rows the normal one's, √(2·variance ÷ π).
    """
    deviation = np.sqrt(2 * variance / pi)
    exact = (variance > 0) & (mean < _NORMAL_FROM)
    mu, chance = mean[exact], np.maximum(1 - variance[exact] / mean[exact], _LEAST_CHANCE)
    trials, turn = mu / chance, np.floor(mu) + 1
    log_binomial = gammaln(trials + 1) - gammaln(turn + 1) - gammaln(trials - turn + 1)
    power = xlogy(turn, chance) + (trials - turn + 1) * np.log1p(-chance)
    deviation[exact] = np.minimum(2 * turn * np.exp(log_binomial + power), np.sqrt(variance[exact]))
    return deviation
