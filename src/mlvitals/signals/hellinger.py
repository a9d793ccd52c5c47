"""The Hellinger distance, freed of its bias before the root is taken."""

from typing import Final

import numpy as np

from mlvitals.signals.null import quadratic_moments, root_moments
from mlvitals.signals.pair import Difference, Floats, Pair

# For shares close to each other the squared distance is Σ(q - p)² ÷ p̄ times this.
_FACTOR: Final = 1 / 8


def hellinger(pair: Pair) -> Difference:
    """Return the Hellinger distance, in [0, 1]: √max(0, H² - E₀) with H² = ½ Σ (√q - √p)² = 1 - Σ √(qp).

    E₀ is the mean of H² where nothing changed, about (k-1)s ÷ 8. The root of what is left is 0 more than half of the
    time where nothing changed. `raw` is the distance before the correction. Source: Hellinger (1909); Le Cam and Yang
    (2000), "Asymptotics in statistics", section 3.1.
    """
    squared = _squared(pair.q, pair.p).sum(axis=1)
    null = quadratic_moments(pair, _squared, _FACTOR)
    moments = root_moments(null)
    return Difference(
        value=np.sqrt(np.minimum(np.maximum(squared - null.mean, 0.0), 1.0)),
        mean=moments.mean,
        noise=np.sqrt(moments.variance),
        told={"raw": np.sqrt(np.minimum(squared, 1.0))},
    )


def _squared(q: Floats, p: Floats) -> Floats:
    return np.asarray((np.sqrt(q) - np.sqrt(p)) ** 2 / 2)
