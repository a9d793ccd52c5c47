"""The PSI against its published formula, scipy, and simulation."""

from math import fsum, log, sqrt
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import ndtr, ndtri
from scipy.stats import binom, entropy

from mlvitals.signals.pair import make_pair
from mlvitals.signals.stability import stability_index

counts = arrays(np.int64, 12, elements=st.integers(0, 10**6))


class Index(NamedTuple):
    value: float
    raw: float
    noise: float
    error: float
    cell: int


def indices(current, reference) -> list[Index]:
    """The indices of several columns at once."""
    found = stability_index(make_pair(np.asarray(current), np.asarray(reference)))
    assert found.upper is not None
    assert found.cell is not None
    error = (found.upper - found.value) / ndtri(0.975)
    columns = zip(found.value, found.told["raw"], found.noise, error, found.cell, strict=True)
    return [Index(*(number.item() for number in column)) for column in columns]


def index(current, reference) -> Index:
    (found,) = indices(np.asarray(current)[None], np.asarray(reference)[None])
    return found


def few(current, reference) -> list[float | None]:
    """A filled cell's mean where nothing changed, over all that can happen, if it expects few rows; else None."""
    rows, reference_rows = int(sum(current)), int(sum(reference))
    less, more = min(rows, reference_rows), max(rows, reference_rows)
    half = sum(int(c) + int(r) > 0 for c, r in zip(current, reference, strict=True)) / 2
    means: list[float | None] = []
    for total in (int(c) + int(r) for c, r in zip(current, reference, strict=True)):
        chance = less / (less + more)
        if total and total * chance < 8:
            drawn = np.arange(min(total, 60) + 1)
            q, p = (drawn + 0.5) / (less + half), (total - drawn + 0.5) / (more + half)
            mean = float((binom.pmf(drawn, total, chance) * (q - p) * np.log(q / p)).sum())
            means.append(mean * (1 - total / (less + more)))
        elif total:
            means.append(None)
    return means


def smoothed(current, reference) -> tuple[list[float], list[float]]:
    """Half a row more in each cell that either side fills, then shares: one cell at a time."""
    pairs = [(int(c), int(r)) for c, r in zip(current, reference, strict=True) if c + r > 0]
    rows, reference_rows = sum(c for c, _ in pairs), sum(r for _, r in pairs)
    half = len(pairs) / 2
    return [(c + 0.5) / (rows + half) for c, _ in pairs], [(r + 0.5) / (reference_rows + half) for _, r in pairs]


@given(counts, counts)
def test_the_raw_index_is_the_sum_of_both_relative_entropies(current, reference):
    assume(current.sum() > 0 and reference.sum() > 0)
    q, p = smoothed(current, reference)
    assert index(current, reference).raw == pytest.approx(entropy(q, p) + entropy(p, q), rel=1e-12, abs=1e-15)


@given(counts, counts)
def test_the_correction_is_the_published_one_and_exact_for_cells_with_few_rows(current, reference):
    assume(current.sum() > 0 and reference.sum() > 0)
    q, p = smoothed(current, reference)
    rows, reference_rows = int(current.sum()), int(reference.sum())
    terms = [(b - a) * log(b / a) for a, b in zip(p, q, strict=True)]
    for a, b, mean in zip(p, q, few(current, reference), strict=True):
        published = (1 - b) * (1 + a / b) / (2 * rows) + (1 - a) * (1 + b / a) / (2 * reference_rows)
        terms.append(-published if mean is None else -mean)
    scale = max(map(abs, terms))
    assert index(current, reference).value == pytest.approx(fsum(terms), rel=1e-6, abs=max(1e-15, 1e-6 * scale))


@given(counts, counts)
def test_swapping_the_sides_changes_nothing(current, reference):
    assume(current.sum() > 0 and reference.sum() > 0)
    there, back = index(current, reference), index(reference, current)
    assert there.raw == pytest.approx(back.raw, rel=1e-12, abs=1e-15)
    assert there.noise == back.noise


@given(counts, counts, st.permutations(range(12)))
def test_cells_have_no_order(current, reference, order):
    assume(current.sum() > 0 and reference.sum() > 0)
    direct, permuted = index(current, reference), index(current[order], reference[order])
    assert permuted.raw == pytest.approx(direct.raw, rel=1e-12, abs=1e-15)
    assert permuted.value == pytest.approx(direct.value, rel=1e-9, abs=1e-12)


def test_cells_that_both_sides_leave_empty_do_not_count():
    assert index([5, 0, 9, 0], [8, 0, 4, 0]).value == index([5, 9], [8, 4]).value


def test_everything_in_one_and_the_same_cell_is_exactly_zero_without_noise():
    found = index([0, 46, 0], [0, 9_000, 0])
    assert (found.value, found.raw, found.noise, found.error) == (0.0, 0.0, 0.0, 0.0)


def test_an_index_is_not_cut_off_at_zero():
    assert index([100, 100], [100, 100]).value < 0


def test_the_term_of_the_moved_cell_is_the_greatest():
    assert index([100, 100, 400], [200, 200, 200]).cell == 2


def simulate(rows: int, reference_rows: int, shift: float, bins: int) -> tuple[list[Index], float]:
    """Draw 1 500 pairs of counts from a normal variable in equal reference bins; also the true index."""
    generator = np.random.default_rng(20)
    p = np.full(bins, 1 / bins)
    q = np.diff(ndtr(ndtri(np.arange(bins + 1) / bins) - shift))
    draws = generator.multinomial(rows, q, 1_500), generator.multinomial(reference_rows, p, 1_500)
    return indices(*draws), float(((q - p) * np.log(q / p)).sum())


@pytest.mark.parametrize(("rows", "bias"), [(200, 0.4), (2_000, 0.1)])  # in units of the noise
@pytest.mark.parametrize("bins", [10, 20])
def test_where_nothing_changed_it_is_around_zero_and_its_noise_is_its_deviation(rows, bias, bins):
    found, _ = simulate(rows, 20_000, 0.0, bins)
    values = np.array([one.value for one in found])
    noise = found[0].noise
    assert noise == pytest.approx(sqrt(2 * (bins - 1)) * (1 / rows + 1 / 20_000), rel=1e-12)
    assert noise == pytest.approx(values.std(), rel=0.2)
    assert abs(values.mean()) < bias * noise
    assert np.mean([one.raw for one in found]) > 1.5 * noise, "without the correction it would not be"


@pytest.mark.parametrize("shift", [0.3, 0.6])
def test_under_drift_it_is_around_the_truth_and_its_error_is_its_deviation(shift):
    found, truth = simulate(2_000, 20_000, shift, 10)
    values = np.array([one.value for one in found])
    assert values.mean() == pytest.approx(truth, rel=0.02)
    assert np.mean([one.error for one in found]) == pytest.approx(values.std(), rel=0.1)


def test_in_a_tiny_window_noise_covers_what_an_uncorrected_index_calls_a_landslide():
    generator = np.random.default_rng(46)
    reference = np.full(20, 500)
    windows = generator.multinomial(46, np.full(20, 0.05), 500)
    found = indices(windows, np.tile(reference, (500, 1)))
    assert np.mean([abs(one.value) < 3 * one.noise for one in found]) > 0.98
    assert abs(np.mean([one.value for one in found])) < 0.1 * found[0].noise
    floored = np.maximum(windows / 46, 1e-4)  # the usual patch for empty bins
    uncorrected = ((floored - 0.05) * np.log(floored / 0.05)).sum(axis=1)
    assert np.median(uncorrected) > 0.5
