"""What the predictions of a window are expected to cost, before any label of them has come."""

from collections.abc import Iterator
from math import sqrt
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mlvitals.signals.calibrator import Calibrator, calibrator_of
from mlvitals.signals.comparison import Comparison
from mlvitals.signals.cost import served_costs
from mlvitals.signals.cost_terms import CostTerms, Term
from mlvitals.signals.estimated import ESTIMATED_ROWS
from mlvitals.signals.proportion import NORMAL_95
from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic
from mlvitals.windows.served_amounts import served_amounts, served_unpriced
from mlvitals.windows.summary import Summary

_DAY: Final = 86_400.0

Floats = npt.NDArray[np.float64]


class _Expected(NamedTuple):
    """What missed positives and false alarms are expected to cost, and the variance that the calibrator leaves."""

    missed: float
    false: float
    variance: float
    unpriced: int


def _expect(summary: Summary, terms: CostTerms, calibrator: Calibrator) -> _Expected | None:
    """Return what decisions cost if scores mean what they meant: Σ chance × price; None where nothing is scored."""
    rows = summary.decisions_by_score
    if rows is None or rows.sum() == 0:
        return None
    missed, false = _stakes(summary, terms.false_negative, 0), _stakes(summary, terms.false_positive, 1)
    by_block = calibrator.sum_by_block(missed - false)
    priced = [(terms.false_negative, 0), (terms.false_positive, 1)]
    return _Expected(
        missed=float(missed @ calibrator.chances),
        false=float(false @ (1 - calibrator.chances)),
        variance=float(by_block**2 @ calibrator.variances),
        unpriced=sum(served_unpriced(summary, said) for term, said in priced if term is not None and term.of_amount),
    )


def _stakes(summary: Summary, term: Term | None, said: int) -> Floats:
    """Return what it would cost, by score bin, if every decision of one kind (0 negative, 1 positive) were wrong."""
    rows = summary.decisions_by_score
    assert rows is not None  # noqa: S101  # decisions were counted
    if term is None:
        return np.zeros(rows.shape[1])
    each: Floats = rows[said] * term.each
    return each + served_amounts(summary)[said] * term.of_amount if term.of_amount else each


def _calibrated(evidence: Evidence) -> tuple[Comparison, Summary, Calibrator] | None:
    """Return the reference whose labels say what scores mean: normal production, else what the version learned on."""
    for comparison in (Comparison.OPERATING, Comparison.TRAINING):
        reference = comparison.output(evidence)
        calibrator = None if reference is None else calibrator_of(reference)
        if reference is not None and calibrator is not None:
            return comparison, reference, calibrator
    return None


def _counts_what_is_priced(summary: Summary, terms: CostTerms) -> bool:
    by_amount = any(term is not None and term.of_amount for term in (terms.false_negative, terms.false_positive))
    return not by_amount or "score_amount" in summary.layout.served_sections


def _sure(summary: Summary, terms: CostTerms) -> float:
    """Return what is known to be paid without any label: reviews and failed requests."""
    return sum(part.total for part in served_costs(summary, terms).values())


def _at_risk(evidence: Evidence) -> Iterator[Reading]:
    terms, found = evidence.costs, _calibrated(evidence)
    current = evidence.current
    if terms is None or found is None or not terms.prices_decisions or not _counts_what_is_priced(current, terms):
        return
    comparison, reference, calibrator = found
    expected = _expect(current, terms, calibrator)
    if expected is None:
        return
    sure = _sure(current, terms)
    value = expected.missed + expected.false + sure
    half = NORMAL_95 * sqrt(expected.variance)
    told: dict[str, float | str] = {"false_negative": expected.missed, "false_positive": expected.false}
    told |= {name: part.total for name, part in served_costs(current, terms).items()}
    told["calibrated_on"] = comparison.value
    if evidence.seconds:
        told["per_day"] = value * _DAY / evidence.seconds
    usual = _expect(reference, terms, calibrator) if _counts_what_is_priced(reference, terms) else None
    if usual is not None and reference.predictions:
        whole = usual.missed + usual.false + _sure(reference, terms)
        told["usual"] = whole * current.predictions / reference.predictions
    if expected.unpriced:
        told["unpriced"] = float(expected.unpriced)
    yield Reading(
        value=value,
        samples=current.predictions,
        attributes={"currency": terms.currency},
        reference_samples=calibrator.rows,
        lower=max(min(value, sure), value - half),
        upper=value + half,
        evidence=told,
    )


COST_AT_RISK: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.cost.at_risk",
        unit="{currency}",
        brief="What the window's predictions are expected to cost before their labels come, if scores mean what they "
        "meant in the reference.",
        layer=Layer.VALUE,
        stage=Stage.WINDOW,
        orientation=Orientation.LOWER,
        level=Export.LEAN,
        attributes=("currency",),
        minimum_samples=ESTIMATED_ROWS,
    ),
    compute=_at_risk,
)
