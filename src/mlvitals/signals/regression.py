"""How far predicted numbers are from true ones, from exact sums over the labels."""

from collections.abc import Iterator
from fractions import Fraction
from math import isfinite, sqrt
from typing import NamedTuple

from mlvitals.signals.intervals import mean_and_variance
from mlvitals.signals.proportion import NORMAL_95
from mlvitals.windows.summary import Outcome


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
        squared = outcome.exact_total("squared")
        mae, bias = (
            _mean(metric, outcome, name, squared) for metric, name in (("mae", "absolute"), ("bias", "signed"))
        )
        errors = (mae, _root(outcome), bias)
        yield from (error for error in errors if isfinite(error.value))
    if relative:
        share = outcome.total("relative") / relative
        if isfinite(share):
            yield Error("mape", share, relative)


def _mean(metric: str, outcome: Outcome, name: str, squared: Fraction) -> Error:
    rows = outcome.measured
    ends = _ends(outcome.exact_total(name), squared, rows)
    return Error(metric, outcome.total(name) / rows, rows, *(ends or (None, None)))


def _root(outcome: Outcome) -> Error:
    """Return the rmse; its interval by the fourth powers, which are kept where values have bins."""
    rows, ends = outcome.measured, None
    if outcome.layout.output.score is not None:
        fourth = float(outcome.totals("loss_fourth").sum())
        ends = _ends(outcome.exact_total("squared"), Fraction(fourth), rows) if isfinite(fourth) else None
    lower, upper = (None, None) if ends is None else (sqrt(max(0.0, end)) for end in ends)
    return Error("rmse", sqrt(outcome.total("squared") / rows), rows, lower, upper)


def _ends(total: Fraction, squares: Fraction, rows: int) -> tuple[float, float] | None:
    """Return the ends of a mean's interval; None of one row, or of numbers that are too large."""
    found = mean_and_variance(total, squares, rows)
    if found is None:
        return None
    mean, half = found[0], NORMAL_95 * sqrt(found[1] / rows)
    return mean - half, mean + half
