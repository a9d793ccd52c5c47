"""Performance as it is of all predictions, corrected for the labels that are missing.

Of a young cohort as it will be once its labels have come, by how those of matured cohorts came; of one that has
matured, by the score bins of the labels that came, and by the known chances that they would come.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np

from mlvitals.signals.arrival import Arrival, arrivals
from mlvitals.signals.by_propensity import corrected_by_propensity
from mlvitals.signals.by_score import corrected_by_score
from mlvitals.signals.completion import Completed, Group, complete
from mlvitals.signals.selection import OF_POSITIVE_DECISIONS, Decided, bounds, decided, scores_of
from mlvitals.signals.share import RATIO_ROWS
from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic
from mlvitals.signals.weighted import Corrected
from mlvitals.windows.matured import Matured

DELAY_CURVES: Final = "delay_curves"
SCORE_BINS: Final = "score_bins"
PROPENSITY: Final = "propensity"

_ENDS: Final = (0.025, 0.5, 0.975)
_ARRIVED: Final = (
    ("arrived_true_negative", "arrived_false_negative"),
    ("arrived_false_positive", "arrived_true_positive"),
)


class _Prospect(NamedTuple):
    """What the labels of the negative and of the positive decisions will come to; None where it is not known."""

    negative: Completed | None
    positive: Completed | None


def _prospect(cohort: Decided, known: tuple[Arrival, Arrival]) -> _Prospect:
    groups = (Group(served, *cells) for served, cells in zip(cohort.served, cohort.labelled.tolist(), strict=True))
    return _Prospect(*(complete(group, arrival) for group, arrival in zip(groups, known, strict=True)))


def _expected(prospect: _Prospect) -> dict[str, tuple[float, float, float]]:
    """Return each metric's lower end, median and upper end, over all pairs of what both decisions may come to."""
    alarms, others = prospect.positive, prospect.negative
    if alarms is None:
        return {}
    nothing = Completed(np.zeros(1), np.zeros(1))
    rest = nothing if others is None else others
    values = scores_of(
        alarms.positives[:, None], rest.positives[None, :], rest.labelled[None, :], alarms.labelled[:, None]
    )
    found = {}
    for metric, one in values.items():
        defined = one[~np.isnan(one)]
        if len(defined) and (others is not None or metric in OF_POSITIVE_DECISIONS):
            lower, value, upper = np.quantile(defined, _ENDS).tolist()
            found[metric] = lower, value, upper
    return found


def _corrected(evidence: Evidence) -> Iterator[Reading]:
    yield from _by_delay(evidence)
    yield from _by_score(evidence)
    yield from _by_propensity(evidence)


def _by_score(evidence: Evidence) -> Iterator[Reading]:
    found = corrected_by_score(evidence)
    if found is None or found.one_sided:
        return
    for metric, one in found.metrics.items():
        otherwise = {name: values[metric] for name, values in found.sensitivity.items() if metric in values}
        yield from _of_all(evidence, SCORE_BINS, metric, one, otherwise)


def _by_propensity(evidence: Evidence) -> Iterator[Reading]:
    found = corrected_by_propensity(evidence)
    if found is None:
        return
    told = {
        "missing": float(found.missing),
        "missing_expected": found.expected,
        "unweighed": float(found.unweighed),
    }
    for metric, one in found.metrics.items():
        yield from _of_all(evidence, PROPENSITY, metric, one, told)


def _of_all(
    evidence: Evidence, method: str, metric: str, found: Corrected, told: Mapping[str, float]
) -> Iterator[Reading]:
    """Yield a metric of all predictions by what weighed labels say; nothing where they speak for too few."""
    if found.value is None or evidence.outcome is None or evidence.maturity is None:
        return
    yield Reading(
        value=found.value,
        samples=int(found.effective),
        attributes={"method": method, "metric": metric, "maturity": evidence.maturity},
        lower=found.lower,
        upper=found.upper,
        evidence={
            "coverage": evidence.outcome.judged / evidence.current.predictions,
            "identified_share": found.identified,
            "effective_samples": found.effective,
            **told,
        },
    )


def _by_delay(evidence: Evidence) -> Iterator[Reading]:
    cohort, matured, maturity = decided(evidence.current, evidence.outcome), evidence.matured, evidence.maturity
    if cohort is None or matured is None or maturity is None:
        return
    known = arrivals(matured)
    ends = bounds(cohort)
    about = _about(cohort, matured, known)
    for metric, expected in _expected(_prospect(cohort, known)).items():
        # Where some labels never come an outcome may be likely that is of the labelled ones and not of all.
        worst, best = ends[metric]
        lower, value, upper = expected
        yield Reading(
            value=value,
            samples=int(cohort.labelled.sum()),
            attributes={"method": DELAY_CURVES, "metric": metric, "maturity": maturity},
            reference_samples=int(matured.final.sum()),
            lower=lower,
            upper=upper,
            evidence={**about, "worst": worst, "best": best},
        )


def _about(cohort: Decided, matured: Matured, known: tuple[Arrival, Arrival]) -> dict[str, float | str]:
    """Return what it rests on: how many cohorts, and which share of each kind of label has come by the age in these."""
    about: dict[str, float | str] = {
        "coverage": int(cohort.labelled.sum()) / sum(cohort.served),
        "matured_cohorts": float(len(matured.served)),
    }
    for names, arrival in zip(_ARRIVED, known, strict=True):
        for name, curve in zip(names, (arrival.negatives, arrival.positives), strict=True):
            if curve is not None:
                about[name] = curve.share
    return about


PERFORMANCE_CORRECTED: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.performance.corrected",
        unit="{score}",
        brief="Performance corrected for labels that are missing, by how those of matured cohorts came, by score "
        "bin, or by propensity: accuracy, precision, recall, specificity, f1.",
        layer=Layer.MODEL,
        stage=Stage.MATURITY,
        one_sided=True,
        orientation=Orientation.HIGHER,
        level=Export.STANDARD,
        levels={
            "precision": Export.LEAN,
            "recall": Export.LEAN,
            SCORE_BINS: Export.STANDARD,
            PROPENSITY: Export.STANDARD,
        },
        attributes=("method", "metric", "maturity"),
        minimum_samples=RATIO_ROWS,
    ),
    compute=_corrected,
)
