"""The area under the ROC curve from labels counted by score bin, with the exact bound of what bins hide."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mlvitals.windows.summary import Counts


class Area(NamedTuple):
    """An area under the ROC curve and the least and the greatest that the counts allow."""

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
