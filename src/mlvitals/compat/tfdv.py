"""TensorFlow Data Validation's drift and skew comparators: histograms of each side's own range, laid over each other.

Source: TFDV 1.16, anomalies/metrics.cc and feature_util.cc, and the generators of its statistics.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from mlvitals.compat.column import Column, Counts, Numbers, Table, Tally, choose, columns
from mlvitals.compat.divergence import Floats, jensen_shannon_divergence
from mlvitals.compat.verdict import Verdict
from mlvitals.errors import InputError

_BUCKETS: Final = 10  # num_histogram_buckets
_RANKS: Final = 1_000  # num_rank_histogram_buckets: more values than these are not in the statistics

_NUMERIC: Final = ("jensen_shannon_divergence",)
_CATEGORICAL: Final = ("infinity_norm", "jensen_shannon_divergence", "normalized_abs_difference")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Histogram:
    """A standard histogram: finite values by bucket, and what has no place in one.

    edges: ascending, shape (buckets + 1,); where two are equal, the bucket between them is a single value.
    counts: shape (buckets,). infinite, nan: rows.
    """

    edges: Floats
    counts: Floats
    infinite: int = 0
    nan: int = 0


def drift(
    reference: Table,
    current: Table,
    *,
    method: str | None = None,
    thresholds: Mapping[str, float] | float | None = None,
) -> list[Verdict]:
    """Return TFDV's verdict on every column of the reference, in its order.

    Nulls are missing and not compared; NaN and infinities are values. Truth values are numbers, 0 and 1. method: of
    numbers jensen_shannon_divergence, of texts also infinity_norm (their default) and normalized_abs_difference.
    TFDV has no threshold of its own: without one, for all columns or by name, a verdict says a number only.

    Raises:
        ConfigError: the method does not exist for a column of that kind.
        InputError: a column cannot be compared.

    """
    return [_verdict(column, method, thresholds) for column in columns(reference, current)]


def make_histogram(values: Numbers) -> Histogram:
    """Return TFDV's standard histogram: ten equal buckets from the least to the greatest finite value.

    Buckets are closed above, the first at both ends. Rows are counted; TFDV reads the counts off a sketch of quantiles.
    """
    finite = values[np.isfinite(values)]
    nan, infinite = int(np.isnan(values).sum()), int(np.isinf(values).sum())
    if len(finite) == 0:
        return Histogram(edges=np.empty(0), counts=np.empty(0), infinite=infinite, nan=nan)
    least, greatest = float(finite.min()), float(finite.max())
    edges = np.linspace(least, greatest, _BUCKETS + 1) if least < greatest else np.array([least, greatest])
    counts = np.bincount(np.searchsorted(edges[1:-1], finite, side="left"), minlength=len(edges) - 1)
    return Histogram(edges=edges, counts=counts.astype(np.float64), infinite=infinite, nan=nan)


def histogram_divergence(reference: Histogram, current: Histogram) -> float | None:
    """Return the Jensen-Shannon divergence, to base 2, of two histograms over the union of their buckets' bounds.

    Values are taken to lie evenly in a bucket. Single values stand apart from the buckets around them. Infinite values
    of the two sides are two different buckets; the sign of an infinity does not count. NaN are two different buckets
    too where both sides have the same bounds, and forgotten where they have not. None where a side is empty. At most 1.
    """
    parts = [_spread(side) for side in (reference, current)]
    edges = np.unique(np.concatenate([edges for edges, _, _ in parts]))
    points = sorted({point for _, _, single in parts for point in single})
    keeps_nan = np.array_equal(parts[0][0], parts[1][0])
    sides = []
    for which, (side, (own, counts, single)) in enumerate(zip((reference, current), parts, strict=True)):
        apart = np.zeros(4)
        apart[[which, 2 + which]] = side.infinite, side.nan * keeps_nan
        cells = [_laid_over(own, counts, edges), np.array([single.get(point, 0.0) for point in points]), apart]
        sides.append(np.concatenate(cells))
    if not (sides[0].any() and sides[1].any()):
        return None
    return min(jensen_shannon_divergence(sides[0], sides[1], base=2), 1.0)


def _verdict(column: Column, method: str | None, thresholds: Mapping[str, float] | float | None) -> Verdict:
    is_number = column.is_number or column.is_truth
    available, kind = (_NUMERIC, "numeric") if is_number else (_CATEGORICAL, "categorical")
    chosen = choose(column.name, method or available[0], available, kind, "TFDV")
    if is_number:
        histograms = [make_histogram(side) for side in column.present()]
        value = histogram_divergence(*histograms)
    else:
        value = _CATEGORY_METHODS[chosen](*_ranked(column.tally))
    if value is None:
        raise InputError(f"column `{column.name}`: a table holds no value, where TFDV has no divergence")
    threshold = thresholds.get(column.name) if isinstance(thresholds, Mapping) else thresholds
    return Verdict(
        feature=column.name,
        method=chosen,
        value=value,
        threshold=threshold,
        drifted=None if threshold is None else value > threshold,
    )


def _spread(side: Histogram) -> tuple[Floats, Floats, dict[float, float]]:
    """Return the bounds and counts of the buckets that have a width, and the counts of single values."""
    wide = np.diff(side.edges) > 0
    single: dict[float, float] = {}
    for place in np.flatnonzero(~wide).tolist():
        point = float(side.edges[place])
        single[point] = single.get(point, 0.0) + float(side.counts[place])
    return (np.unique(side.edges) if wide.any() else np.empty(0)), side.counts[wide], single


def _laid_over(own: Floats, counts: Floats, edges: Floats) -> Floats:
    """Return the counts between finer edges, of which each of a side's own is one."""
    cells = np.zeros(max(len(edges) - 1, 0))
    if len(own):
        places = np.searchsorted(edges, own)
        parts = np.diff(edges)[places[0] : places[-1]]
        bucket = np.repeat(np.arange(len(counts)), np.diff(places))
        cells[places[0] : places[-1]] = parts / np.diff(own)[bucket] * counts[bucket]
    return cells


def _ranked(tally: Tally) -> tuple[Counts, Counts]:
    """Return the counts of each side's most frequent values, of which the other side may not have kept all."""
    sides = []
    for counts in (tally.reference, tally.current):
        # Of equals TFDV keeps the greatest texts.
        kept = np.lexsort((np.arange(len(counts)), counts))[-_RANKS:]
        ranked = np.zeros_like(counts)
        ranked[kept] = counts[kept]
        sides.append(ranked)
    return sides[0], sides[1]


def _infinity_norm(reference: Counts, current: Counts) -> float:
    return float(np.abs(current / current.sum() - reference / reference.sum()).max())


def _divergence(reference: Counts, current: Counts) -> float:
    return min(jensen_shannon_divergence(reference.astype(np.float64), current.astype(np.float64), base=2), 1.0)


def _normalized_difference(reference: Counts, current: Counts) -> float:
    return float(np.abs(current - reference).max() / (reference.sum() + current.sum()))


_CATEGORY_METHODS: Final[dict[str, Callable[[Counts, Counts], float]]] = {
    "infinity_norm": _infinity_norm,
    "jensen_shannon_divergence": _divergence,
    "normalized_abs_difference": _normalized_difference,
}
