"""Performance over all predictions of a cohort whose labels have all come, by the known chance that each one's would.

Where only some actions let the truth be seen, and an exploration draws now and then the one that does, a labelled
prediction of propensity π stands for itself and for (1 - π) ÷ π others, of which nothing was to be seen.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mlvitals.signals.completion import POINTS
from mlvitals.signals.made_once import made_once
from mlvitals.signals.selection import decided
from mlvitals.signals.spec import Evidence
from mlvitals.signals.strata import LEAST_LABELS
from mlvitals.signals.weighted import SHRUNK, Corrected, Weighed, beta_points, corrected_scores, whole_outwards
from mlvitals.windows.summary import Counts, Weights

Floats = npt.NDArray[np.float64]

CONTRADICTED: Final = "labels stand for more predictions than there are: propensities are not those of being labelled"
HARDLY_ANY: Final = "too few labels have a propensity that lets them stand for what has none"

# Of what propensities let expect so much may have no label for another reason, whatever that is.
_LOST: Final = 0.1
# By so much they may stand for too many, beside three standard errors.
_EXCESS: Final = 0.01
_ERRORS: Final = 3.0


class ByPropensity(NamedTuple):
    """A cohort's metrics, and what they rest on.

    missing: how many predictions have no label. expected: how many propensities let expect. unweighed: labels without
    a propensity. contradicted: there are fewer predictions than labels stand for, and so nothing else is said.
    """

    metrics: Mapping[str, Corrected]
    missing: int
    expected: float
    unweighed: int
    contradicted: bool


class _Labelled(NamedTuple):
    """One decision's predictions: all, labels by true class, and of those with a propensity Σ w and Σ w²."""

    served: int
    labels: Counts
    weighed: Counts
    weight: Floats
    squared: Floats

    @property
    def standing_for(self) -> int:
        """How many predictions labels with a propensity are to stand for: all but the labels without one."""
        return self.served - int(self.labels.sum() - self.weighed.sum())

    @property
    def error(self) -> float:
        """The standard error of Σ w by the draw of the labels: the root of Σ w² - w (Horvitz and Thompson, 1952)."""
        return float(np.sqrt(max(0.0, (self.squared - self.weight).sum())))

    @property
    def excess(self) -> float:
        """By how many Σ w exceeds what labels are to stand for; negative where it falls short."""
        return float(self.weight.sum()) - self.standing_for


def _corrected_by_propensity(evidence: Evidence) -> ByPropensity | None:
    outcome = evidence.outcome if evidence.final else None
    cohort = decided(evidence.current, outcome)
    if cohort is None or outcome is None or not outcome.has("weighed"):
        return None
    negative, positive = _by_decision(cohort.served, cohort.labelled, outcome.weighed)
    both = (negative, positive)
    contradicted = any(one.excess > _EXCESS * one.standing_for + _ERRORS * one.error for one in both)
    return ByPropensity(
        metrics={} if contradicted else corrected_scores(_weigh(negative), _weigh(positive)),
        missing=sum(cohort.served) - int(cohort.labelled.sum()),
        expected=sum(float((one.weight - one.weighed).sum()) for one in both),
        unweighed=sum(int((one.labels - one.weighed).sum()) for one in both),
        contradicted=contradicted,
    )


def _by_decision(served: tuple[int, int], labelled: Counts, weights: Weights) -> tuple[_Labelled, _Labelled]:
    negative, positive = (_Labelled(*one) for one in zip(served, labelled, *weights, strict=True))
    return negative, positive


def _weigh(decision: _Labelled) -> Weighed:
    """Return what a decision's labels say, each of weight w = 1 ÷ propensity standing for w - 1 that have none.

    Where labels are lost besides, at random among those of a decision, the others stand for them too: w is divided by
    r = Σ w ÷ n, n being what they are to stand for. Of what has no label the share Σ u·y ÷ Σ u is positive, u = w ÷ r -
    1 (Hájek, 1971); labels of u = 0 say nothing of it. Its variance is Σ u²·(y - share)² ÷ (Σ u)², and that of the draw
    itself; that of no class is thought smaller than were weights and classes independent.
    """
    _, labels, weighed, weight, squared = decision
    known, positives = int(labels.sum()), int(labels[1])
    result = Weighed(
        served=float(decision.served),
        identified=float(known),
        positives=float(positives),
        drawn=np.full(POINTS, float(positives)),
        squares=float(known),
    )
    others = decision.served - known
    if others == 0:
        return result
    if not weight.sum() or -decision.excess > _LOST * decision.standing_for + _ERRORS * decision.error:
        return result
    came = min(1.0, float(weight.sum()) / decision.standing_for)
    stands = weight / came - weighed
    squares = np.maximum(0.0, squared / came**2 - 2 * weight / came + weighed)
    total = float(stands.sum())
    effective = total**2 / float(squares.sum()) if squares.sum() > 0 else 0.0
    if effective < LEAST_LABELS:
        return result
    share = float(stands[1]) / total
    common = (positives + share * others + 0.5) / (decision.served + 1)
    near = (share * effective + SHRUNK * common) / (effective + SHRUNK)
    linear = float((1 - near) ** 2 * squares[1] + near**2 * squares[0]) / total**2
    variance = max(linear, near * (1 - near) / effective) + near * (1 - near) / others
    drawn = positives + whole_outwards(others * beta_points(share, near, variance))
    return result._replace(
        identified=float(decision.served),
        positives=positives + share * others,
        drawn=drawn,
        squares=float(squared.sum()) / came**2 + known - float(weighed.sum()),
    )


corrected_by_propensity: Final = made_once(_corrected_by_propensity)
"""Return a cohort's metrics at its last maturity; None where its labels are not weighed."""
