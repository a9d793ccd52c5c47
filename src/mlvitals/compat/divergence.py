"""Formulas that several peers share, on shares of cells that both sides count alike."""

import numpy as np
import numpy.typing as npt
from scipy.special import rel_entr

Floats = npt.NDArray[np.float64]


def jensen_shannon_divergence(reference: Floats, current: Floats, base: float) -> float:
    """Return (D(p‖m) + D(q‖m)) ÷ 2 with m = (p + q) ÷ 2; both sides are scaled to the sum 1 first.

    The terms are added as scipy.spatial.distance.jensenshannon adds them, whose square this is.
    """
    p, q = reference / reference.sum(), current / current.sum()
    middle = (p + q) / 2
    return float((rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / np.log(base) / 2)


def jensen_shannon_distance(reference: Floats, current: Floats, base: float) -> float | None:
    """Return the root of the divergence; None where rounding left it below 0, where scipy's is NaN."""
    divergence = jensen_shannon_divergence(reference, current, base)
    return divergence**0.5 if divergence >= 0 else None


def hellinger_distance(reference: Floats, current: Floats) -> float:
    """Return √(Σ (√p - √q)²) ÷ √2."""
    return float(np.sqrt(((np.sqrt(reference) - np.sqrt(current)) ** 2).sum()) / np.sqrt(2))
