"""What every method of drift keeps: its value by scipy, its null moments by simulation, its laws by hypothesis."""

from collections.abc import Callable
from itertools import pairwise
from math import log, sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import quad
from scipy.spatial.distance import jensenshannon
from scipy.special import ndtr, ndtri
from scipy.stats import chi2_contingency

from mlvitals.signals.method import CELL_METHODS, LOCATION, NUMBER_METHODS, SHAPE, SPREAD, CellMethod, Method
from mlvitals.signals.pair import Difference, make_pair
from mlvitals.signals.table import Ruler
from mlvitals.signals.wasserstein import wasserstein
from mlvitals.windows.freeze import freeze_numeric

METHODS = (*CELL_METHODS, *NUMBER_METHODS, LOCATION, SPREAD, SHAPE)
BY_NAME = {method.name: method for method in METHODS}
CELLS = 9
EDGES = np.array([0.0, 0.5, 1.5, 2.0, 4.0, 5.0, 9.0, 30.0])

every_method = pytest.mark.parametrize("method", METHODS, ids=list(BY_NAME))
counts = arrays(np.int64, CELLS, elements=st.integers(0, 10**5) | st.just(0))


def ruler(columns: int, cells: int) -> Ruler:
    edges = EDGES if cells == CELLS else np.cumsum(np.geomspace(1, 20, cells - 1))
    return Ruler(np.tile(edges, (columns, 1)), np.zeros((columns, cells), bool), np.tile(outer(cells), (columns, 1)))


def outer(cells: int) -> np.ndarray:
    """The bins out of the reference's range, as most layouts have them: the first and the last."""
    return np.isin(np.arange(cells), [0, cells - 1])[None]


def differ(method: Method | CellMethod, current, reference, sizes=None) -> Difference:
    """What a method says of these columns, one a row."""
    pair = make_pair(np.atleast_2d(current), np.atleast_2d(reference), sizes)
    if isinstance(method, CellMethod):
        return method.compute(pair)
    return method.compute(pair, ruler(*pair.current.shape))


def zipf(cells: int) -> np.ndarray:
    weights = np.arange(1, cells + 1) ** -1.2
    return np.asarray(weights / weights.sum())


# Numeric layouts have an empty bin at either end, for what is out of the reference's range.
LAYOUTS = {
    "two cells": np.array([0, 0.3, 0.7, 0]),
    "twenty equal": np.array([0, *np.full(20, 0.05), 0]),
    "mostly one value": np.array([0, 0.9, 0.04, 0.03, 0.02, 0.01, 0]),
    "fifty uneven": np.array([0, *zipf(50), 0]),
}
SIZES = {
    "small against large": (200, 20_000),
    "equal": (1_000, 1_000),
    "both small": (150, 300),
    "large": (5_000, 50_000),
}
DRAWS = 800

# How far the mean may be from the stated one, in stated standard errors, and their ratio to the simulated one from 1.
# psi: cells that expect 8 to some 20 rows follow a limit that they have not reached. spread: a row where the reference
# holds next to nothing weighs much and comes seldom.
TOLERANCES = {"psi": (0.3, 0.2), "spread": (0.15, 0.35), "ks": (0.2, 0.12), "linf": (0.2, 0.2), "shape": (0.15, 0.25)}
USUAL = (0.15, 0.15)


@every_method
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", SIZES)
def test_where_nothing_changed_mean_and_noise_are_those_of_a_simulation(method, layout, size):
    generator = np.random.default_rng(2_026)
    rows, reference_rows = SIZES[size]
    shares = LAYOUTS[layout]
    found = differ(method, *(generator.multinomial(many, shares, DRAWS) for many in (rows, reference_rows)))
    defined = np.isfinite(found.value)
    if not defined.any():
        assert method.name == "shape", "only what is left of a few cells is never defined"
        return
    values, noise = found.value[defined], found.noise[defined].mean()
    if method.name == "spread" and layout == "two cells":
        assert values.std() < 0.1 * sqrt(1 / rows + 1 / reference_rows), "two values tell where, and no more"
        return
    bias, ratio = TOLERANCES.get(method.name, USUAL)
    sampling = 4 / sqrt(len(values))
    assert abs(values.mean() - found.mean[defined].mean()) < (bias + sampling) * noise
    assert noise / values.std() == pytest.approx(1, abs=ratio + sampling)


@every_method
@settings(max_examples=30)
@given(reference=counts, factor=st.integers(1, 50))
def test_equal_shares_do_not_differ(method, reference, factor):
    assume(reference.sum() > 0)
    found = differ(method, reference * factor, reference)
    if np.isfinite(found.value).all():
        debiased = method.name in {"psi", "chi2", "shape"}
        assert found.value <= 0 if debiased else found.value == 0
    if method.name != "psi":  # smoothing pulls the smaller side further to the middle
        assert found.told.get("raw", np.zeros(1)) == pytest.approx(0, abs=1e-7)


@every_method
@settings(max_examples=30)
@given(current=counts, reference=counts)
def test_it_is_finite_or_undefined_and_lies_between_its_bounds(method, current, reference):
    assume(current.sum() > 0 and reference.sum() > 0)
    found = differ(method, current, reference)
    assert not np.isinf(found.value).any()
    if np.isfinite(found.value).all():
        assert np.isfinite(found.mean).all()
        assert (found.noise >= 0).all()
        assert np.isfinite(found.noise).all()
        assert found.lower is None or found.lower <= found.value
        assert found.upper is None or found.value <= found.upper


@pytest.mark.parametrize("name", ["js", "hellinger", "tvd", "linf", "ks"])
@settings(max_examples=30)
@given(current=counts, reference=counts)
def test_a_distance_lies_between_zero_and_one(name, current, reference):
    assume(current.sum() > 0 and reference.sum() > 0)
    assert 0 <= differ(BY_NAME[name], current, reference).value.item() <= 1


@pytest.mark.parametrize("name", ["psi", "js", "hellinger", "tvd", "linf", "chi2", "ks"])
@settings(max_examples=30)
@given(current=counts, reference=counts)
def test_swapping_the_sides_changes_nothing(name, current, reference):
    assume(current.sum() > 0 and reference.sum() > 0)
    there, back = differ(BY_NAME[name], current, reference), differ(BY_NAME[name], reference, current)
    assert there.value == pytest.approx(back.value, rel=1e-9, abs=1e-7, nan_ok=True)


def smallest_kept_twice(current, reference):
    """Tell whether two cells may be the one that a lonely merged cell is added to: the first of them is."""
    pooled = current + reference
    kept = pooled[pooled * min(current.sum(), reference.sum()) / pooled.sum() >= 5]
    return (kept == kept.min(initial=pooled.sum())).sum() > 1


@pytest.mark.parametrize("method", CELL_METHODS, ids=[method.name for method in CELL_METHODS])
@settings(max_examples=30)
@given(current=counts, reference=counts, order=st.permutations(range(CELLS)))
def test_cells_have_no_order(method, current, reference, order):
    assume(current.sum() > 0 and reference.sum() > 0)
    assume(method.name != "chi2" or not smallest_kept_twice(current, reference))
    direct, turned = differ(method, current, reference), differ(method, current[order], reference[order])
    assert direct.value == pytest.approx(turned.value, rel=1e-6, abs=1e-7, nan_ok=True)


@pytest.mark.parametrize("name", sorted(set(BY_NAME) - {"wasserstein"}))  # its ruler would have to be wider too
@settings(max_examples=30)
@given(current=counts, reference=counts, other=counts)
def test_a_column_reads_the_same_beside_others_and_in_a_wider_table(name, current, reference, other):
    assume(current.sum() > 0 and reference.sum() > 0 and other.sum() > 0)
    method = BY_NAME[name]
    alone = differ(method, current, reference)
    empty = np.zeros((2, 7), np.int64)
    sizes = np.full(2, CELLS)
    together = differ(
        method,
        np.concatenate([np.stack([other, current]), empty], axis=1),
        np.concatenate([np.stack([current, reference]), empty], axis=1),
        sizes,
    )
    assert together.value[1] == pytest.approx(alone.value[0], rel=1e-9, abs=1e-12, nan_ok=True)
    assert together.noise[1] == pytest.approx(alone.noise[0], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", ["js", "hellinger", "tvd", "linf", "psi", "chi2"])
@settings(max_examples=30)
@given(current=counts, reference=counts)
def test_merging_two_cells_never_makes_the_sides_differ_more(name, current, reference):
    current, reference = current + 1_000, reference + 1_000  # else smoothing, or the merging of few rows, differs
    whole, merged = (raw(name, *sides) for sides in ((current, reference), (merge(current), merge(reference))))
    slack = {"linf": 2.0, "psi": 1.01}.get(name, 1.0)  # two cells may move together; smoothing differs a little
    assert merged <= slack * whole + (1e-4 if name == "psi" else 1e-9)


def merge(side: np.ndarray) -> np.ndarray:
    return np.array([side[0] + side[1], *side[2:]])


def raw(name: str, current: np.ndarray, reference: np.ndarray) -> float:
    found = differ(BY_NAME[name], current, reference)
    value = found.told.get("raw", found.value).item()
    return 0.0 if np.isnan(value) else float(value)


ORACLES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "js": lambda q, p: float(jensenshannon(q, p, base=2)),
    "hellinger": lambda q, p: sqrt(max(0.0, 1 - float(np.sqrt(q * p).sum()))),
    "tvd": lambda q, p: float(np.abs(q - p).sum()) / 2,
    "linf": lambda q, p: float(np.abs(q - p).max()),
    "ks": lambda q, p: float(np.abs(np.cumsum(q) - np.cumsum(p)).max()),
}


@pytest.mark.parametrize("name", ORACLES)
@settings(max_examples=30)
@given(current=counts, reference=counts)
def test_before_any_correction_it_is_what_scipy_says(name, current, reference):
    assume(current.sum() > 0 and reference.sum() > 0)
    expected = ORACLES[name](current / current.sum(), reference / reference.sum())
    expected = 0.0 if np.isnan(expected) else expected  # scipy's root of a rounding error below 0
    assert raw(name, current, reference) == pytest.approx(expected, rel=1e-7, abs=2e-7)


@pytest.mark.parametrize("name", ["js", "hellinger"])
def test_the_bias_is_taken_off_before_the_root(name):
    current, reference = np.array([300, 250, 450]), np.array([4_000, 3_000, 3_000])
    scale = 1 / 1_000 + 1 / 10_000
    bias = 2 * scale / 8 / (log(2) if name == "js" else 1)
    found = differ(BY_NAME[name], current, reference)
    assert found.value.item() == pytest.approx(sqrt(found.told["raw"].item() ** 2 - bias), rel=1e-9)


def test_omega_square_is_the_two_sample_chi_square_by_its_rows_less_its_mean():
    generator = np.random.default_rng(4)
    current, reference = generator.integers(20, 400, CELLS), generator.integers(200, 4_000, CELLS)
    rows, reference_rows = current.sum(), reference.sum()
    statistic, *_ = chi2_contingency(np.stack([current, reference]), correction=False)
    scale = 1 / rows + 1 / reference_rows
    found = differ(BY_NAME["chi2"], current, reference)
    assert found.told["raw"].item() == pytest.approx(statistic * scale, rel=1e-12)
    every = rows + reference_rows
    assert found.value.item() == pytest.approx((statistic - (CELLS - 1) * every / (every - 1)) * scale, rel=1e-12)


def test_one_row_of_a_new_category_in_a_small_window_is_no_landslide():
    reference = np.array([9_000, 6_000, 5_000, 0])
    assert differ(BY_NAME["chi2"], [90, 60, 49, 1], reference).value.item() < 0.01
    assert differ(BY_NAME["chi2"], [50, 50, 40, 60], reference).value.item() > 0.3


@settings(max_examples=30)
@given(current=counts, reference=counts)
def test_the_wasserstein_distance_is_the_integral_between_the_distribution_functions(current, reference):
    assume(current.sum() > 0 and reference[1:-1].sum() > 0)
    reference[[0, -1]] = 0
    found = differ(BY_NAME["wasserstein"], current, reference)
    assume(np.isfinite(found.value).all())
    ends = [np.cumsum(side / side.sum())[:-1] for side in (current, reference)]

    def apart(x: float) -> float:
        one, other = (float(np.interp(x, EDGES, end)) for end in ends)
        return abs(one - other)

    area = sum(quad(apart, start, end, limit=60, epsabs=1e-9)[0] for start, end in pairwise(EDGES.tolist()))
    assert found.value.item() * found.told["scale"].item() == pytest.approx(area, rel=1e-4, abs=1e-5)


def test_the_wasserstein_distance_of_the_values_themselves_is_within_its_bounds():
    generator = np.random.default_rng(8)
    for _ in range(40):
        values = [generator.gamma(shape, 2, 300).clip(0, 29.9) for shape in generator.uniform(0.5, 3, 2)]
        binned = [np.bincount(np.searchsorted(EDGES, side, side="right"), minlength=CELLS) for side in values]
        found = differ(BY_NAME["wasserstein"], *binned)
        grid = np.sort(np.concatenate([*values, EDGES]))
        below = [np.searchsorted(np.sort(side), grid[:-1], side="right") / 300 for side in values]
        true = float((np.abs(below[0] - below[1]) * np.diff(grid)).sum()) / found.told["scale"].item()
        assert found.lower is not None
        assert found.upper is not None
        assert found.lower.item() - 1e-9 <= true <= found.upper.item() + 1e-9


def test_rows_out_of_range_count_at_its_ends_and_are_told():
    reference = np.array([0, 10, 10, 10, 10, 10, 10, 10, 0]) * 100
    inside = differ(BY_NAME["wasserstein"], [0, 100, 100, 100, 100, 100, 100, 100, 0], reference)
    assert inside.value.item() == 0
    beyond = differ(BY_NAME["wasserstein"], [0, 100, 100, 100, 100, 100, 100, 0, 100], reference)
    assert beyond.told["out_of_range"].item() == pytest.approx(1 / 7)
    width = (EDGES[-1] - EDGES[-2]) / beyond.told["scale"].item()
    assert beyond.value.item() == pytest.approx(width / 2 / 7)


def test_a_range_far_from_zero_is_not_stretched_by_the_bin_that_zero_has():
    bins = freeze_numeric(np.linspace(1_000, 1_003, 5_000))
    assert bins.outside == (3, 1)
    reference = np.where(bins.is_outside, 0, 100)
    current = np.where(np.arange(bins.size) == 2, 1, reference)  # one row just below the range
    here = Ruler(bins.array[None], bins.is_point[None], bins.is_outside[None])
    found = wasserstein(make_pair(current[None], reference[None]), here.edges, here.is_outside)
    assert found.told["out_of_range"].item() == pytest.approx(1 / 2_001)
    assert found.value.item() < 3 * found.noise.item()


def test_the_scale_is_the_quartiles_or_where_half_is_one_point_the_deviation_and_a_constant_has_none():
    even = differ(BY_NAME["wasserstein"], [0, 1, 1, 1, 1, 1, 1, 1, 0], [0, 25, 25, 0, 25, 0, 25, 0, 0])
    assert even.told["scale"].item() == pytest.approx((4.0 - 0.5) / 1.3489795, rel=1e-6)
    point = float(np.nextafter(2.0, 3.0))
    edges = np.array([[0.0, 2.0, point, 4.0]])
    pair = make_pair(np.array([[0, 1, 1, 1, 0]]), np.array([[0, 20, 60, 20, 0]]))
    found = wasserstein(pair, edges, outer(5))
    assert found.told["scale"].item() == pytest.approx(sqrt(0.4 * (1 + 4 / 12)), rel=1e-6)
    constant = make_pair(np.array([[0, 5, 5]]), np.array([[0, 10, 0]]))
    ends = np.array([[2.0, point]])
    none = wasserstein(constant, ends, outer(3))
    assert np.isnan(none.value).all()


def normal_shares(shift: float, ratio: float) -> np.ndarray:
    limits = ndtri(np.arange(21) / 20)
    return np.asarray(np.round(np.diff(ndtr((limits - shift) / ratio)) * 10**7), np.int64)


@pytest.mark.parametrize("ratio", [0.8, 0.95, 1.05, 1.2])
def test_a_normal_variable_whose_deviation_changes_reads_about_root_two_times_the_logarithm(ratio):
    current, reference = normal_shares(0.0, ratio), np.full(20, 10**6)
    assert differ(SPREAD, current, reference).value.item() == pytest.approx(sqrt(2) * log(ratio), rel=0.25)
    assert abs(differ(LOCATION, current, reference).value.item()) < 1e-3
    assert differ(SHAPE, current, reference).value.item() < 0.02


def test_shape_is_what_neither_location_nor_spread_tells():
    reference = np.full(20, 10**6)
    combed = np.where(np.arange(20) % 2 == 0, 1_500_000, 500_000)
    assert differ(SHAPE, combed, reference).value.item() == pytest.approx(0.25, rel=0.1)
    assert abs(differ(LOCATION, combed, reference).value.item()) < 0.1
    shifted = differ(SHAPE, normal_shares(0.3, 1.0), reference).value.item()
    assert shifted < 0.05 * differ(BY_NAME["chi2"], normal_shares(0.3, 1.0), reference).value.item()


def test_the_largest_share_names_its_cell_and_nothing_where_none_moved():
    moved = differ(BY_NAME["linf"], [10, 80, 10], [30, 30, 40])
    assert moved.cell is not None
    assert moved.cell.item() == 1
    assert moved.value.item() == pytest.approx(0.5)
    still = differ(BY_NAME["linf"], [30, 30, 40], [30, 30, 40])
    assert still.cell is not None
    assert still.cell.item() == -1


def test_a_column_without_rows_on_a_side_is_refused():
    with pytest.raises(ValueError, match="without rows"):
        make_pair(np.array([[0, 0]]), np.array([[1, 2]]))
