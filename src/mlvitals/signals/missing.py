"""What is told beside every value of labelled predictions: how many these are, and what the others leave open."""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from mlvitals.signals.arrival import arrivals, why_unknown
from mlvitals.signals.by_propensity import CONTRADICTED, HARDLY_ANY, corrected_by_propensity
from mlvitals.signals.by_score import ByScore, corrected_by_score
from mlvitals.signals.selection import METRICS, OF_POSITIVE_DECISIONS, Decided, bounds, decided
from mlvitals.signals.spec import Evidence, Reading
from mlvitals.windows.matured import Matured

Compute = Callable[[Evidence], Iterator[Reading]]
Told = dict[str, float | str]

TOO_FEW: Final = "too few predictions have a score and decision of which enough are labelled"


def with_what_is_missing(compute: Compute) -> Compute:
    """Return what reads values of labelled predictions, each with the coverage and its bounds in its evidence.

    Such a value is about the labelled ones alone: it is not to be told without saying how many these are. Where it
    could be corrected, and is not, the reason is told too.
    """

    def read(evidence: Evidence) -> Iterator[Reading]:
        outcome, served = evidence.outcome, evidence.current.predictions
        if outcome is None or served == 0:
            yield from compute(evidence)
            return
        coverage = {"coverage": outcome.judged / served}
        cohort = decided(evidence.current, outcome)
        open_ends = {} if cohort is None else bounds(cohort)
        reasons = {} if cohort is None else _uncorrected(cohort, evidence.matured)
        hidden = _hidden(evidence)
        for reading in compute(evidence):
            told: Told = {**reading.evidence, **coverage}
            metric = reading.attributes["metric"]
            ends = open_ends.get(metric)
            if ends is not None:
                told |= {"worst": ends[0], "best": ends[1]}
                told |= reasons.get(metric in OF_POSITIVE_DECISIONS, {}) | hidden.get(metric, {})
            yield msgspec.structs.replace(reading, evidence=told)

    return read


def _uncorrected(cohort: Decided, matured: Matured | None) -> dict[bool, dict[str, str]]:
    """Return why metrics are not corrected, of positive decisions alone and of both, where they could be."""
    if matured is None:
        return {}
    missing = (cohort.labelled.sum(axis=1) < cohort.served).tolist()
    unknown = [open_still and not one.is_known for open_still, one in zip(missing, arrivals(matured), strict=True)]
    reason = {"uncorrected": why_unknown(matured)}
    return {alone: reason for alone, hidden in ((True, unknown[1]), (False, any(unknown))) if hidden}


def _hidden(evidence: Evidence) -> dict[str, Told]:
    """Return why metrics are not corrected at the last maturity, and what they can be, where they are not."""
    found, weighed = corrected_by_score(evidence), corrected_by_propensity(evidence)
    told: dict[str, Told] = {} if found is None else _hidden_by_score(found)
    if weighed is None:
        return told
    for metric in METRICS:
        by_weight = weighed.metrics.get(metric)
        if by_weight is not None and by_weight.value is not None:
            told.pop(metric, None)
        else:
            told.setdefault(metric, {})["unweighed"] = CONTRADICTED if weighed.contradicted else HARDLY_ANY
    return told


def _hidden_by_score(found: ByScore) -> dict[str, Told]:
    return {
        metric: {
            "uncorrected": found.one_sided or TOO_FEW,
            "identified_share": one.identified,
            **({} if found.one_sided else {"identified_worst": one.lower, "identified_best": one.upper}),
        }
        for metric, one in found.metrics.items()
        if found.one_sided or one.value is None
    }
