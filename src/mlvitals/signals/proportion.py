"""How far a share in a sample may be from the share behind it."""

from math import sqrt
from typing import Final

from scipy.special import ndtri

# Two-sided 95 %: the quantile of the standard normal distribution at 0.975.
NORMAL_95: Final = float(ndtri(0.975))


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a proportion; exactly 0 or 1 at an end that the sample touches.

    With p = successes ÷ trials and z = 1.96 it is (p + z²/2m ∓ z·√(p(1-p)/m + z²/4m²)) ÷ (1 + z²/m), m = trials ≥ 1.
    Source: Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22.
    """
    share = successes / trials
    square = NORMAL_95**2 / trials
    centre = (share + square / 2) / (1 + square)
    half = sqrt(share * (1 - share) * square + square**2 / 4) / (1 + square)
    return (0.0 if successes == 0 else centre - half), (1.0 if successes == trials else centre + half)
