"""The Jensen-Shannon distance, freed of its bias before the root is taken."""

from math import log
from typing import Final

import numpy as np
from scipy.special import xlogy

from mlvitals.signals.null import quadratic_moments, root_moments
from mlvitals.signals.pair import Difference, Floats, Pair

# For shares close to each other the divergence in bits is Σ(q - p)² ÷ p̄ times this.
_FACTOR: Final = 1 / (8 * log(2))


def jensen_shannon(pair: Pair) -> Difference:
    """Return the Jensen-Shannon distance to base 2, in [0, 1]: √max(0, JSD - E₀), JSD = H((p+q)/2) - (H(p) + H(q))/2.

    H is the entropy in bits; JSD is the divergence, its root the distance (Endres and Schindelin, 2003, "A new metric
    for probability distributions", IEEE Trans. Inf. Theory 49; Lin, 1991, for the divergence). E₀ is the divergence's
    mean where nothing changed, about (k-1)s ÷ 8 ln 2. The root of what is left is 0 more than half of the time where
    nothing changed. `raw` is the distance before the correction.
    """
    divergence = np.maximum(_divergence(pair.q, pair.p).sum(axis=1), 0.0)
    null = quadratic_moments(pair, _divergence, _FACTOR)
    moments = root_moments(null)
    return Difference(
        value=np.sqrt(np.minimum(np.maximum(divergence - null.mean, 0.0), 1.0)),
        mean=moments.mean,
        noise=np.sqrt(moments.variance),
        told={"raw": np.sqrt(np.minimum(divergence, 1.0))},
    )


def _divergence(q: Floats, p: Floats) -> Floats:
    middle = (q + p) / 2
    return np.asarray((xlogy(q, q) + xlogy(p, p) - 2 * xlogy(middle, middle)) / (2 * log(2)))
