"""Whether scores still mean what they meant in the reference: what estimates cannot see, once labels have come."""

from collections.abc import Iterator
from math import sqrt
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import logit

from mlvitals.signals.calibrator import Calibrator, calibrator_of, confidence_of, graded_confidence
from mlvitals.signals.estimated import ESTIMATED_ROWS, labelled_reference
from mlvitals.signals.proportion import NORMAL_95
from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic
from mlvitals.windows.layout import Task
from mlvitals.windows.summary import Counts

Floats = npt.NDArray[np.float64]

# The odds of every score rose or fell by a quarter and more: a chance of 0.50 became 0.56.
_WARNING: Final = 0.25

# With fewer labels, those that came first may be of another kind than those to come, and scores need not have changed.
_COMPLETE: Final = 0.9


class Shift(NamedTuple):
    """How the log odds of a positive label differ from the reference's, and the standard error.

    intercept: for all scores alike. slope: how much steeper they rise than in the reference; 0 where nothing changed.
    """

    method: str
    value: float
    noise: float


def calibration_shifts(negatives: Counts, positives: Counts, calibrator: Calibrator) -> Iterator[Shift]:
    """Yield the intercept and the slope of labels on the reference's log odds, as far as they are defined.

    One step of Newton's from "nothing changed": with chances c, labels y, and l = logit(c) about its mean under the
    weights c(1 - c), they are Σ (y - c) ÷ Σ c(1 - c) and Σ (y - c)·l ÷ Σ c(1 - c)·l². Each is off by the outcomes and
    by what the reference does not know of its chances. Where a block saw one class only, its posterior mean is c.
    Source: Cox (1958), "Two further applications of a model for binary regression", Biometrika 45.

    Args:
        negatives: labels by score bin, shape (bins,).
        positives: labels by score bin, shape (bins,).
        calibrator: of the reference.

    """
    rows = (negatives + positives).astype(np.float64)
    chances = np.clip(calibrator.chances, *_open(calibrator))
    weights = rows * chances * (1 - chances)
    total = weights.sum()
    if total == 0:
        return
    odds = logit(chances)
    excess = positives - rows * chances
    for method, regressor in (("intercept", np.ones_like(odds)), ("slope", odds - weights @ odds / total)):
        information = float(weights @ regressor**2)
        if information <= total * np.finfo(float).eps:
            continue
        by_block = calibrator.sum_by_block(rows * regressor)
        variance = information + float(by_block**2 @ calibrator.variances)
        yield Shift(method, float(excess @ regressor / information), sqrt(variance) / information)


def _open(calibrator: Calibrator) -> tuple[float, float]:
    """Return the least and the greatest chance that the reference can tell from 0 and 1."""
    least = 0.5 / (calibrator.rows + 1)
    return least, 1 - least


def spiegelhalter_z(negatives: Counts, positives: Counts, calibrator: Calibrator) -> float | None:
    """Return Spiegelhalter's Z of labels against the reference's chances; None where they leave nothing to chance.

    Σ (y - c)(1 - 2c) ÷ √Σ c(1 - c)(1 - 2c)², with the reference's own uncertainty added below the root. Source:
    Spiegelhalter (1986), "Probabilistic prediction in patient management and clinical trials", Stat. in Medicine 5.
    """
    rows = (negatives + positives).astype(np.float64)
    chances, tilt = calibrator.chances, 1 - 2 * calibrator.chances
    by_block = calibrator.sum_by_block(rows * tilt)
    variance = float((rows * chances * (1 - chances)) @ tilt**2 + by_block**2 @ calibrator.variances)
    return float((positives - rows * chances) @ tilt) / sqrt(variance) if variance > 0 else None


def _compute(evidence: Evidence) -> Iterator[Reading]:
    outcome, maturity = evidence.outcome, evidence.maturity
    if outcome is None or maturity is None:
        return
    is_binary = outcome.layout.output.task is Task.BINARY
    found = labelled_reference(evidence, calibrator_of if is_binary else confidence_of)
    if found is None:
        return
    *_, calibrator = found
    negatives, positives = (outcome.negatives, outcome.positives) if is_binary else graded_confidence(outcome)
    rows, served = int(negatives.sum() + positives.sum()), evidence.current.predictions
    coverage = outcome.judged / served if served else 0.0
    z = spiegelhalter_z(negatives, positives, calibrator)
    for method, value, noise in calibration_shifts(negatives, positives, calibrator):
        yield Reading(
            value=value,
            samples=rows,
            attributes={"method": method, "maturity": maturity},
            reference_samples=calibrator.rows,
            lower=value - NORMAL_95 * noise,
            upper=value + NORMAL_95 * noise,
            normal=0.0 if coverage >= _COMPLETE else None,
            noise=noise,
            evidence={"coverage": coverage} | ({} if z is None else {"spiegelhalter_z": z}),
        )


PERFORMANCE_MISCALIBRATION: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.performance.miscalibration",
        unit="{logit}",
        brief="By how much the log odds of what came true differ from what scores meant, by method: intercept, slope.",
        layer=Layer.MODEL,
        stage=Stage.MATURITY,
        orientation=Orientation.NEITHER,
        level=Export.STANDARD,
        level_if_moved=Export.LEAN,
        attributes=("method", "maturity"),
        minimum_samples=ESTIMATED_ROWS,
        warning=_WARNING,
    ),
    compute=_compute,
)
