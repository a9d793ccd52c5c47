"""The shift in location: how far a distribution moved along the reference's own ranks, in standard deviations."""

from math import pi, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from mlvitals.windows.summary import Counts


class Shift(NamedTuple):
    """A shift in standard deviations of the reference, and its standard deviation where nothing changed."""

    value: float
    noise: float


def normal_scores(reference: Counts) -> npt.NDArray[np.float64] | None:
    """Return the reference's normal score of each bin, shape (bins,), or None where a score has no meaning.

    The score of a bin is the mean of a standard normal variable between the quantiles where the bin begins and ends,
    s(j) = (φ(z(j-1)) - φ(z(j))) ÷ p̃(j) with z = Φ⁻¹(cumulated p̃), then standardised to Σ p̃ s = 0 and Σ p̃ s² = 1.
    With p̃ = (r + ½) ÷ (N + k/2) a bin that the reference left empty has a score too; nothing of the window enters.
    None without any row or with a single bin.
    """
    rows, bins = int(reference.sum()), len(reference)
    if rows == 0 or bins < 2:
        return None
    below = np.cumsum(reference) + np.arange(1, bins + 1) / 2
    total = rows + bins / 2
    # φ is even: from the nearer tail, whose probability is a correctly rounded quotient, it loses no digits.
    tail = np.minimum(below, total - below)[:-1] / total
    density = np.concatenate([[0.0], np.exp(-(ndtri(tail) ** 2) / 2) / sqrt(2 * pi), [0.0]])
    shares = (reference + 0.5) / total
    raw = -np.diff(density) / shares
    centred = raw - (shares * raw).sum()
    return np.asarray(centred / sqrt(float((shares * centred**2).sum())))


def location_shift(current: Counts, reference: Counts) -> Shift | None:
    """Return how far the window's rows moved, or None where either side is empty or there is one bin only.

    current, reference: counts by ascending bin, specials excluded, shape (bins,). With s the reference's normal scores
    and plain shares q = c ÷ n and p = r ÷ N, value = Σ s(j)·(q(j) - p(j)): exactly 0 where nothing moved, d where a
    normal variable moved by d standard deviations (a little less for few bins), the same at every size of window, and
    finite even where the reference was constant, when a row outside it counts about √N.
    noise² = max(1, Σ p s² - (Σ p s)²)·(1/n + 1/N); the 1 is the variance under the smoothed shares, so that a constant
    reference has noise too. The formula is ours: the linear component of a smooth test on normal scores (van der
    Waerden, 1952), taken as an effect size, with smoothed weights.
    """
    rows = int(current.sum())
    scores = normal_scores(reference)
    if rows == 0 or scores is None:
        return None
    reference_rows = int(reference.sum())
    p = reference / reference_rows
    value = float((scores * (current / rows - p)).sum())
    variance = float((p * scores**2).sum()) - float((p * scores).sum()) ** 2
    return Shift(value, sqrt(max(1.0, variance) * (1 / rows + 1 / reference_rows)))
