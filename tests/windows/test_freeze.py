import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.windows.binning import count_bins, find_bins
from mlvitals.windows.bins import NumericBins
from mlvitals.windows.freeze import (
    FEATURE_BINS,
    SCORE_BINS,
    freeze_categories,
    freeze_classes,
    freeze_numeric,
    freeze_score,
    group_bins,
)

FINITE = st.floats(allow_nan=False, allow_infinity=False)
FEW = st.lists(st.sampled_from([-1.0, -0.0, 0.0, 0.5, 3.0]) | FINITE, max_size=60)
MANY = st.lists(st.integers(-60, 60).map(float) | st.floats(-5, 5), max_size=300)
VALUES = st.one_of(FEW, MANY, st.lists(st.floats())).map(lambda values: np.array(values, dtype=np.float64))


def shares(bins, values):
    return count_bins(values, bins.array, np.array([0, len(values)]))[0] / len(values)


@given(VALUES, st.integers(1, 30))
def test_edges_ascend_and_are_few(values, bins):
    frozen = freeze_numeric(values, bins)
    assert all(low < high for low, high in pairwise(frozen.edges))
    assert np.isfinite(frozen.array).all()
    assert frozen.size <= 2 * bins + 5  # each point has two edges; so have 0 and the range


@given(VALUES, st.integers(1, 30))
def test_a_value_of_some_mass_has_a_bin_of_its_own(values, bins):
    frozen = freeze_numeric(values, bins)
    finite = values[np.isfinite(values)]
    for value, count in Counter((finite + 0.0).tolist()).items():
        if count >= len(finite) / bins and value < sys.float_info.max:
            place = find_bins(np.array([value]), frozen.array)[0]
            assert frozen.is_point[place]
            assert frozen.edges[place - 1] == value


@given(VALUES)
def test_every_finite_value_falls_in_exactly_one_bin(values):
    finite = values[np.isfinite(values)]
    frozen = freeze_numeric(values)
    assert count_bins(finite, frozen.array, np.array([0, len(finite)])).sum() == len(finite)


@pytest.mark.parametrize("seed", range(3))
def test_bins_of_a_continuous_feature_hold_equal_mass(seed):
    values = np.random.default_rng(seed).lognormal(size=10_000)
    frozen = freeze_numeric(values)
    held = shares(frozen, values)
    assert (held > 0).sum() == FEATURE_BINS
    assert np.abs(held[held > 0] - 1 / FEATURE_BINS).max() < 1e-3


def test_a_zero_inflated_feature_has_a_bin_for_zero_and_equal_bins_beside_it():
    random = np.random.default_rng(0)
    values = np.where(random.random(10_000) < 0.6, 0.0, random.exponential(size=10_000))
    frozen = freeze_numeric(values)
    held = shares(frozen, values)
    assert frozen.is_point.sum() == 1
    assert held[frozen.is_point] == np.mean(values == 0)
    others = held[~frozen.is_point & (held > 0)]
    assert len(others) == 8  # 40 % of twenty
    assert np.abs(others - 0.05).max() < 0.005


def test_a_constant_feature_has_one_point_and_room_on_both_sides():
    frozen = freeze_score(np.full(100, 7.0))
    assert frozen.edges == (7.0, np.nextafter(7.0, np.inf))
    assert frozen.is_point.tolist() == [False, True, False]
    assert [frozen.label(index) for index in range(3)] == ["< 7", "= 7", "> 7"]


@pytest.mark.parametrize("freeze", [freeze_numeric, freeze_score])
@given(values=VALUES)
def test_what_is_out_of_the_references_range_has_bins_that_it_left_empty(freeze, values):
    frozen = freeze(values)
    finite = values[np.isfinite(values)]
    counts = count_bins(finite, frozen.array, np.array([0, len(finite)]))[0]
    assert counts[frozen.is_outside].sum() == 0
    if len(finite) == 0:
        assert (frozen.lowest, frozen.highest) == (None, None)
        assert not frozen.is_outside.any()
        return
    lowest, highest = finite.min(), finite.max()
    assert (frozen.lowest, frozen.highest) == (lowest, highest)
    with np.errstate(over="ignore"):
        beyond = np.array([np.nextafter(lowest, -np.inf), np.nextafter(highest, np.inf)])
    past = find_bins(beyond[np.isfinite(beyond)], frozen.array)
    assert frozen.is_outside[past].all()
    assert not frozen.is_outside[find_bins(np.array([lowest, highest]), frozen.array)].any()


@given(VALUES)
def test_zero_has_a_bin_of_its_own_whether_the_reference_had_it_or_not(values):
    frozen = freeze_numeric(values)
    if np.isfinite(values).any():
        place = find_bins(np.array([0.0]), frozen.array)[0]
        assert frozen.is_point[place]
        assert frozen.label(place) == "= 0"


@pytest.mark.parametrize(
    ("values", "labels", "outside"),
    [
        ([7.0], ["< 0", "= 0", "(0, 7)", "= 7", "> 7"], [0, 1, 2, 4]),
        ([-7.0], ["< -7", "= -7", "(-7, 0)", "= 0", "> 0"], [0, 2, 3, 4]),
        ([-7.0, 7.0], ["< -7", "= -7", "(-7, 0)", "= 0", "(0, 7)", "= 7", "> 7"], [0, 6]),
        ([0.0], ["< 0", "= 0", "> 0"], [0, 2]),
        ([5e-324], ["< 0", "= 0", "= 4.94066e-324", "> 4.94066e-324"], [0, 1, 3]),
        ([-5e-324], ["< -4.94066e-324", "= -4.94066e-324", "= 0", "> 0"], [0, 2, 3]),
    ],
)
def test_the_bins_beside_the_range_by_hand(values, labels, outside):
    frozen = freeze_numeric(np.array(values))
    assert [frozen.label(index) for index in range(frozen.size)] == labels
    assert np.flatnonzero(frozen.is_outside).tolist() == outside


def test_the_bins_at_both_ends_say_whether_their_ends_belong_to_them():
    frozen = freeze_numeric(np.linspace(1, 41, 41), 4)
    assert frozen.lowest == 1
    assert frozen.highest == 41
    labels = [frozen.label(index) for index in range(frozen.size)]
    assert labels == ["< 0", "= 0", "(0, 1)", "[1, 11)", "[11, 21)", "[21, 31)", "[31, 41]", "> 41"]


@pytest.mark.parametrize("values", [[], [np.nan] * 10, [np.inf, -np.inf, np.nan]])
def test_a_feature_without_a_finite_value_has_one_bin_for_all(values):
    frozen = freeze_numeric(np.array(values))
    assert frozen.size == 1
    assert frozen.label(0) == "any"


def test_both_zeros_are_one_value():
    assert freeze_numeric(np.array([-0.0] * 3 + [0.0] * 3)) == freeze_numeric(np.array([0.0] * 6))
    assert str(freeze_numeric(np.array([-0.0])).edges[0]) == "0.0"


def test_no_edge_lies_past_the_greatest_double():
    greatest = sys.float_info.max
    frozen = freeze_numeric(np.array([greatest, -greatest]))
    assert frozen.edges[-1] == frozen.highest == greatest
    assert np.flatnonzero(frozen.is_outside).tolist() == [0]  # and even there is nothing but -inf
    wide = np.random.default_rng(0).uniform(-1, 1, 5_000) * greatest
    assert np.isfinite(freeze_score(wide).array).all()


@given(st.lists(st.integers(0, 3_000), min_size=1, max_size=400))
def test_few_distinct_scores_each_have_a_bin(numerators):
    scores = np.array(numerators) / 3_000
    frozen = freeze_score(scores)
    assert frozen.is_point[find_bins(scores, frozen.array)].all()
    assert frozen.is_point.sum() == len(set(numerators))


def test_two_thousand_distinct_scores_are_still_exact_and_one_more_is_not():
    exact = freeze_score(np.arange(SCORE_BINS) / SCORE_BINS)
    assert exact.is_point.sum() == SCORE_BINS
    assert freeze_score(np.arange(SCORE_BINS + 1) / SCORE_BINS).is_point.sum() == 0


def test_the_fine_bins_of_a_rare_class_hold_little_of_it_each():
    random = np.random.default_rng(1)
    truth = random.random(50_000) < 0.01
    scores = np.where(truth, random.beta(5, 2, 50_000), random.beta(1, 60, 50_000))
    frozen = freeze_score(scores, [scores[~truth], scores[truth]])
    assert frozen.size <= SCORE_BINS + SCORE_BINS // 100
    for part in (scores, scores[~truth], scores[truth]):
        assert shares(frozen, part).max() < 0.005
    assert np.diff(frozen.array).max() <= np.ptp(scores) / 999 * (1 + 1e-9)  # wherever live scores will lie


def test_a_heavy_score_among_many_has_a_bin_of_its_own():
    random = np.random.default_rng(2)
    scores = np.where(random.random(20_000) < 0.1, 0.5, random.random(20_000))
    frozen = freeze_score(scores)
    assert frozen.is_point[find_bins(np.array([0.5]), frozen.array)[0]]


@given(st.lists(st.integers(0, 50) | st.just(0), min_size=1, max_size=200), st.integers(1, 30))
def test_drift_bins_are_runs_of_neighbours_with_their_share_each(counts, groups):
    counts = np.array(counts)
    bins = NumericBins(tuple(float(n) for n in range(len(counts) - 1)))
    of_bin = np.array(group_bins(bins, counts, groups))
    least = max(1.0, counts.sum() / groups)
    assert len(of_bin) == bins.size
    assert of_bin[0] == 0
    assert set(np.diff(of_bin).tolist()) <= {0, 1}
    for group in range(of_bin[-1]):
        members = counts[of_bin == group]
        following = counts[of_bin == group + 1][0]
        # A group ends when it has its share, before a bin that stands alone, or at the end of the range.
        crosses = len(set(bins.is_outside[(of_bin == group) | (of_bin == group + 1)].tolist())) == 2
        assert members.sum() >= least or following >= least or crosses
        assert members[:-1].sum() < least
    for place in np.flatnonzero(counts >= least):
        assert (of_bin == of_bin[place]).sum() == 1


def test_a_constant_score_that_comes_alive_moves_to_bins_of_its_own():
    frozen = freeze_score(np.full(1_000, 0.5))
    assert group_bins(frozen, np.array([0, 1_000, 0])) == (0, 1, 2)


def test_without_any_row_there_is_one_drift_bin_and_one_on_either_side_of_it():
    assert group_bins(NumericBins((1.0, 2.0, 3.0)), np.zeros(4, dtype=np.int64)) == (0, 1, 1, 2)


def test_scores_out_of_the_references_range_are_in_drift_bins_of_their_own():
    scores = np.random.default_rng(3).random(50_000)
    frozen = freeze_score(scores)
    counts = count_bins(scores, frozen.array, np.array([0, len(scores)]))[0]
    of_bin = np.array(group_bins(frozen, counts))
    assert of_bin[-1] == FEATURE_BINS + 1
    assert np.bincount(of_bin, counts)[[0, -1]].tolist() == [0, 0]


def test_categories_are_ordered_by_frequency_then_by_name():
    bins = freeze_categories({"b": 7, "a": 7, "rare": 4, "c": 9})
    assert bins.values == ("c", "a", "b", "rare")
    assert (bins.own, bins.closed) == (3, True)


def test_where_no_category_is_frequent_each_of_a_few_has_a_bin():
    assert freeze_categories({"a": 1, "b": 2}).own == 2
    assert freeze_categories({str(n): 4 for n in range(20)}).own == 20
    assert freeze_categories({str(n): 4 for n in range(21)}).own == 0
    assert freeze_categories({}).size == 0


def test_five_hundred_categories_have_a_bin_and_the_others_are_known_by_name():
    bins = freeze_categories({f"{n:04}": 10_000 - n for n in range(800)})
    assert (bins.own, len(bins.values), bins.closed) == (500, 800, True)


def test_past_two_hundred_thousand_categories_an_unknown_one_is_not_called_unseen():
    bins = freeze_categories({str(n): 5 for n in range(200_001)})
    assert (len(bins.values), bins.closed) == (200_000, False)


def test_classes_that_were_never_predicted_have_a_bin_too():
    assert freeze_classes({"a", "b", "c"}, Counter({"b": 3, "c": 1})).values == ("b", "c", "a")
