"""The change of scale: whether values lie farther from, or nearer to, their middle than the reference's."""

from typing import Final

from mlvitals.signals.location import normal_scores, shift, smoothed_shares, standardise
from mlvitals.signals.pair import Difference, Floats, Pair

# Two bins can tell where values lie, and nothing else.
SPREAD_BINS: Final = 3


def spread_scores(scores: Floats, shares: Floats) -> Floats:
    """Return h = s² - 1 - γs for standardised scores s, γ = Σ p̃ s³ making it orthogonal to s, standardised in turn."""
    skewness = (shares * scores**3).sum(axis=1, keepdims=True)
    return standardise(scores**2 - 1 - skewness * scores, shares)


def spread_change(pair: Pair) -> Difference:
    """Return Σ h(j)·(q(j) - p(j)): about √2·ln(the ratio of standard deviations), above 0 where values spread out.

    Columns are finite values by ascending bin, of three bins at least. For a normal variable h tends to (z² - 1) ÷ √2,
    the second Hermite polynomial: the quadratic component of a smooth test (Neyman, 1937; Rayner, Thas and Best, 2009,
    "Smooth tests of goodness of fit") on the reference's normal scores, taken as an effect. A shift by d alone reads
    d² ÷ √2. noise is that of h under the pooled shares: where the reference left a bin empty by chance, h is large.
    """
    return shift(pair, spread_scores(normal_scores(pair), smoothed_shares(pair)), pair.pooled)
