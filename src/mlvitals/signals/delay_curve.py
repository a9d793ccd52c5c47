"""How likely a label has come by an age, from cohorts that have matured, and how sure that is."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri

from mlvitals.windows.summary import Counts

Floats = npt.NDArray[np.float64]

# What three cohorts do not show of how much cohorts differ, no formula makes up for.
LEAST_COHORTS: Final = 3
# Of ten labels the share that comes early is known to a third.
LEAST_LABELS: Final = 10
# That few cohorts are alike may be chance. So much they may differ unseen, and beyond this only if they show it: at a
# correlation of 0.05 a share of one half varies by 0.11 from cohort to cohort.
DOUBTED: Final = 0.05
_DOUBT: Final = 0.75
_MOST: Final = 0.9  # a beta distribution has to remain one


class Curve(NamedTuple):
    """The chance that a label has come by an age: a beta distribution, of a cohort like the matured ones.

    share: what had come of all labels. likeness: the correlation of labels within a cohort, 0 where cohorts differ by
    chance only.
    """

    early: float
    late: float
    share: float
    likeness: float


def curve_of(known: Counts, final: Counts) -> Curve | None:
    """Return the chance of having come by an age; None where too little has matured to say.

    With x(i) of n(i) labels of cohort i, F = Σx ÷ Σn, the next cohort's chance varies about F by F(1 - F)·v with
    v = ρ + Σ n(1 + (n - 1)ρ) ÷ (Σn)²: by what cohorts differ (ρ, see `_likeness`), and by how well F is known. That is
    a beta distribution of 1 ÷ v - 1 labels; Jeffreys' half of a label is added on both sides.

    Args:
        known: labels that had come by the age, by cohort.
        final: those that came at all; one that was corrected later may have been another one at the age.

    """
    held = final > 0
    rows = final[held].astype(np.float64)
    early = np.minimum(known[held], final[held]).astype(np.float64)
    if len(rows) < LEAST_COHORTS or early.sum() < LEAST_LABELS:
        return None
    total = float(rows.sum())
    share = float(early.sum()) / total
    likeness = _likeness(early, rows, share)
    variance = likeness + float((rows * (1 + (rows - 1) * likeness)).sum()) / total**2
    labels = 1 / min(variance, _MOST) - 1
    return Curve(share * labels + 0.5, (1 - share) * labels + 0.5, share, likeness)


def _likeness(early: Floats, rows: Floats, share: float) -> float:
    """Return the correlation ρ of labels within a cohort, as the matured ones show it or a little beyond.

    By the analysis of variance, (X² - (k - 1)) ÷ (N - Σn² ÷ N - (k - 1)), X² = Σ (x - nF)² ÷ nF(1 - F), of k cohorts.
    Few show too little in one of two samples: where it is less than `DOUBTED` it is that at which X² would be as small
    in one of four. Source: Ridout, Demétrio and Firth (1999), "Estimating intraclass correlation for binary data",
    Biometrics 55.
    """
    total, degrees = float(rows.sum()), len(rows) - 1
    freedom = total - float((rows**2).sum()) / total - degrees
    if share >= 1 or freedom <= 0:
        return 0.0
    differs = float(((early - rows * share) ** 2 / rows).sum()) / (share * (1 - share))
    shown = (differs - degrees) / freedom
    doubted = (differs * degrees / float(chdtri(degrees, _DOUBT)) - degrees) / freedom
    return min(max(shown, min(doubted, DOUBTED), 0.0), 1.0)
