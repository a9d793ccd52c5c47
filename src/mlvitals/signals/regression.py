"""How far predicted numbers are from true ones, from exact sums over the labels."""

from collections.abc import Iterator
from fractions import Fraction
from math import isfinite, sqrt
from typing import NamedTuple

from mlvitals.signals.intervals import (
    Interval,
    PairSums,
    determination_interval,
    loss_interval,
    mean_interval_by_sums,
)
from mlvitals.windows.summary import Outcome


class Error(NamedTuple):
    """One metric: its value, the rows it rests on, and its 95 % interval where it has one."""

    metric: str
    value: float
    samples: int
    lower: float | None = None
    upper: float | None = None


def determination(outcome: Outcome) -> Error | None:
    """Return R² = 1 - Σ (label - value)² ÷ Σ (label - mean)², None where labels do not vary.

    The sums are exact and their difference is taken before anything is rounded, so that a large mean hides nothing. The
    interval needs bins, from whose middle the moments of labels are taken.
    """
    rows = outcome.measured
    if rows == 0:
        return None
    spread = outcome.exact_total("label_squared") - outcome.exact_total("label") ** 2 / rows
    if spread <= 0:
        return None
    try:
        value = float(1 - outcome.exact_total("squared") / spread)
    except OverflowError:
        return None
    sums = _pair_sums(outcome)
    return _with("r2", value, rows, None if sums is None else determination_interval(sums))


def regression_errors(outcome: Outcome) -> Iterator[Error]:
    """Yield mae, rmse, bias (the mean of value - label) and mape, as far as they are defined and fit into a double.

    mape is the mean of |value - label| ÷ |label| over the labels that are not 0 (nor so near to it that the ratio is no
    double). Intervals are Student's of means: of the losses on the logarithmic scale (of the rmse the root of the
    squared error's), of the bias plainly.
    """
    rows, relative = outcome.measured, outcome.count("relative_rows")
    if rows:
        squared = outcome.exact_total("squared")
        absolute, signed = (outcome.exact_total(name) for name in ("absolute", "signed"))
        errors = (
            _with("mae", outcome.total("absolute") / rows, rows, loss_interval(absolute, squared, rows)),
            _root(outcome, squared),
            _with("bias", outcome.total("signed") / rows, rows, mean_interval_by_sums(signed, squared, rows)),
        )
        yield from (error for error in errors if isfinite(error.value))
    if relative:
        share = outcome.total("relative") / relative
        total, squares = (outcome.exact_total(name) for name in ("relative", "relative_squared"))
        if isfinite(share):
            yield _with("mape", share, relative, loss_interval(total, squares, relative))


def _root(outcome: Outcome, squared: Fraction) -> Error:
    """Return the rmse; its interval by the fourth powers, which are kept where values have bins."""
    rows, fourth = outcome.measured, _fourth_powers(outcome)
    ends = None if fourth is None else loss_interval(squared, fourth, rows)
    rooted = None if ends is None else Interval(*(sqrt(end) for end in ends))
    return _with("rmse", sqrt(outcome.total("squared") / rows), rows, rooted)


def _fourth_powers(outcome: Outcome) -> Fraction | None:
    if outcome.layout.output.score is None:
        return None
    fourth = float(outcome.totals("loss_fourth").sum())
    return Fraction(fourth) if isfinite(fourth) else None


def _pair_sums(outcome: Outcome) -> PairSums | None:
    """Return the moments of errors and of labels about the middle of the bins; None where values have none."""
    fourth = _fourth_powers(outcome)
    if fourth is None:
        return None
    rows, middle = outcome.measured, Fraction(outcome.layout.output.middle)
    label = outcome.exact_total("label")
    return PairSums(
        rows=rows,
        error_squared=outcome.exact_total("squared"),
        error_fourth=fourth,
        cross_first=outcome.exact_total("cross_first"),
        cross_second=outcome.exact_total("cross_second"),
        first=label - rows * middle,
        second=outcome.exact_total("label_squared") - 2 * middle * label + rows * middle**2,
        third=outcome.exact_total("label_third"),
        fourth=outcome.exact_total("label_fourth"),
    )


def _with(metric: str, value: float, rows: int, ends: Interval | None) -> Error:
    return Error(metric, value, rows) if ends is None else Error(metric, value, rows, *ends)
