"""whylogs' drift scores, as of profiles that hold every value.

Source: whylogs 1.6.4, viz/drift/column_drift_algorithms.py. whylogs reads its numbers off sketches. They hold every
value of up to about a thousand rows, and count up to about a hundred texts exactly; past that whylogs' own numbers
scatter around these.
"""

from collections.abc import Callable
from math import ceil
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from scipy.special import chdtrc

from mlvitals.compat.column import Column, Table, choose, columns
from mlvitals.compat.divergence import Floats, hellinger_distance
from mlvitals.compat.verdict import Verdict

_QUANTILES: Final = np.linspace(0, 1, 100)
_BUCKETS: Final = 30
_ROWS_PER_BUCKET: Final = 4
_FEWEST_BUCKETS: Final = 2

_FLOAT: Final[tuple[str, ...]] = ("ks", "hellinger")
_INTEGER: Final[tuple[str, ...]] = ("ks", "hellinger", "chi-square")
_TEXT: Final[tuple[str, ...]] = ("chi-square",)

_P_VALUE: Final = 0.05
_POSSIBLE_P_VALUE: Final = 0.15
_DISTANCE: Final = 0.4
_POSSIBLE_DISTANCE: Final = 0.15


class _Answer(NamedTuple):
    value: float
    p_value: float | None = None


def drift(reference: Table, current: Table, *, method: str | None = None) -> list[Verdict]:
    """Return whylogs' verdict on every column of the reference, in its order.

    Nulls and NaN are dropped, infinities stay; truth values are numbers, 0 and 1. method: ks (the default of numbers)
    or hellinger for numbers, chi-square for texts, integers and truth values (the default of texts).
    drifted is its category DRIFT: a p-value below 0.05, a Hellinger distance from 0.4 on; `category` tells all three.

    Raises:
        ConfigError: the method does not exist for a column of that kind.
        InputError: a column cannot be compared.

    """
    return [_verdict(column, method) for column in columns(reference, current)]


def category(verdict: Verdict) -> str:
    """Return DRIFT, POSSIBLE_DRIFT (a p-value below 0.15, a Hellinger distance from 0.15 on) or NO_DRIFT."""
    if verdict.drifted:
        return "DRIFT"
    if verdict.p_value is not None:
        return "POSSIBLE_DRIFT" if verdict.p_value < _POSSIBLE_P_VALUE else "NO_DRIFT"
    return "POSSIBLE_DRIFT" if verdict.value is not None and verdict.value >= _POSSIBLE_DISTANCE else "NO_DRIFT"


def _verdict(column: Column, method: str | None) -> Verdict:
    if column.is_number or column.is_truth:
        is_float = any(pa.types.is_floating(side.type) for side in (column.reference, column.current))
        kind, available = ("float", _FLOAT) if is_float else ("integer", _INTEGER)
    else:
        kind, available = "text", _TEXT
    chosen = choose(column.name, method or available[0], available, kind, "whylogs")
    answer = _METHODS[chosen](column)
    is_test = answer.p_value is not None
    return Verdict(
        feature=column.name,
        method=chosen,
        value=answer.value,
        p_value=answer.p_value,
        threshold=_P_VALUE if is_test else _DISTANCE,
        drifted=answer.p_value < _P_VALUE if answer.p_value is not None else answer.value >= _DISTANCE,
    )


def _sorted(column: Column) -> tuple[Floats, Floats]:
    reference, current = (np.sort(side[~np.isnan(side)]).astype(np.float64) for side in column.present())
    column.refuse_empty(len(reference), len(current))
    return reference, current


def _kolmogorov_smirnov(column: Column) -> _Answer:
    """Return the greatest difference of the shares below each of both sides' hundred quantiles.

    It is the two-sample distance at those values only, each value itself not counted; its p-value is that of one sample
    of the harmonic size.
    """
    from scipy.stats import kstwo  # noqa: PLC0415  # slow to import, and only this needs it

    sides = _sorted(column)
    places = np.concatenate(
        [side[np.minimum((_QUANTILES * len(side)).astype(np.int64), len(side) - 1)] for side in sides]
    )
    below = [np.searchsorted(side, places, side="left") / len(side) for side in sides]
    distance = float(np.abs(below[1] - below[0]).max())
    rows, others = (len(side) for side in sides)
    return _Answer(distance, float(kstwo.sf(distance, np.round(rows * others / (rows + others)))))


def _hellinger(column: Column) -> _Answer:
    """Return the distance over at most thirty equal buckets from the least to the greatest value of both sides."""
    sides = _sorted(column)
    least, greatest = (float(edge(end)) for edge, end in ((min, [s[0] for s in sides]), (max, [s[-1] for s in sides])))
    greatest += abs(greatest) * 1e-7 if greatest != 0 else 1e-7
    rows = sum(len(side) for side in sides)
    buckets = max(min(ceil(rows / _ROWS_PER_BUCKET), _BUCKETS), _FEWEST_BUCKETS)
    width = (greatest - least) / buckets
    edges = np.array([least + place * width for place in range(buckets + 1)])
    shares = [np.diff(np.searchsorted(side, edges, side="left"), prepend=0, append=len(side)) for side in sides]
    return _Answer(hellinger_distance(shares[0] / len(sides[0]), shares[1] / len(sides[1])))


def _chi_square(column: Column) -> _Answer:
    """Return the one-sample test against expected counts cut to whole numbers; where one is 0, infinity and p = 0.

    Rows are all rows, nulls too; degrees of freedom are the current table's values less one, at least one.
    """
    tally = column.tally
    expected = np.trunc(tally.reference / len(column.reference) * len(column.current))
    freedom = max(int(np.count_nonzero(tally.current)) - 1, 1)
    if (expected == 0).any():
        return _Answer(float("inf"), 0.0)
    statistic = float(((tally.current - expected) ** 2 / expected).sum())
    return _Answer(statistic, float(chdtrc(freedom, statistic)))


_METHODS: Final[dict[str, Callable[[Column], _Answer]]] = {
    "ks": _kolmogorov_smirnov,
    "hellinger": _hellinger,
    "chi-square": _chi_square,
}
