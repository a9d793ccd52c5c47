"""What labels that have not come yet leave open: the worst and the best that a cohort's performance can still be."""

from math import isnan
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mlvitals.windows.summary import Counts, Outcome, Summary

Floats = npt.NDArray[np.float64]

METRICS: Final = ("accuracy", "precision", "recall", "specificity", "f1")
OF_POSITIVE_DECISIONS: Final = frozenset({"precision"})  # the metrics that do not depend on negative ones


class Decided(NamedTuple):
    """A binary cohort by what was decided, negative before positive.

    served: predictions of each decision. labelled: those that have their label, decision × true class.
    """

    served: tuple[int, int]
    labelled: Counts


def decided(current: Summary, outcome: Outcome | None) -> Decided | None:
    """Return a cohort by its decisions; None where these are not counted, or nothing was decided."""
    served = current.decisions
    if outcome is None or served is None or not sum(served):
        return None
    labelled = outcome.confusion[:2, :2]
    # Labels of more predictions than were served are of no cohort that was counted.
    return Decided(served, labelled) if (labelled.sum(axis=1) <= served).all() else None


def scores_of(hits: Floats, misses: Floats, negative: Floats, positive: Floats) -> dict[str, Floats]:
    """Return the metrics of confusion tables, elementwise; NaN where one is not defined.

    Args:
        hits: true positives.
        misses: false negatives.
        negative: negative decisions.
        positive: positive decisions.

    """
    alarms, correct = positive - hits, negative - misses
    parts = {
        "accuracy": (hits + correct, alarms + misses),
        "precision": (hits, alarms),
        "recall": (hits, misses),
        "specificity": (correct, alarms),
        "f1": (2 * hits, alarms + misses),
    }
    with np.errstate(invalid="ignore"):
        return {metric: np.asarray(good / (good + bad)) for metric, (good, bad) in parts.items()}


def bounds(cohort: Decided) -> dict[str, tuple[float, float]]:
    """Return the least and the greatest value that each metric can have once every served prediction has its label.

    Each metric rises with true positives and falls with false negatives, and decisions are known. So it is at its worst
    where every missing label contradicts its decision, at its best where none does. Where one of the two is not
    defined, all that are defined are equal to the other. Source: Manski (2003), "Partial Identification of Probability
    Distributions", ch. 1: no assumption is made on which labels are missing.
    """
    (correct, missed), (alarms, hits) = cohort.labelled.tolist()
    negative, positive = np.array(cohort.served, dtype=np.float64)[:, None]
    true = np.array([hits, positive[0] - alarms])
    found = scores_of(true, np.array([negative[0] - correct, missed]), negative, positive)
    ends = {metric: values.tolist() for metric, values in found.items()}
    return {
        metric: (best if isnan(worst) else worst, worst if isnan(best) else best)
        for metric, (worst, best) in ends.items()
        if not (isnan(worst) and isnan(best))
    }
