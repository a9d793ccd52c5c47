"""How far predicted numbers are from true ones, from exact sums over the labels."""

from collections.abc import Iterator
from math import isfinite, sqrt
from typing import Final, NamedTuple

from mlvitals.signals.intervals import variance_of_mean
from mlvitals.signals.proportion import NORMAL_95
from mlvitals.windows.summary import Outcome

_LEAST_ROWS: Final = 2


class Error(NamedTuple):
    """One metric: its value, the rows it rests on, and its 95 % interval where it has one."""

    metric: str
    value: float
    samples: int
    lower: float | None = None
    upper: float | None = None


def determination(outcome: Outcome) -> float | None:
    """Return R² = 1 - Σ (label - value)² ÷ Σ (label - mean)², None where labels do not vary.

    The sums are exact and their difference is taken before anything is rounded, so that a large mean hides nothing.
    """
    rows = outcome.measured
    if rows == 0:
        return None
    spread = outcome.exact_total("label_squared") - outcome.exact_total("label") ** 2 / rows
    if spread <= 0:
        return None
    try:
        return float(1 - outcome.exact_total("squared") / spread)
    except OverflowError:
        return None


def regression_errors(outcome: Outcome) -> Iterator[Error]:
    """Yield mae, rmse, bias (the mean of value - label) and mape, as far as they are defined and fit into a double.

    mape is the mean of |value - label| ÷ |label| over the labels that are not 0 (nor so near to it that the ratio is no
    double). Intervals are normal ones of means: of the absolute error, the squared one (its root then), and the error.
    """
    rows, relative = outcome.measured, outcome.count("relative_rows")
    if rows:
        squared = outcome.total("squared")
        mae, bias = outcome.total("absolute") / rows, outcome.total("signed") / rows
        errors = [
            Error("mae", mae, rows, *_around(mae, rows, squared)),
            Error("rmse", sqrt(squared / rows), rows, *_of_root(outcome, squared / rows)),
            Error("bias", bias, rows, *_around(bias, rows, squared)),
        ]
        yield from (error for error in errors if isfinite(error.value))
    if relative:
        share = outcome.total("relative") / relative
        if isfinite(share):
            yield Error("mape", share, relative)


def _around(mean: float, rows: int, squares: float) -> tuple[float | None, float | None]:
    """Return the interval of a mean by the sum of squares; none of one row, or of numbers that are too large."""
    if rows < _LEAST_ROWS:
        return None, None
    half = NORMAL_95 * sqrt(variance_of_mean(mean, squares, rows))
    return (mean - half, mean + half) if isfinite(half) else (None, None)


def _of_root(outcome: Outcome, mean: float) -> tuple[float | None, float | None]:
    if outcome.layout.output.score is None:  # the fourth powers are not kept
        return None, None
    rows, fourth = int(outcome.loss_rows.sum()), float(outcome.totals("loss_fourth").sum())
    lower, upper = _around(mean, rows, fourth)
    if lower is None or upper is None:
        return None, None
    return sqrt(max(0.0, lower)), sqrt(upper)
