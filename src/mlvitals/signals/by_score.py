"""Performance over all predictions of a cohort whose labels have all come, by the score bins that they came from."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from mlvitals.signals.made_once import made_once
from mlvitals.signals.spec import Evidence
from mlvitals.signals.strata import Strata, strata_of
from mlvitals.signals.weighted import Corrected, corrected_scores, point_scores, weigh_strata

ONLY_POSITIVES: Final = (
    "only positive labels have come, and not of all predictions: whether one does seems to go by what it says"
)

# By how much the odds of what is not labelled might differ from those of what is: either way.
_ODDS: Final = {"odds_half": 0.5, "odds_double": 2.0}


class ByScore(NamedTuple):
    """A cohort's metrics, and what they would be were those that are not labelled otherwise than those that are.

    sensitivity: by its name, each metric where their odds of being positive are half or double within a stratum.
    one_sided: why the labels cannot be a sample by score; empty where they can.
    """

    metrics: Mapping[str, Corrected]
    sensitivity: Mapping[str, Mapping[str, float]]
    one_sided: str


def _corrected_by_score(evidence: Evidence) -> ByScore | None:
    strata = strata_of(evidence.current, evidence.outcome) if evidence.final else None
    if strata is None:
        return None
    return ByScore(
        metrics=corrected_scores(*map(weigh_strata, strata)),
        sensitivity={name: _at_odds(strata, odds) for name, odds in _ODDS.items()},
        one_sided=ONLY_POSITIVES if _is_one_sided(strata) else "",
    )


def _at_odds(strata: tuple[Strata, Strata], odds: float) -> Mapping[str, float]:
    negative, positive = (weigh_strata(one, odds) for one in strata)
    return {metric: float(value) for metric, value in point_scores(negative, positive).items() if not np.isnan(value)}


def _is_one_sided(strata: tuple[Strata, Strata]) -> bool:
    served = sum(int(one.served.sum()) for one in strata)
    negatives, positives = sum(one.labelled.sum(axis=0) for one in strata).tolist()
    return bool(negatives == 0 and 0 < positives < served)


corrected_by_score: Final = made_once(_corrected_by_score)
"""Return a cohort's metrics at its last maturity; None where its labels are not counted by score and decision.

Before that some labels are only late, and how late goes by what they say: `arrival` is what speaks of these. Both the
values of labelled predictions and the corrected ones ask for it.
"""
