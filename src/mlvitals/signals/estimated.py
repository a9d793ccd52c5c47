"""Estimated performance: what it should be before labels come, and how far off that was once they have."""

from collections.abc import Iterator, Mapping
from math import sqrt
from typing import Final, NamedTuple

from mlvitals.signals.calibrator import Calibrator, calibrator_of
from mlvitals.signals.comparison import Comparison
from mlvitals.signals.estimate import Belief, Estimate, after_label_shift, as_in_reference, estimate_scores
from mlvitals.signals.made_once import made_once
from mlvitals.signals.performance import PERFORMANCE_SCORE
from mlvitals.signals.proportion import NORMAL_95, interval_by_variance
from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic
from mlvitals.windows.summary import Counts, Summary

# With fewer rows the estimate is fine and what is realised is not near it: 0.06 about an accuracy of one half.
ESTIMATED_ROWS: Final = 300

CBPE: Final = "cbpe"
LABEL_SHIFT: Final = "label_shift"

_DETAILS: Final = ("specificity", "mcc", "pr_auc")
_BETWEEN_SIGNS: Final = frozenset({"mcc"})


class _Basis(NamedTuple):
    """What a cohort is estimated from: its decisions by score, and the reference that says what scores mean."""

    decisions: Counts
    reference: Summary
    calibrator: Calibrator
    comparison: Comparison


def calibrated_reference(evidence: Evidence) -> tuple[Comparison, Summary, Calibrator] | None:
    """Return the reference whose labels say what the window's scores mean, and how; None where there is none.

    That is normal production, else what the version learned on.
    """
    for comparison in (Comparison.OPERATING, Comparison.TRAINING):
        reference = comparison.output(evidence)
        calibrator = None if reference is None else calibrator_of(reference)
        if reference is not None and calibrator is not None:
            return comparison, reference, calibrator
    return None


def _basis(evidence: Evidence) -> _Basis | None:
    decisions, found = evidence.current.decisions_by_score, calibrated_reference(evidence)
    if decisions is None or found is None or decisions.sum() == 0:
        return None
    comparison, reference, calibrator = found
    return _Basis(decisions, reference, calibrator, comparison)


def _beliefs(basis: _Basis) -> Iterator[tuple[str, Belief]]:
    rows = basis.decisions.sum(axis=0).astype(float)
    yield CBPE, as_in_reference(basis.calibrator, rows)
    shifted = after_label_shift(basis.calibrator, rows)
    if shifted is not None:
        yield LABEL_SHIFT, shifted


def _estimates(basis: _Basis) -> dict[str, tuple[Belief, dict[str, Estimate]]]:
    """Return each method's belief, and its estimates by metric."""
    rows = basis.decisions.astype(float)
    return {
        method: (belief, {one.metric: one for one in estimate_scores(rows, belief)})
        for method, belief in _beliefs(basis)
    }


def _estimated(evidence: Evidence) -> Iterator[Reading]:
    basis = _basis(evidence)
    if basis is None:
        return
    found = _estimates(basis)
    rows, realised = int(basis.decisions.sum()), realised_of(basis.reference)
    outside = float(basis.decisions.sum(axis=0)[basis.calibrator.outside].sum() / rows)
    for method, (belief, estimates) in found.items():
        about = {"positives": belief.share, "outside": outside, "left_out": float(evidence.current.predictions - rows)}
        for metric, one in estimates.items():
            lower, upper = _interval(one)
            told: dict[str, float | str] = {**about, "calibrated_on": basis.comparison.value}
            if metric in realised:
                told["reference"] = realised[metric]
            if method == CBPE and LABEL_SHIFT in found:
                told["gap"] = found[LABEL_SHIFT][1][metric].value - one.value
            yield Reading(
                value=one.value,
                samples=rows,
                attributes={"method": method, "metric": metric},
                reference_samples=basis.calibrator.rows,
                lower=lower,
                upper=upper,
                noise=sqrt(one.variance),
                evidence=told,
            )


def _interval(one: Estimate) -> tuple[float, float]:
    if one.metric not in _BETWEEN_SIGNS:
        return interval_by_variance(one.value, one.variance)
    half = NORMAL_95 * sqrt(one.variance)
    return max(-1.0, one.value - half), min(1.0, one.value + half)


def _errors(evidence: Evidence) -> Iterator[Reading]:
    outcome, maturity, basis = evidence.outcome, evidence.maturity, _basis(evidence)
    if outcome is None or maturity is None or basis is None or outcome.labelled == 0:
        return
    realised = {
        reading.attributes["metric"]: reading
        for reading in PERFORMANCE_SCORE.compute(evidence)
        if reading.attributes.keys() == {"metric", "maturity"}
    }
    served = evidence.current.predictions
    for method, (_, estimates) in _estimates(basis).items():
        for metric, one in estimates.items():
            if metric not in realised:
                continue
            value, rows = realised[metric].value - one.value, realised[metric].samples
            # As if labels came by chance: what few of them realise varies more than what all would.
            noise = sqrt(one.sampling * max(1.0, served / max(1, outcome.labelled)) + one.calibration)
            yield Reading(
                value=value,
                samples=rows,
                attributes={"method": method, "metric": metric, "maturity": maturity},
                reference_samples=basis.calibrator.rows,
                lower=value - NORMAL_95 * noise,
                upper=value + NORMAL_95 * noise,
                noise=noise,
                evidence={
                    "estimated": one.value,
                    "realised": realised[metric].value,
                    "coverage": outcome.labelled / served if served else 0.0,
                },
            )


def _realised(reference: Summary) -> Mapping[str, float]:
    outcome = reference.outcome(len(reference.outcomes) - 1)
    readings = PERFORMANCE_SCORE.compute(Evidence(current=reference, outcome=outcome, maturity="reference"))
    return {reading.attributes["metric"]: reading.value for reading in readings}


realised_of: Final = made_once(_realised)
"""Return the scores that a reference's own labels give, by metric."""


PERFORMANCE_ESTIMATED: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.performance.estimated",
        unit="{score}",
        brief="What performance is to be expected before labels come, by method (cbpe, label_shift) and metric.",
        layer=Layer.MODEL,
        stage=Stage.WINDOW,
        orientation=Orientation.HIGHER,
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
        brief="How much better the cohort's labels showed it to be than was estimated, by method and metric.",
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
