"""Evidence of a change of shape: two kinds of e-values whose means stay at one inside the tolerance."""

import numpy as np
import pytest
from scipy import stats

from mlvitals.decisions.shapes import SHAPE_BETS, Shapes, Spread, Vectors, fit_spread

LENGTHS, DIRECTIONS = slice(0, 2), slice(2, SHAPE_BETS)


def spread_of(dimensions, streams=1):
    full = [np.full(streams, one) for one in (dimensions, 1.0, dimensions, 1.0)]
    return Spread(*(one.astype(np.float64) for one in full))


def vectors(normal, *, tolerance=0.0, cap=600.0, residual=None, variance=1.0):
    normal = np.asarray(normal, dtype=np.float64)
    full = [np.full(len(normal), one) for one in (tolerance, cap, variance)]
    return Vectors(normal, full[0], full[1], normal if residual is None else residual, full[2])


def along_first(lengths, directions):
    found = np.zeros((len(lengths), directions))
    found[:, 0] = lengths
    return found


@pytest.mark.parametrize("directions", [1, 4, 15])
@pytest.mark.parametrize("tolerance", [0.0, 0.5, 2.0])
def test_the_mean_of_a_lengths_e_value_is_one_at_the_edge_of_the_tolerance_and_less_inside(directions, tolerance):
    squared = np.linspace(1e-9, 600, 8_001)
    for length in (tolerance, tolerance / 2):
        chance = np.diff(
            stats.ncx2.cdf(squared, directions, length**2) if length else stats.chi2.cdf(squared, directions)
        )
        shapes = Shapes.start(len(chance), directions)
        middle = np.sqrt((squared[1:] + squared[:-1]) / 2)
        shapes.take(vectors(along_first(middle, directions), tolerance=tolerance), spread_of(directions, len(chance)))
        means = chance @ shapes.sums[:, LENGTHS]
        assert np.all(means <= 1 + 1e-3)
        if length == tolerance:
            assert means == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("tolerance", [0.0, 1.0])
def test_the_mean_of_a_directions_e_value_is_one_at_the_edge_and_less_wherever_else_the_mean_points(tolerance):
    values = np.arange(-14, 14, 0.01)
    shapes = Shapes.start(len(values), 3)
    spread = spread_of(3, len(values))
    shapes.take(vectors(np.tile([3.0, 4.0, 0.0], (len(values), 1))), spread)
    before = shapes.sums[:, DIRECTIONS].copy()
    towards = np.array([0.6, 0.8, 0.0])
    shapes.take(vectors(values[:, None] * towards, tolerance=tolerance), spread)
    found = shapes.sums[:, DIRECTIONS] / (before + 1)
    at_edge, elsewhere = (stats.norm.pdf(values - mean) * 0.01 @ found for mean in (tolerance, 0.4 * tolerance))
    assert at_edge == pytest.approx(1.0, abs=1e-3)
    assert np.all(elsewhere <= 1 + 1e-3)
    assert found.std(axis=0).min() > 0  # both memories do bet


@pytest.mark.parametrize("common", [0.0, 0.6])
def test_evidence_less_windows_falls_in_the_mean_where_nothing_changed(common):
    """Spreads are learnt from other windows; what directions have in common is learnt with them."""
    random = np.random.default_rng(12)

    def windows(count):
        shared = random.normal(size=(1200, count, 1))
        return np.sqrt(1 - common) * random.normal(size=(1200, count, 5)) + np.sqrt(common) * shared

    spread = fit_spread(windows(150), np.full(1200, 5.0))
    shapes, fresh = Shapes.start(1200, 5), windows(30)
    for window in range(30):
        shapes.take(vectors(fresh[:, window], cap=np.log(1e3)), spread)
        surplus = shapes.evidence - (window + 1)
        assert surplus.mean() <= 3.5 * surplus.std() / np.sqrt(len(surplus))


def test_the_spread_of_independent_directions_is_that_of_chi_squared():
    random = np.random.default_rng(1)
    spread = fit_spread(random.normal(size=(30, 2000, 6)), np.full(30, 6.0))
    guard = 1 + 2 * np.sqrt(2 / (2000 * 6))
    assert np.median(spread.unit) == pytest.approx(guard, rel=0.03)
    assert np.median(spread.freedom) == pytest.approx(6.0, rel=0.05)
    assert np.median(spread.widest) == pytest.approx(guard, rel=0.03)


def test_what_directions_have_in_common_widens_the_spread():
    random = np.random.default_rng(1)
    apart = random.normal(size=(10, 500, 6))
    together = np.sqrt(0.3) * apart + np.sqrt(0.7) * random.normal(size=(10, 500, 1))
    narrow, wide = (fit_spread(one, np.full(10, 6.0)) for one in (apart, together))
    assert np.all(wide.widest > 3 * narrow.widest)
    assert np.all(wide.unit > 2 * narrow.unit)
    assert np.all(wide.freedom < narrow.freedom)


def test_windows_that_are_not_known_and_directions_past_a_streams_own_do_not_count():
    random = np.random.default_rng(2)
    normal = random.normal(size=(2, 60, 3))
    gaps = np.insert(normal, [5, 30], np.nan, axis=1)
    padded = np.concatenate([gaps, np.where(np.isnan(gaps[:, :, :1]), np.nan, 0.0)], axis=2)
    one, other = (fit_spread(some, np.full(2, 3.0)) for some in (normal, padded))
    for name in ("dimensions", "unit", "freedom", "widest"):
        assert getattr(one, name) == pytest.approx(getattr(other, name))


@pytest.mark.parametrize("shape", [(0, 50, 0), (0, 50, 3), (2, 0, 3)])
def test_no_shapes_and_no_windows_are_nothing_special(shape):
    spread = fit_spread(np.zeros(shape), np.full(shape[0], float(shape[2])))
    shapes = Shapes.start(shape[0], shape[2])
    shapes.take(vectors(np.zeros((shape[0], shape[2]))), spread)
    assert shapes.evidence.shape == (shape[0],)
    assert np.isfinite(spread.widest).all()


def test_a_missing_window_changes_no_evidence_but_counts_since_the_onset():
    shapes, spread = Shapes.start(1, 3), spread_of(3)
    shapes.take(vectors([[4.0, 1.0, -3.0]]), spread)
    before = [getattr(shapes, name).copy() for name in ("sums", "means", "climb", "total", "noise")]
    since = shapes.since.copy()
    shapes.take(vectors([[np.nan, 1.0, np.nan]]), spread)
    after = [getattr(shapes, name) for name in ("sums", "means", "climb", "total", "noise")]
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    assert np.array_equal(shapes.since, since + (shapes.climb > 0))


def test_resetting_some_streams_leaves_the_others():
    shapes, spread = Shapes.start(2, 3), spread_of(3, 2)
    for _ in range(4):
        shapes.take(vectors(np.full((2, 3), 2.5)), spread)
    before = shapes.evidence
    shapes.reset(np.array([True, False]))
    assert shapes.evidence.tolist() == [0.0, before[1]]
    effect, error, since = shapes.likeliest()
    assert (effect[0], error[0], since[0]) == (0.0, np.inf, 0.0)
    assert since[1] in {3, 4}  # a direction is only known from the second window on
    assert effect[1] == pytest.approx(3 * 2.5**2 - 1 / since[1])


def test_a_change_of_shape_is_dated_and_its_squared_length_found():
    random = np.random.default_rng(6)
    change = np.array([1.2, -0.9, 0.0, 2.0])
    shapes, spread = Shapes.start(300, 4), spread_of(4, 300)
    for window in range(60):
        normal = random.normal(size=(300, 4)) + change * (window >= 30)
        shapes.take(vectors(normal, cap=np.log(1e3), variance=4.0), spread)
    effect, error, since = shapes.likeliest()
    assert np.mean(np.abs(since - 30) <= 2) > 0.5
    near = np.abs(since - 30) <= 2  # an onset that is dated too early dilutes the change
    assert np.mean(effect[near]) == pytest.approx((change**2).sum(), rel=0.05)
    assert np.mean(np.abs(effect - (change**2).sum())[near] <= 1.96 * error[near]) > 0.9
    mean, _, _ = shapes.change()
    assert np.mean(mean[near], axis=0) == pytest.approx(change, abs=0.1)


def test_evidence_is_finite_whatever_comes():
    shapes, spread = Shapes.start(3, 2), spread_of(2, 3)
    for _ in range(300):
        shapes.take(vectors([[37.0, -37.0], [0.0, 0.0], [np.nan, 0.0]], cap=400.0), spread)
        assert np.isfinite(shapes.evidence).all()
        assert not np.isnan(np.concatenate(shapes.likeliest())).any()
    assert shapes.evidence[0] > 1e99
