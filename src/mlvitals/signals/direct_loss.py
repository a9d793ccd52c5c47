"""The error of a regression before its labels come: the mean loss that each predicted value had in the reference."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.signals.estimate import Estimate
from mlvitals.signals.made_once import made_once
from mlvitals.windows.layout import Task
from mlvitals.windows.outcome_sums import LOSS_SUMS
from mlvitals.windows.summary import Counts, Outcome, Summary

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Losses:
    """What the reference's labels say of errors, for each drift bin of the value; arrays of shape (bins,).

    rows: measured ones. absolute, squared, signed, fourth: means of |e|, e², e and e⁴. known: which bins have rows; the
    others have the means of the nearest that has.
    """

    rows: Counts
    absolute: Floats
    squared: Floats
    signed: Floats
    fourth: Floats
    known: npt.NDArray[np.bool_]


def read_losses(outcome: Outcome) -> Losses | None:
    """Return the mean losses by drift bin of the value; None without any measured row, or past all doubles."""
    rows = outcome.loss_rows
    known = np.flatnonzero(rows)
    if not len(known):
        return None
    places = np.arange(len(rows))
    nearest = known[np.abs(places[:, None] - known[None]).argmin(axis=1)]
    totals = (outcome.totals(name) / np.maximum(rows, 1) for name in LOSS_SUMS)
    absolute, squared, signed, fourth = (one[nearest] for one in totals)
    if not np.isfinite(squared).all():
        return None
    return Losses(rows[nearest], absolute, squared, signed, fourth, known=rows > 0)


def _losses(reference: Summary) -> Losses | None:
    output = reference.layout.output
    if output.task is not Task.REGRESSION or output.score is None or not len(reference.outcomes):
        return None
    return read_losses(reference.outcome(len(reference.outcomes) - 1))


losses_of: Final = made_once(_losses)
"""Return what a regression's reference says of errors; None where it says nothing."""


def estimate_errors(rows: Floats, losses: Losses) -> Iterator[Estimate]:
    """Yield mae, rmse and bias as they are to be expected, as far as they fit into a double.

    With shares q of the window in each bin and the reference's mean losses μ: Σ q·μ, of e² its root. The variance is
    Σ q²·v·(1 ÷ rows here + 1 ÷ rows in the reference), v that of the loss in the bin.

    Args:
        rows: values served by drift bin, shape (bins,).
        losses: of the reference.

    """
    total = rows.sum()
    shares = rows / total
    spreads = {
        "mae": losses.squared - losses.absolute**2,
        "rmse": losses.fourth - losses.squared**2,
        "bias": losses.squared - losses.signed**2,
    }
    means = {"mae": losses.absolute, "rmse": losses.squared, "bias": losses.signed}
    for metric, mean in means.items():
        value, spread = float(shares @ mean), np.maximum(spreads[metric], 0.0)
        sampling = float(shares @ spread / total)
        calibration = float(shares**2 @ (spread / losses.rows))
        if metric == "rmse":
            slope = 1 / (4 * value) if value > 0 else 0.0
            value, sampling, calibration = sqrt(value), sampling * slope, calibration * slope
        if isfinite(value) and isfinite(sampling + calibration):
            yield Estimate(metric, value, sampling, calibration)
