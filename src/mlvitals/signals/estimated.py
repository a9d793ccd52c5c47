"""Estimated performance: what it should be before labels come, and how far off that was once they have."""

from collections.abc import Callable, Iterator, Mapping
from math import inf, sqrt
from typing import Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from mlvitals.signals.calibrator import Calibrator, calibrator_of, confidence_of
from mlvitals.signals.comparison import Comparison
from mlvitals.signals.direct_loss import estimate_errors, losses_of
from mlvitals.signals.estimate import Estimate, after_label_shift, as_in_reference, estimate_scores
from mlvitals.signals.made_once import made_once
from mlvitals.signals.performance import PERFORMANCE_ERROR, PERFORMANCE_SCORE
from mlvitals.signals.proportion import NORMAL_95, interval_by_variance
from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic
from mlvitals.windows.layout import OutputLayout, Task
from mlvitals.windows.summary import Counts, Summary

# With fewer rows the estimate is fine and what is realised is not near it: 0.06 about an accuracy of one half.
ESTIMATED_ROWS: Final = 300

CBPE: Final = "cbpe"
LABEL_SHIFT: Final = "label_shift"
DIRECT_LOSS: Final = "dle"

_DETAILS: Final = ("specificity", "mcc", "pr_auc", "bias")
_RANGES: Final = {"mcc": (-1.0, 1.0), "mae": (0.0, inf), "rmse": (0.0, inf), "bias": (-inf, inf)}
Known = TypeVar("Known")
Floats = npt.NDArray[np.float64]


class _Forecast(NamedTuple):
    """What a method expects of a cohort, by metric.

    rows: of the cohort that it rests on. labels: of the reference. told: what a person needs to understand it.
    """

    method: str
    estimates: Mapping[str, Estimate]
    rows: int
    reference: Summary
    labels: int
    told: Mapping[str, float | str]


def labelled_reference(
    evidence: Evidence, read: Callable[[Summary], Known | None]
) -> tuple[Comparison, Summary, Known] | None:
    """Return the reference whose labels say something of the window's predictions, and what; None where none does.

    That is normal production, else what the version learned on.
    """
    for comparison in (Comparison.OPERATING, Comparison.TRAINING):
        reference = comparison.output(evidence)
        known = None if reference is None else read(reference)
        if reference is not None and known is not None:
            return comparison, reference, known
    return None


def calibrated_reference(evidence: Evidence) -> tuple[Comparison, Summary, Calibrator] | None:
    """Return the reference whose labels say what a binary model's scores mean, and how; None where there is none."""
    return labelled_reference(evidence, calibrator_of)


def _forecasts(evidence: Evidence) -> Iterator[_Forecast]:
    match evidence.current.layout.output.task:
        case Task.BINARY:
            yield from _of_scores(evidence)
        case Task.MULTICLASS:
            yield from _of_confidence(evidence)
        case Task.REGRESSION:
            yield from _of_values(evidence)


def _of_scores(evidence: Evidence) -> Iterator[_Forecast]:
    decisions, found = evidence.current.decisions_by_score, calibrated_reference(evidence)
    if decisions is None or found is None or decisions.sum() == 0:
        return
    comparison, reference, calibrator = found
    by_decision = decisions.astype(np.float64)
    by_score = by_decision.sum(axis=0)
    rows = int(decisions.sum())
    about = _about(evidence, comparison, rows, float(by_score[calibrator.outside].sum()))
    beliefs = {CBPE: as_in_reference(calibrator, by_score), LABEL_SHIFT: after_label_shift(calibrator, by_score)}
    for method, belief in beliefs.items():
        if belief is not None:
            estimates = {one.metric: one for one in estimate_scores(by_decision, belief)}
            told = {**about, "positives": belief.share}
            yield _Forecast(method, estimates, rows, reference, calibrator.rows, told)


def _of_confidence(evidence: Evidence) -> Iterator[_Forecast]:
    """Yield what the scores of predicted classes say of the share that is right: each is a positive decision."""
    scores, found = evidence.current.score, labelled_reference(evidence, confidence_of)
    if scores is None or found is None or scores.counts.sum() == 0:
        return
    comparison, reference, calibrator = found
    served = _by_group(evidence.current.layout.output, scores.counts, len(calibrator.chances))
    belief = as_in_reference(calibrator, served)
    estimates = estimate_scores(np.stack([np.zeros_like(served), served]), belief)
    accuracy = {one.metric: one for one in estimates if one.metric == "accuracy"}
    about = _about(evidence, comparison, int(served.sum()), float(served[calibrator.outside].sum()))
    yield _Forecast(CBPE, accuracy, int(served.sum()), reference, calibrator.rows, about)


def _by_group(output: OutputLayout, counts: Counts, groups: int) -> Floats:
    return np.bincount(output.group_codes, counts, minlength=groups).astype(np.float64)


def _of_values(evidence: Evidence) -> Iterator[_Forecast]:
    values, found = evidence.current.score, labelled_reference(evidence, losses_of)
    if values is None or found is None or values.counts.sum() == 0:
        return
    comparison, reference, losses = found
    served = _by_group(evidence.current.layout.output, values.counts, len(losses.rows))
    rows = int(served.sum())
    estimates = {one.metric: one for one in estimate_errors(served, losses)}
    labels = int(losses.rows[losses.known].sum())
    about = _about(evidence, comparison, rows, float(served[~losses.known].sum()))
    yield _Forecast(DIRECT_LOSS, estimates, rows, reference, labels, about)


def _about(evidence: Evidence, comparison: Comparison, rows: int, outside: float) -> Mapping[str, float | str]:
    return {
        "outside": outside / rows,
        "left_out": float(max(0, evidence.current.predictions - rows)),
        "calibrated_on": comparison.value,
    }


def _estimated(evidence: Evidence) -> Iterator[Reading]:
    forecasts = {one.method: one for one in _forecasts(evidence)}
    for method, forecast in forecasts.items():
        realised = realised_of(forecast.reference)
        for metric, one in forecast.estimates.items():
            told = dict(forecast.told)
            if metric in realised:
                told["reference"] = realised[metric]
            if method == CBPE and LABEL_SHIFT in forecasts:
                told["gap"] = forecasts[LABEL_SHIFT].estimates[metric].value - one.value
            lower, upper = _interval(one)
            yield Reading(
                value=one.value,
                samples=forecast.rows,
                attributes={"method": method, "metric": metric},
                reference_samples=forecast.labels,
                lower=lower,
                upper=upper,
                noise=sqrt(one.variance),
                evidence=told,
            )


def _interval(one: Estimate) -> tuple[float, float]:
    least, greatest = _RANGES.get(one.metric, (0.0, 1.0))
    if (least, greatest) == (0.0, 1.0):
        return interval_by_variance(one.value, one.variance)
    half = NORMAL_95 * sqrt(one.variance)
    return max(least, one.value - half), min(greatest, one.value + half)


def _errors(evidence: Evidence) -> Iterator[Reading]:
    outcome, maturity, served = evidence.outcome, evidence.maturity, evidence.current.predictions
    if outcome is None or maturity is None or outcome.judged == 0 or served == 0:
        return
    realised = _performance(evidence)
    coverage = outcome.judged / served
    for forecast in _forecasts(evidence):
        for metric, one in forecast.estimates.items():
            if metric not in realised:
                continue
            value = realised[metric].value - one.value
            # As if labels came by chance: what few of them realise varies more than what all would.
            noise = sqrt(one.sampling / min(1.0, coverage) + one.calibration)
            yield Reading(
                value=value,
                samples=realised[metric].samples,
                attributes={"method": forecast.method, "metric": metric, "maturity": maturity},
                reference_samples=forecast.labels,
                lower=value - NORMAL_95 * noise,
                upper=value + NORMAL_95 * noise,
                noise=noise,
                evidence={"estimated": one.value, "realised": realised[metric].value, "coverage": coverage},
            )


def _performance(evidence: Evidence) -> dict[str, Reading]:
    """Return what labels showed, by metric."""
    is_regression = evidence.current.layout.output.task is Task.REGRESSION
    readings = (PERFORMANCE_ERROR if is_regression else PERFORMANCE_SCORE).compute(evidence)
    plain = {"metric", "maturity"}
    return {one.attributes["metric"]: one for one in readings if one.attributes.keys() == plain}


def _realised(reference: Summary) -> Mapping[str, float]:
    outcome = reference.outcome(len(reference.outcomes) - 1)
    found = _performance(Evidence(current=reference, outcome=outcome, maturity="reference"))
    return {metric: reading.value for metric, reading in found.items()}


realised_of: Final = made_once(_realised)
"""Return what a reference's own labels showed, by metric."""


PERFORMANCE_ESTIMATED: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.performance.estimated",
        unit="{score}",
        brief="What performance is to be expected before labels come, by method (cbpe, label_shift, dle) and metric.",
        layer=Layer.MODEL,
        stage=Stage.WINDOW,
        orientation=Orientation.NEITHER,
        level=Export.LEAN,
        levels={
            LABEL_SHIFT: Export.STANDARD,
            **dict.fromkeys(_DETAILS, Export.STANDARD),
            "balanced_accuracy": Export.FULL,
        },
        attributes=("method", "metric"),
        minimum_samples=ESTIMATED_ROWS,
    ),
    compute=_estimated,
)

PERFORMANCE_ESTIMATE_ERROR: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.performance.estimate_error",
        unit="{score}",
        brief="What the cohort's labels showed less what was estimated before they came, by method and metric.",
        layer=Layer.MODEL,
        stage=Stage.MATURITY,
        orientation=Orientation.NEITHER,
        level=Export.STANDARD,
        levels={LABEL_SHIFT: Export.FULL, **dict.fromkeys((*_DETAILS, "balanced_accuracy"), Export.FULL)},
        attributes=("method", "metric", "maturity"),
        minimum_samples=ESTIMATED_ROWS,
    ),
    compute=_errors,
)
