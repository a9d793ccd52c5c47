"""Mistakes of the field that its formulas bring along, and that our signals do not make."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import wasserstein_distance

from mlvitals.compat import evidently, nannyml, tfdv, whylogs
from mlvitals.errors import InputError
from mlvitals.signals.chi_square import omega_square
from mlvitals.signals.jensen_shannon import jensen_shannon
from mlvitals.signals.pair import Difference, Pair, make_pair
from mlvitals.signals.stability import stability_index
from mlvitals.signals.wasserstein import wasserstein
from mlvitals.windows.bins import NumericBins
from mlvitals.windows.freeze import freeze_numeric

NORMAL_ONE_SIDED_95 = 1.645


def binned(values: np.ndarray, bins: NumericBins) -> np.ndarray:
    """Count values by the reference's frozen bins, then what is missing."""
    there = values[~np.isnan(values)]
    cells = np.bincount(np.searchsorted(bins.array, there, side="right"), minlength=bins.size)
    return np.append(cells, len(values) - len(there))


def ours(method: Callable[[Pair], Difference], reference: np.ndarray, current: np.ndarray) -> Difference:
    bins = freeze_numeric(reference)
    return method(make_pair(binned(current, bins)[None], binned(reference, bins)[None]))


def table(values: np.ndarray) -> pa.Table:
    return pa.table({"x": values})


def labels(codes: np.ndarray) -> pa.Table:
    return pa.table({"x": pa.DictionaryArray.from_arrays(codes, [f"v{code}" for code in range(codes.max() + 1)])})


@pytest.mark.parametrize(("rows", "theirs"), [(200, (0.07, 0.20)), (1_000, (0.40, 0.58)), (5_000, (0.92, 1.0))])
def test_a_reference_is_a_sample_too_and_the_chi_square_test_must_not_take_it_for_exact(rows, theirs):
    random = np.random.default_rng(rows)
    draws = 300
    evidently_fires = ours_fires = 0
    for _ in range(draws):
        reference, current = random.integers(0, 10, 1_000), random.integers(0, 10, rows)
        evidently_fires += evidently.drift(labels(reference), labels(current), method="chisquare")[0].drifted is True
        found = omega_square(make_pair(*(np.bincount(side, minlength=10)[None] for side in (current, reference))))
        ours_fires += found.value.item() > 2 * found.noise.item()
    assert theirs[0] < evidently_fires / draws < theirs[1]
    assert ours_fires / draws < 0.09


def test_windows_are_seldom_as_long_as_the_reference_and_no_test_may_fail_on_that():
    reference, current = np.arange(1_000) % 4, np.arange(200) % 4
    with pytest.raises(InputError, match="column `x`: Evidently's g_test"):
        evidently.drift(labels(reference), labels(current), method="g_test")
    found = omega_square(make_pair(*(np.bincount(side)[None] for side in (current, reference))))
    assert found.value.item() <= 0


def test_one_outlier_does_not_hide_a_shift_of_one_deviation():
    random = np.random.default_rng(4)
    reference, current = random.normal(0, 1, 5_000), random.normal(1, 1, 1_000)
    outlier = np.append(current, 60.0)
    theirs = [evidently.drift(table(reference), table(side), method="psi")[0].value for side in (current, outlier)]
    assert theirs[0] is not None
    assert theirs[1] is not None
    assert theirs[1] < 0.8 * theirs[0]
    before, after = (ours(stability_index, reference, side).value.item() for side in (current, outlier))
    assert after == pytest.approx(before, rel=0.02)


def test_what_is_missing_alike_on_both_sides_is_no_drift():
    random = np.random.default_rng(5)
    values = random.normal(0, 1, 2_000)
    values[random.random(2_000) < 0.3] = np.nan
    share = np.isnan(values).mean()
    assert tfdv.drift(table(values), table(values))[0].value == pytest.approx(share, rel=1e-9)
    assert ours(jensen_shannon, values, values).value.item() == 0
    more = np.append(values, np.full(400, np.nan))
    assert ours(jensen_shannon, values, more).value.item() > 0.05, "more of it is"


def test_a_rare_category_that_a_small_window_lacks_is_no_drift():
    random = np.random.default_rng(6)
    shares = np.append(np.full(10, 0.0995), 0.005)
    draws = 200
    theirs = fires = 0
    for _ in range(draws):
        reference, current = (random.choice(11, rows, p=shares) for rows in (10_000, 150))
        theirs += whylogs.drift(labels(reference), labels(current))[0].drifted is True
        found = omega_square(make_pair(*(np.bincount(side, minlength=11)[None] for side in (current, reference))))
        fires += found.value.item() > 2 * found.noise.item()
    assert theirs / draws > 0.4
    assert fires / draws < 0.09


def test_one_value_below_the_range_does_not_lift_the_whole_distribution():
    random = np.random.default_rng(7)
    reference, current = random.normal(0, 1, 10_000), random.normal(0.1, 1, 200)
    current[0] = reference.min() - 0.01
    phantom = nannyml.drift(table(reference), table(current), method="wasserstein")[0].value
    assert phantom is not None
    exact = float(wasserstein_distance(reference, current))
    assert abs(phantom - exact) > 0.005, "one row of 200 more below every value"
    bins = freeze_numeric(reference)
    sides = [binned(side, bins)[None, :-1] for side in (current, reference)]
    found = wasserstein(make_pair(*sides), bins.array[None], bins.is_outside[None])
    assert found.lower is not None
    assert found.upper is not None
    inside = float(wasserstein_distance(reference, current.clip(reference.min(), reference.max())))
    scale = found.told["scale"].item()
    assert found.lower.item() * scale - 1e-3 < inside < found.upper.item() * scale + 1e-3


def test_a_fixed_threshold_on_a_biased_distance_fires_on_small_windows_and_a_debiased_one_does_not():
    random = np.random.default_rng(8)
    draws, theirs = 200, 0
    found = []
    for _ in range(draws):
        reference, current = random.normal(0, 1, 5_000), random.normal(0, 1, 200)
        theirs += evidently.drift(table(reference), table(current), method="wasserstein")[0].drifted is True
        found.append(ours(stability_index, reference, current))
    assert 0.2 < theirs / draws < 0.45
    values = np.array([one.value.item() for one in found])
    assert sum(value >= 0.1 for value in values) / draws < 0.02
    assert values.mean() < values.std() / draws**0.5, "where nothing changed it is not above 0"


def test_three_deviations_of_chunks_say_nothing_of_how_often_many_features_fire():
    random = np.random.default_rng(9)
    draws = 600
    theirs = fires = 0
    for _ in range(draws // 20):
        reference = random.lognormal(0, 1, 2_000)
        for _ in range(20):
            current = random.lognormal(0, 1, 200)
            theirs += nannyml.drift(table(reference), table(current))[0].drifted is True
            found = ours(stability_index, reference, current)
            fires += found.value.item() > max(0.1, NORMAL_ONE_SIDED_95 * found.noise.item())
    assert theirs / draws > 0.00135, "more often than three deviations of a normal variable are passed"
    assert fires / draws < theirs / draws
