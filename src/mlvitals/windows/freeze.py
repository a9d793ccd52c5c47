"""Freezing a layout: bins from the values of a reference, once."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.windows.bins import CategoryBins, NumericBins

Floats = npt.NDArray[np.float64]

FEATURE_BINS: Final = 20  # twenty for tests; location does not depend on it (Bickel & van Zwet scores are smooth)
SCORE_BINS: Final = 2_000
_OWN_CATEGORIES: Final = 500
_OWN_COUNT: Final = 5  # the usual least expected count of a chi-square cell
_KNOWN_CATEGORIES: Final = 200_000


def freeze_numeric(values: Floats, bins: int = FEATURE_BINS) -> NumericBins:
    """Return quantile bins of the finite values, in which a value with 1/`bins` of the mass has a bin of its own.

    So has 0, which a failed join or a filled null turns up as, and so has each value where there are no more than
    `bins` distinct ones. What is out of the values' range has bins of its own. Without any finite value there is one
    bin for all.
    """
    finite = np.sort(values[np.isfinite(values)])
    distinct, counts = np.unique(finite, return_counts=True)
    if len(distinct) <= bins:
        return _bins(distinct, points=np.append(distinct, 0.0))
    points = distinct[counts >= len(finite) / bins]
    rest = finite[~np.isin(finite, points)]
    share = max(1, round(bins * len(rest) / len(finite)))
    return _bins(distinct, points=np.append(points, 0.0), edges=_quantiles(rest, share))


def freeze_score(scores: Floats, classes: Sequence[Floats] = ()) -> NumericBins:
    """Return about two thousand fine bins of a score, every distinct score its own where there are fewer.

    Equal shares of the mass leave the few high scores of a rare class to a handful of bins, where an AUC over the
    labelled alerts could not be told. So half of the edges are quantiles of all scores and of each true class, and half
    stand at equal steps, where the live scores may lie even if the reference's did not.

    Args:
        scores: the reference's scores, shape (rows,).
        classes: the scores of each true class, where the reference has labels.

    """
    finite = scores[np.isfinite(scores)]
    distinct, counts = np.unique(finite, return_counts=True)
    if len(distinct) <= SCORE_BINS:
        return _bins(distinct, points=distinct)
    share = SCORE_BINS // 2 // (1 + len(classes))
    edges = [_quantiles(np.sort(part[np.isfinite(part)]), share) for part in (finite, *classes)]
    # Halved and doubled again, which rounds nothing, so that no range of doubles is too wide.
    edges.append(np.linspace(distinct[0] / 2, distinct[-1] / 2, SCORE_BINS // 2)[:-1] * 2)
    return _bins(distinct, points=distinct[counts >= len(finite) / SCORE_BINS], edges=np.concatenate(edges))


def freeze_categories(counts: Mapping[str, int], *, complete: bool = True) -> CategoryBins:
    """Return a bin for each frequent value, most frequent first; the others are known by name and share one bin.

    A value is frequent that is there five times. Where none is, each has a bin if they are no more than twenty: bins of
    many values that were there once or twice would stay empty in any other sample.
    complete: the counts are of all values; otherwise one that is not among them may have been there.
    """
    ordered = sorted(counts, key=lambda value: (-counts[value], value))
    own = sum(counts[value] >= _OWN_COUNT for value in ordered[:_OWN_CATEGORIES])
    if own == 0 and len(ordered) <= FEATURE_BINS:
        own = len(ordered)
    closed = complete and len(ordered) <= _KNOWN_CATEGORIES
    once = sum(count == 1 for count in counts.values()) if closed else 0
    return CategoryBins(values=tuple(ordered[:_KNOWN_CATEGORIES]), own=own, closed=closed, once=once)


def freeze_classes(classes: Iterable[str], counts: Counter[str]) -> CategoryBins:
    """Return a bin for each class that was predicted or true, most frequent first."""
    ordered = sorted(set(classes), key=lambda value: (-counts[value], value))[:_OWN_CATEGORIES]
    return CategoryBins(values=tuple(ordered), own=len(ordered))


def group_bins(bins: NumericBins, counts: npt.NDArray[np.int64], groups: int = FEATURE_BINS) -> tuple[int, ...]:
    """Return, for each fine bin, the index of its drift bin: runs of neighbours with 1/`groups` of the mass each.

    A bin that has that much alone stays alone, and so do the bins out of the reference's range on either side of it: a
    score that leaves the range, or a constant one that comes alive, moves to bins of its own.
    """
    least = max(1.0, float(counts.sum()) / groups)
    members: list[int] = []
    group, mass = 0, 0.0
    crossed = np.diff(bins.is_outside, prepend=bins.is_outside[0]).tolist()
    for count, crosses in zip(counts[: bins.size].tolist(), crossed, strict=True):
        if members and (crosses or count >= least or mass >= least):
            group, mass = group + 1, 0.0
        members.append(group)
        mass += count
    return tuple(members)


def _quantiles(ordered: Floats, parts: int) -> Floats:
    if len(ordered) == 0:
        return ordered
    places = np.arange(1, parts) * len(ordered) // parts
    return np.unique(ordered[places])


def _bins(distinct: Floats, points: Floats, edges: Floats | None = None) -> NumericBins:
    """Return the bins with these points and edges, and with the range of the reference's values, which are sorted."""
    if len(distinct) == 0:
        return NumericBins(())
    inner = np.empty(0) if edges is None else edges
    lowest, highest = distinct[0], distinct[-1]
    with np.errstate(over="ignore"):
        after = np.nextafter(np.append(points, highest), np.inf)
    every = np.unique(np.concatenate([[lowest], points, after, inner]))
    within = every[np.isfinite(every)] + 0.0  # past the greatest double there is nothing; + 0.0: one zero, not two
    below = int(np.searchsorted(within, lowest)) + 1
    above = len(within) - int(np.searchsorted(within, after[-1]))
    return NumericBins(edges=tuple(within.tolist()), outside=(below, above))
