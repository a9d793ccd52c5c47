"""The areas under the ROC and precision-recall curves, from labels by score bin, with the bounds of what bins hide."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import digamma

from mlvitals.windows.summary import Counts


class Area(NamedTuple):
    """An area under a curve and the least and the greatest that the counts allow."""

    value: float
    lower: float
    upper: float


def binned_area(negatives: Counts, positives: Counts, is_point: npt.NDArray[np.bool_]) -> Area | None:
    """Return the share of (negative, positive) pairs that the score ranks rightly, or None where a class is absent.

    negatives, positives: labels by ascending score bin; is_point: the bins that hold one score; all of shape (bins,).
    With n⁻, n⁺ in all: AUC = Σ n⁻(j)·(Σ_{i>j} n⁺(i) + n⁺(j)/2) ÷ n⁻n⁺ (Mann-Whitney, a tie counts half). In a bin of
    one score labels truly tie; in any other they hide at most ½ Σ n⁻(j)n⁺(j) ÷ n⁻n⁺ either way.
    """
    pairs = int(negatives.sum()) * int(positives.sum())
    if pairs == 0:
        return None
    above = positives[::-1].cumsum()[::-1] - positives
    ties = negatives * positives
    # Twice the pairs won, so that all are whole numbers; each is below 2⁶³ for two billion labels of either class.
    wins = 2 * int((negatives * above).sum())
    true_ties, hidden = int(ties[is_point].sum()), int(ties[~is_point].sum())
    least = wins + true_ties
    return Area((least + hidden) / (2 * pairs), least / (2 * pairs), (least + 2 * hidden) / (2 * pairs))


def area_variance(negatives: Counts, positives: Counts) -> float:
    """Return the variance of the area under the ROC curve of labels by score bin; two or more labels of each class.

    For each positive the share of negatives below it (a tie counts half), for each negative that of positives above it:
    the variance of the first ÷ n⁺ and that of the second ÷ n⁻, added. Source: DeLong, DeLong and Clarke-Pearson (1988),
    "Comparing the areas under two or more correlated receiver operating characteristic curves", Biometrics 44.
    """
    below = (negatives.cumsum() - negatives / 2) / negatives.sum()
    above = (positives[::-1].cumsum()[::-1] - positives / 2) / positives.sum()
    return _variance_of_mean(below, positives) + _variance_of_mean(above, negatives)


def _variance_of_mean(values: npt.NDArray[np.float64], rows: Counts) -> float:
    count = int(rows.sum())
    mean = float((values * rows).sum()) / count
    return float((rows * (values - mean) ** 2).sum()) / (count * (count - 1))


def binned_precision(negatives: Counts, positives: Counts, is_point: npt.NDArray[np.bool_]) -> Area | None:
    """Return the average precision: the mean, over the positives, of the precision at their score. None without any.

    negatives, positives, is_point: as in `binned_area`. With A⁺ and A⁻ labels in higher bins, and p and n in this one,
    the value takes a bin's labels as tied, which they are in a bin of one score: p·(A⁺ + p) ÷ (A⁺ + p + A⁻ + n), all
    divided by n⁺. In any other bin, at best the positives tie above all negatives, p·(A⁺ + p) ÷ (A⁺ + p + A⁻), and at
    worst they come one by one below, Σ (A⁺ + i) ÷ (A⁺ + i + A⁻ + n) over i = 1 … p. It is scikit-learn's
    `average_precision_score`, without interpolation.
    """
    total = int(positives.sum())
    if total == 0:
        return None
    held = positives > 0
    own, other = positives[held].astype(np.float64), negatives[held].astype(np.float64)
    above = (positives[::-1].cumsum()[::-1] - positives)[held]
    wrong = (negatives[::-1].cumsum()[::-1] - negatives)[held]
    tied = own * (above + own) / (above + own + wrong + other)
    best = own * (above + own) / (above + own + wrong)
    all_wrong = wrong + other
    # Σ x ÷ (x + b) = p - b·Σ 1 ÷ (x + b), a difference of harmonic numbers.
    harmonic = digamma(above + own + all_wrong + 1) - digamma(above + all_wrong + 1)
    worst = np.minimum(own - all_wrong * harmonic, tied)
    point = is_point[held]
    value, lower, upper = (
        float(part.sum() / total) for part in (tied, np.where(point, tied, worst), np.where(point, tied, best))
    )
    return Area(value, max(0.0, lower), min(1.0, upper))
