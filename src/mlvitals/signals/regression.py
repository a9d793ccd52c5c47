"""How far predicted numbers are from true ones, from exact sums over the labels."""

from collections.abc import Iterator
from math import isfinite, sqrt
from typing import NamedTuple

from mlvitals.windows.summary import Outcome


class Error(NamedTuple):
    """One metric: its value, and the rows it rests on."""

    metric: str
    value: float
    samples: int


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
    double).
    """
    rows, relative = outcome.measured, outcome.count("relative_rows")
    if rows:
        values = {
            "mae": outcome.total("absolute") / rows,
            "rmse": sqrt(outcome.total("squared") / rows),
            "bias": outcome.total("signed") / rows,
        }
        yield from (Error(metric, value, rows) for metric, value in values.items() if isfinite(value))
    if relative:
        share = outcome.total("relative") / relative
        if isfinite(share):
            yield Error("mape", share, relative)
