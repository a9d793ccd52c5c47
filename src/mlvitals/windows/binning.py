"""Counting values in frozen bins, for many groups of rows at once."""

from typing import Final

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# Where groups of rows are long, comparing a whole group with each of few edges, or sorting it and finding many edges in
# it, beats a search for every value (ADR 0004).
_FEW_EDGES: Final = 48  # a feature's: twenty points, 0 and the range make at most 44
_LONG_COLUMN: Final = 4_096


def count_bins(values: Floats, edges: Floats, bounds: npt.NDArray[np.intp]) -> Counts:
    """Count values in half-open bins for consecutive groups of rows.

    Args:
        values: shape (rows,); NaN falls into no bin, infinities into the outer ones.
        edges: ascending, shape (bins - 1,).
        bounds: group g holds rows bounds[g] … bounds[g + 1], shape (groups + 1,).

    Returns:
        Counts, shape (groups, bins).

    """
    groups = len(bounds) - 1
    if len(values) < _LONG_COLUMN * groups:
        return _count_by_searching(values, edges, bounds)
    count = _count_by_comparing if len(edges) <= _FEW_EDGES else _count_by_sorting
    counted = [count(values[bounds[g] : bounds[g + 1]], edges) for g in range(groups)]
    return np.array(counted, dtype=np.int64).reshape(groups, len(edges) + 1)


def find_bins(values: Floats, edges: Floats) -> npt.NDArray[np.intp]:
    """Return the bin of each value; NaN goes to the last, so mask it."""
    return np.searchsorted(edges, values, side="right")


def _count_by_comparing(values: Floats, edges: Floats) -> Counts:
    at_least = [np.count_nonzero(values >= -np.inf), *(np.count_nonzero(values >= edge) for edge in edges), 0]
    counts = np.array(at_least, dtype=np.int64)
    return counts[:-1] - counts[1:]


def _count_by_sorting(values: Floats, edges: Floats) -> Counts:
    ordered = np.sort(values)  # NaN come last
    there = np.searchsorted(ordered, np.nan)
    below = np.searchsorted(ordered[:there], edges, side="left")
    return np.diff(below, prepend=0, append=there)


def _count_by_searching(values: Floats, edges: Floats, bounds: npt.NDArray[np.intp]) -> Counts:
    groups, bins = len(bounds) - 1, len(edges) + 1
    codes = find_bins(values, edges) + np.repeat(np.arange(groups) * bins, np.diff(bounds))
    return np.bincount(codes[~np.isnan(values)], minlength=groups * bins).reshape(groups, bins)


def count_codes(codes: npt.NDArray[np.intp], size: int, bounds: npt.NDArray[np.intp]) -> Counts:
    """Count codes 0 … size - 1 for consecutive groups of rows, as `count_bins` does values."""
    groups = len(bounds) - 1
    if groups == 1:
        return np.bincount(codes, minlength=size).reshape(1, size)
    joint = codes + np.repeat(np.arange(groups) * size, np.diff(bounds))
    return np.bincount(joint, minlength=groups * size).reshape(groups, size)
