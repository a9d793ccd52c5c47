"""A column's counts as streams: what is read of them, what it is called, and that it is orthonormal."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.decisions.columns import Watched, column_streams
from mlvitals.decisions.streams import ANGLE, DEVIATIONS, EFFECT, joined
from mlvitals.windows.bins import (
    INVALID,
    MISSING,
    NON_FINITE,
    OTHER,
    TRUTHS,
    UNKNOWN_VALUES,
    UNSEEN,
    CategoryBins,
    NumericBins,
)
from tests.decisions.histories import COLORS, NUMERIC, draw, feature, shares, watched, width

AGES = NumericBins((0.0, np.nextafter(0.0, 1.0), 1.0, 2.0, 3.0))  # 0 has a bin of its own
ALMOST_ALWAYS = NumericBins((7.0, np.nextafter(7.0, 8.0)))


def column(bins, counts, typical=1000.0, *, distribution=True, name="amount"):
    reference = np.asarray(counts, dtype=np.int64)
    return Watched(source=feature(name), bins=bins, reference=reference, distribution=distribution, typical=typical)


def per_cell(streams, one):
    """Return what a single row in each cell says, shape (cells, streams)."""
    return streams.read(np.eye(width(one.bins)))


def components(streams):
    return [stream.component for stream in (*streams.effects, *streams.shapes, *streams.rates)]


def rates_of(one):
    """Return of each rate which cells count and which they are counted among."""
    streams = column_streams([one])
    values = per_cell(streams, one)
    return {
        stream.component: (
            np.flatnonzero(values.hits[:, place]).tolist(),
            np.flatnonzero(values.rows[:, place]).tolist(),
        )
        for place, stream in enumerate(streams.rates)
    }


numeric_counts = st.lists(st.integers(0, 10_000), min_size=10, max_size=10).filter(any).map(lambda own: [*own, 5, 0, 1])
color_counts = st.lists(st.integers(0, 10_000), min_size=6, max_size=6).filter(lambda own: own[0] > 0)


@given(
    st.builds(column, st.just(NUMERIC), numeric_counts, st.floats(1, 1e6))
    | st.builds(column, st.just(COLORS), color_counts, st.floats(1, 1e6))
)
def test_directions_are_orthonormal_and_free_of_location_and_spread(one):
    streams = column_streams([one])
    values = per_cell(streams, one)
    own = np.isfinite(values.sampling[:, -1]) if sum(streams.directions) else np.zeros(width(one.bins), bool)
    weights = np.where(own, one.reference + 0.5, 0.0)
    scores = np.where(own[:, None], values.effects, 0.0)[:, len(streams.effects) :]
    if not scores.shape[1]:
        return
    weights /= weights.sum()
    assert weights @ scores == pytest.approx(np.zeros(scores.shape[1]), abs=1e-8)
    assert (scores.T * weights) @ scores == pytest.approx(np.eye(scores.shape[1]), abs=1e-8)
    other = np.where(own[:, None], values.effects, 0.0)[:, : len(streams.effects)]
    assert (other.T * weights) @ scores == pytest.approx(np.zeros((other.shape[1], scores.shape[1])), abs=1e-7)


@given(numeric_counts, st.floats(1, 5000))
def test_cells_are_merged_with_their_neighbours_until_each_expects_ten_rows(counts, typical):
    one = column(NUMERIC, counts, typical)
    streams = column_streams([one])
    if not streams.directions:
        return
    scores = per_cell(streams, one).effects[: NUMERIC.size, len(streams.effects) :]
    borders = np.flatnonzero(np.abs(np.diff(scores, axis=0)).max(axis=1) > 1e-9) + 1
    weights = one.reference[: NUMERIC.size] + 0.5
    expected = [part.sum() / weights.sum() * typical for part in np.split(weights, borders)]
    assert min(expected) >= 10 - 1e-6
    assert streams.directions[0] == len(expected) - 3


def test_rare_categories_count_together():
    bins = CategoryBins(("a", "b", "c", "d", "e"), own=5)
    counts = [500, 480, 8, 7, 5, 0, 0, 0]  # of 1000 rows: a and b expect enough, the others only together
    one = column(bins, counts)
    scores = per_cell(column_streams([one]), one).effects
    assert scores.shape == (8, 2)
    assert np.all(scores[[2, 3, 4, 5 + OTHER, 5 + UNSEEN]] == scores[2])
    assert np.isnan(scores[5 + MISSING]).all()
    few = column(bins, [500, 495, 2, 2, 1, 0, 0, 0])
    assert per_cell(column_streams([few]), few).effects.shape == (8, 1)


def test_a_numeric_column_is_watched_for_location_spread_shape_and_what_its_cells_are_not():
    one = column(NUMERIC, 1000 * shares(NUMERIC))
    streams = column_streams([one])
    assert components(streams) == ["location", "spread", "shape", "missing", "invalid", "out_of_range"]
    assert [stream.unit for stream in (*streams.effects, *streams.shapes, *streams.rates)] == [
        DEVIATIONS,
        EFFECT,
        EFFECT,
        ANGLE,
        ANGLE,
        ANGLE,
    ]
    everything, values = list(range(width(NUMERIC))), list(range(NUMERIC.size))
    assert rates_of(one) == {
        "missing": ([NUMERIC.size + MISSING], everything),
        "invalid": ([NUMERIC.size + NON_FINITE, NUMERIC.size + INVALID], everything),
        "out_of_range": ([0, NUMERIC.size - 1], values),
    }


def test_a_zero_inflated_column_is_watched_for_its_zeros_and_any_other_for_its_commonest_value():
    zeros = column(AGES, [0, 700, 100, 100, 100, 0, 0, 0, 0])
    assert AGES.label(1) == "= 0"
    assert rates_of(zeros)["zero"] == ([1], [0, 1, 2, 3, 4, 5])
    assert "zero" not in rates_of(column(AGES, [0, 400, 300, 200, 100, 0, 0, 0, 0]))
    assert rates_of(column(ALMOST_ALWAYS, [0, 999, 1, 0, 0, 0]))["heaviest"] == ([1], [0, 1, 2])


def test_a_categorical_column_is_watched_for_its_shape_missing_and_unseen_values():
    one = column(COLORS, [500, 300, 200, 10, 20, 0])
    assert components(column_streams([one])) == ["shape", "missing", "unseen"]
    assert rates_of(one)["unseen"] == ([3 + UNSEEN], [0, 1, 2, 3 + OTHER, 3 + UNSEEN])
    opened = CategoryBins(COLORS.values, own=3, closed=False)
    assert components(column_streams([column(opened, [500, 300, 200, 10, 20, 0])])) == ["shape", "missing"]


@pytest.mark.parametrize(
    ("one", "names"),
    [
        (column(UNKNOWN_VALUES, [0, 900, 0], distribution=False), ["missing"]),
        (column(NUMERIC, 1000 * shares(NUMERIC), distribution=False), ["missing", "invalid"]),
        (column(TRUTHS, [400, 600, 0, 0, 0]), ["shape", "missing", "unseen"]),
        (column(NumericBins(()), [0, 500, 0, 0]), ["missing", "invalid"]),
        (column(NUMERIC, [0] * 10 + [500, 0, 0]), ["missing", "invalid", "out_of_range"]),
        (column(NUMERIC, [0] * 13), ["missing", "invalid", "out_of_range"]),
        (column(COLORS, [0] * 6), ["missing", "unseen"]),
    ],
    ids=["identifier", "calendar", "boolean", "never a number", "always missing", "no rows", "no category"],
)
def test_what_has_no_distribution_is_only_watched_for_being_there(one, names):
    streams = column_streams([one])
    assert components(streams) == names
    values = streams.read(np.vstack([np.zeros(width(one.bins)), one.reference]))
    assert np.all(values.hits <= values.rows)
    assert sum(stream.weight for stream in (*streams.effects, *streams.shapes, *streams.rates)) == pytest.approx(1.0)


def test_a_constant_column_is_watched_for_its_one_value_and_not_for_its_location():
    one = column(ALMOST_ALWAYS, [0, 300_000, 0, 0, 0, 0])
    assert components(column_streams([one])) == ["missing", "invalid", "out_of_range", "heaviest"]


def test_categories_with_too_few_rows_for_a_shape_are_watched_one_by_one():
    few = column_streams([column(COLORS, [500, 450, 30, 5, 20, 0], 20.0)])
    assert components(few) == ["missing", "unseen", "share", "share"]  # not of the third, which expects not one row
    weights = {stream.component: stream.weight for stream in few.rates}
    assert weights["missing"] == weights["unseen"] == pytest.approx(0.3 / 0.45 / 2)
    assert weights["share"] == pytest.approx(0.15 / 0.45 / 2)
    values = per_cell(few, column(COLORS, [500, 450, 30, 5, 20, 0]))
    assert values.hits[:, 2:].T.tolist() == [[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]]
    assert values.rows[:, 2].tolist() == [1, 1, 1, 0, 1, 1]
    # One that is always there has no share that could move without another's.
    assert components(column_streams([column(COLORS, [500, 0, 0, 0, 0, 0], 20.0)])) == ["missing", "unseen"]


@given(color_counts, st.floats(1, 1e6))
def test_weights_of_categories_add_up_to_one_whatever_their_rows(counts, typical):
    streams = column_streams([column(COLORS, counts, typical)])
    weights = [stream.weight for stream in (*streams.shapes, *streams.rates)]
    assert sum(weights) == pytest.approx(1.0)
    assert min(weights) > 0


@given(st.one_of(numeric_counts), st.floats(1, 1e6))
def test_weights_of_a_detectors_streams_add_up_to_one(counts, typical):
    streams = column_streams([column(NUMERIC, counts, typical)])
    weights = [stream.weight for stream in (*streams.effects, *streams.shapes, *streams.rates)]
    assert sum(weights) == pytest.approx(1.0)
    assert min(weights) > 0


def test_effects_have_the_variance_that_rows_give_and_no_mean_where_nothing_changed():
    random = np.random.default_rng(2)
    counts = draw(random, shares(NUMERIC), np.full(4000, 250))
    streams = column_streams([watched("amount", NUMERIC, counts)])
    values = streams.read(counts)
    standard = values.effects / np.sqrt(values.sampling)
    assert np.abs(standard.mean(axis=0)).max() < 0.08
    assert (standard**2).mean(axis=0) == pytest.approx(np.ones(standard.shape[1]), abs=0.1)
    assert np.cov(standard.T) == pytest.approx(np.eye(standard.shape[1]), abs=0.1)


def test_few_rows_in_a_window_leave_no_effect_whose_mean_is_not_normal():
    counts = 1000 * shares(NUMERIC)
    assert components(column_streams([column(NUMERIC, counts, 1.0)]))[:1] == ["missing"]
    assert components(column_streams([column(NUMERIC, counts, 100.0)]))[:2] == ["location", "spread"]


def test_a_window_without_values_says_nothing_of_them_and_all_of_their_absence():
    streams = column_streams([column(NUMERIC, 1000 * shares(NUMERIC))])
    gone = np.zeros((1, width(NUMERIC)))
    gone[0, NUMERIC.size + MISSING] = 80
    values = streams.read(gone)
    assert np.isnan(values.effects).all()
    assert np.isnan(values.sampling).all()
    assert (values.hits[0].tolist(), values.rows[0].tolist()) == ([80, 0, 0], [80, 80, 0])


def test_columns_read_together_say_what_each_says_alone():
    random = np.random.default_rng(7)
    bins = (NUMERIC, COLORS, UNKNOWN_VALUES, AGES)
    counts = [draw(random, shares(one, special=(0.02, 0.01, 0.01)), np.full(6, 400)) for one in bins[:2]]
    counts += [np.full((6, 3), 50.0), draw(random, shares(AGES), np.full(6, 400))]
    columns = [
        watched(str(place), one, some, distribution=one is not UNKNOWN_VALUES)
        for place, (one, some) in enumerate(zip(bins, counts, strict=True))
    ]
    together = column_streams(columns)
    alone = joined(tuple(column_streams([one]) for one in columns), tuple(width(one) for one in bins))
    assert (together.effects, together.shapes, together.rates) == (alone.effects, alone.shapes, alone.rates)
    assert together.directions == alone.directions
    assert sorted(together.sources) == [feature(str(place)) for place in range(4)]
    for one, other in zip(together.read(np.hstack(counts)), alone.read(np.hstack(counts)), strict=True):
        assert one == pytest.approx(other, nan_ok=True)


def test_a_billion_rows_are_read_exactly():
    counts = np.full((1, width(COLORS)), 1e9)
    values = column_streams([column(COLORS, [5, 4, 3, 0, 0, 0])]).read(counts)
    assert np.isfinite(values.effects).all()
    assert values.hits[0].tolist() == [1e9, 1e9]
    assert values.rows[0].tolist() == [6e9, 5e9]


def test_values_that_a_reference_held_once_foretell_those_that_it_did_not_hold():
    values = tuple(f"shop {number}" for number in range(40))
    rare = CategoryBins(values, own=10, once=30)
    streams = column_streams([column(rare, [97] * 10 + [5, 30, 0])])
    hidden = {stream.component: stream.hidden for stream in streams.rates}
    assert hidden == {"missing": 0.0, "unseen": 30 / 1000}
    (missing, unseen) = column_streams([column(COLORS, [50, 30, 20, 0, 0, 0])]).rates
    assert (missing.hidden, unseen.hidden) == (0.0, 0.0)
