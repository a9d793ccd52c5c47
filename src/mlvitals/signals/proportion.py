"""How far a share in a sample may be from the share behind it."""

from math import sqrt
from typing import Final

from scipy.special import ndtri

# Two-sided 95 %: the quantile of the standard normal distribution at 0.975.
NORMAL_95: Final = float(ndtri(0.975))


def wilson_interval(successes: int, trials: int, deviations: float = NORMAL_95) -> tuple[float, float]:
    """Return Wilson's interval of a proportion, 95 % unless told; exactly 0 or 1 at an end that the sample touches.

    With p = successes ÷ trials, m = trials ≥ 1 and z = `deviations` it is
    (p + z²/2m ∓ z·√(p(1-p)/m + z²/4m²)) ÷ (1 + z²/m).
    Source: Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22.
    """
    lower, upper = _wilson(successes / trials, deviations**2 / trials)
    return (0.0 if successes == 0 else lower), (1.0 if successes == trials else upper)


def interval_by_variance(share: float, variance: float) -> tuple[float, float]:
    """Return a 95 % interval of an estimated share: Wilson's, of as many trials as would have this variance.

    These are share·(1 - share) ÷ variance, so that it stays in [0, 1] as the share comes near to an end.
    """
    spread = share * (1 - share)
    if spread <= 0 or variance <= 0:
        half = NORMAL_95 * sqrt(max(variance, 0.0))
        return max(0.0, share - half), min(1.0, share + half)
    lower, upper = _wilson(share, NORMAL_95**2 * variance / spread)
    return min(lower, share), max(upper, share)


def _wilson(share: float, square: float) -> tuple[float, float]:
    """Return the ends about a share, by z² ÷ trials."""
    centre = (share + square / 2) / (1 + square)
    half = sqrt(share * (1 - share) * square + square**2 / 4) / (1 + square)
    return centre - half, centre + half
