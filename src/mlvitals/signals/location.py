"""The shift in location: how far a distribution moved along the reference's own ranks, in standard deviations."""

from math import pi, sqrt

import numpy as np
from scipy.special import ndtri

from mlvitals.signals.pair import Difference, Floats, Pair


def smoothed_shares(pair: Pair) -> Floats:
    """Return p̃ = (r + ½) ÷ (N + k/2) for the k own bins of each column, 0 past them, shape (columns, bins)."""
    return np.where(pair.own, (pair.reference + 0.5) / (pair.reference_rows + pair.sizes[:, None] / 2), 0.0)


def normal_scores(pair: Pair) -> Floats:
    """Return the reference's normal score of each bin, shape (columns, bins); 0 past a column's own bins.

    The score of a bin is the mean of a standard normal variable between the quantiles where the bin begins and ends,
    s(j) = (φ(z(j-1)) - φ(z(j))) ÷ p̃(j) with z = Φ⁻¹(cumulated p̃), then standardised to Σ p̃ s = 0 and Σ p̃ s² = 1.
    With p̃ = (r + ½) ÷ (N + k/2) a bin that the reference left empty has a score too; nothing of the window enters. A
    column must have two bins at least.
    """
    places = np.arange(1, pair.reference.shape[1] + 1)
    below = np.cumsum(pair.reference, axis=1) + places / 2
    total = pair.reference_rows + pair.sizes[:, None] / 2
    # φ is even: from the nearer tail, whose probability is a correctly rounded quotient, it loses no digits.
    tail = np.where(places < pair.sizes[:, None], np.minimum(below, total - below) / total, 0.0)
    density = np.exp(-(ndtri(tail) ** 2) / 2) / sqrt(2 * pi)
    shares = smoothed_shares(pair)
    raw = -np.diff(density, axis=1, prepend=0.0)
    raw = np.divide(raw, shares, out=np.zeros_like(raw), where=shares > 0)
    return standardise(raw, shares)


def standardise(scores: Floats, shares: Floats) -> Floats:
    """Return the scores with weighted mean 0 and weighted variance 1; where they do not vary, NaN."""
    centred = np.where(shares > 0, scores - (shares * scores).sum(axis=1, keepdims=True), 0.0)
    deviation = np.sqrt((shares * centred**2).sum(axis=1, keepdims=True))
    return np.asarray(np.divide(centred, deviation, out=np.full_like(centred, np.nan), where=deviation > 0))


def shift(pair: Pair, scores: Floats, shares: Floats, least: float = 0.0) -> Difference:
    """Return how far the mean score moved, Σ score·(q - p).

    noise² = Var·s, Var being the scores' variance under these shares of the cells, `least` at least.
    """
    variance = (shares * scores**2).sum(axis=1) - (shares * scores).sum(axis=1) ** 2
    return Difference(
        value=(scores * (pair.q - pair.p)).sum(axis=1),
        mean=np.zeros(len(scores)),
        noise=np.sqrt(np.maximum(least, variance) * pair.scale),
    )


def location_shift(pair: Pair) -> Difference:
    """Return how far the window's rows moved, Σ s(j)·(q(j) - p(j)) with the reference's normal scores s.

    Columns are finite values by ascending bin. Exactly 0 where nothing moved, d where a normal variable moved by d
    standard deviations (a little less for few bins), the same at every size of window, and finite even where the
    reference was constant, when a row outside it counts about √N. The formula is ours: the linear component of a smooth
    test on normal scores (van der Waerden, 1952), taken as an effect size, with smoothed weights. noise² = max(1,
    Var)·s: 1 is the scores' variance under the smoothed shares, so that a constant reference has noise too.
    """
    return shift(pair, normal_scores(pair), pair.p, least=1.0)
