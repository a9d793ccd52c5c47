import math
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.windows import binning
from mlvitals.windows.binning import count_bins, count_codes, find_bins

EDGES = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=50, unique=True).map(
    lambda edges: np.array(sorted(set(np.array(edges) + 0.0)), dtype=np.float64)
)


@st.composite
def columns(draw):
    """Edges, values among which are the edges themselves, and the bounds of groups, empty ones too."""
    edges = draw(EDGES)
    below = [math.nextafter(edge, -math.inf) for edge in edges]
    special = [math.nan, math.inf, -math.inf, -0.0, 0.0, *edges.tolist(), *below]
    values = np.array(draw(st.lists(st.sampled_from(special) | st.floats())), dtype=np.float64)
    cuts = sorted(draw(st.lists(st.integers(0, len(values)), max_size=4)))
    return edges, values, np.array([0, *cuts, len(values)], dtype=np.intp)


def expect(values, edges):
    kept = values[~np.isnan(values)]
    return np.histogram(kept, np.concatenate([[-np.inf], edges, [np.inf]]))[0] if len(edges) else [len(kept)]


@given(columns())
def test_bins_hold_what_numpy_finds_there(column):
    edges, values, bounds = column
    counts = count_bins(values, edges, bounds)
    assert counts.shape == (len(bounds) - 1, len(edges) + 1)
    assert counts.dtype == np.int64
    for group, (first, last) in enumerate(pairwise(bounds)):
        assert counts[group].tolist() == list(expect(values[first:last], edges))


@given(columns())
def test_comparing_sorting_and_searching_count_alike(column):
    edges, values, bounds = column
    searched = binning._count_by_searching(values, edges, bounds)
    compared = [binning._count_by_comparing(values[a:b], edges) for a, b in pairwise(bounds)]
    ordered = [binning._count_by_sorting(values[a:b], edges) for a, b in pairwise(bounds)]
    assert searched.tolist() == [counts.tolist() for counts in compared] == [counts.tolist() for counts in ordered]


def test_long_columns_are_counted_like_short_ones():
    random = np.random.default_rng(3)
    edges = np.linspace(-2, 2, 19)
    values = np.where(random.random(9_000) < 0.1, np.nan, np.round(random.normal(size=9_000), 1))
    bounds = np.array([0, 4_000, 4_000, 9_000])
    for first in (0, 1):  # of three groups of this length comparing is chosen for one, searching for the other
        some = bounds[first:] - bounds[first]
        counts = count_bins(values[bounds[first] :], edges, some)
        for group in range(len(some) - 1):
            part = values[bounds[first] :][some[group] : some[group + 1]]
            assert counts[group].tolist() == list(expect(part, edges))


@given(columns())
def test_the_bin_that_is_found_is_the_one_that_is_counted(column):
    edges, values, _ = column
    real = values[~np.isnan(values)]
    found = np.bincount(find_bins(real, edges), minlength=len(edges) + 1)
    assert found.tolist() == count_bins(real, edges, np.array([0, len(real)]))[0].tolist()


def test_no_groups_give_no_counts():
    assert count_bins(np.empty(0), np.array([1.0]), np.zeros(1, dtype=np.intp)).shape == (0, 2)


@given(st.lists(st.integers(0, 6)), st.lists(st.integers(0, 100), max_size=4))
def test_codes_are_counted_by_group(codes, cuts):
    bounds = [0, *sorted(min(cut, len(codes)) for cut in cuts), len(codes)]
    counts = count_codes(np.array(codes, dtype=np.intp), 7, np.array(bounds))
    for group, (first, last) in enumerate(pairwise(bounds)):
        assert counts[group].tolist() == [codes[first:last].count(code) for code in range(7)]
