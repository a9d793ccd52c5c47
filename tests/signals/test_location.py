"""The location shift against scipy's normal distribution, its own laws, and simulation."""

from itertools import pairwise
from math import sqrt
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import ndtr, ndtri
from scipy.stats import norm, truncnorm

from mlvitals.signals.location import location_shift, normal_scores
from mlvitals.signals.pair import Pair, make_pair

counts = arrays(np.int64, 8, elements=st.integers(0, 10**6))
BINS = 20


class Shift(NamedTuple):
    value: float
    noise: float


def pair(current, reference) -> Pair:
    return make_pair(np.asarray(current)[None], np.asarray(reference)[None])


def shift(current, reference) -> Shift:
    found = location_shift(pair(current, reference))
    return Shift(found.value.item(), found.noise.item())


def scores(reference) -> np.ndarray:
    return np.asarray(normal_scores(pair(reference, reference))[0])


def moved(by: float) -> np.ndarray:
    """The shares of a normal variable that moved, in bins that were equal before."""
    return np.diff(ndtr(ndtri(np.arange(BINS + 1) / BINS) - by))


def scores_by_scipy(reference) -> list[float]:
    """Normal scores from density, quantile and survival functions, one bin at a time."""
    total = sum(reference) + len(reference) / 2
    shares = [(r + 0.5) / total for r in reference]
    ends = [-np.inf]
    for j in range(1, len(reference)):
        left = (sum(reference[:j]) + j / 2) / total
        right = (sum(reference[j:]) + (len(reference) - j) / 2) / total
        ends.append(norm.ppf(left) if left < right else norm.isf(right))
    ends.append(np.inf)
    raw = [(norm.pdf(a) - norm.pdf(b)) / p for (a, b), p in zip(pairwise(ends), shares, strict=True)]
    mean = sum(p * s for p, s in zip(shares, raw, strict=True))
    deviation = sqrt(sum(p * (s - mean) ** 2 for p, s in zip(shares, raw, strict=True)))
    return [(s - mean) / deviation for s in raw]


@given(counts, counts)
def test_it_is_the_formula_as_scipy_s_normal_distribution_gives_it(current, reference):
    assume(current.sum() > 0 and reference.sum() > 0)
    n, total = int(current.sum()), int(reference.sum())
    terms = [
        s * (int(c) / n - int(r) / total)
        for s, c, r in zip(scores_by_scipy(reference.tolist()), current, reference, strict=True)
    ]
    scale = max(map(abs, terms))
    assert shift(current, reference).value == pytest.approx(sum(terms), rel=1e-12, abs=max(1e-15, 1e-12 * scale))


def test_a_score_is_the_mean_of_a_normal_variable_between_the_ends_of_its_bin():
    reference = np.array([100, 700, 900, 300])
    p = (reference + 0.5) / (reference.sum() + 2)
    ends = np.concatenate([[-np.inf], ndtri(np.cumsum(p)[:-1]), [np.inf]])
    means = np.array([truncnorm.mean(a, b) for a, b in pairwise(ends)])
    assert scores(reference) == pytest.approx(means / sqrt((p * means**2).sum()), rel=1e-9)


@given(counts)
def test_scores_ascend_and_have_mean_zero_and_variance_one(reference):
    assume(reference.sum() > 0)
    found = scores(reference)
    p = (reference + 0.5) / (reference.sum() + 4)
    assert (np.diff(found) > 0).all()
    assert (p * found).sum() == pytest.approx(0, abs=1e-12)
    assert (p * found**2).sum() == pytest.approx(1, rel=1e-12)


@given(counts, st.integers(1, 1_000))
def test_equal_shares_have_moved_by_exactly_nothing(reference, factor):
    assume(reference.sum() > 0)
    assert shift(reference * factor, reference).value == 0.0


@given(counts, counts)
def test_turning_both_sides_around_turns_the_sign(current, reference):
    assume(current.sum() > 0 and reference.sum() > 0)
    there, back = shift(current, reference).value, shift(current[::-1], reference[::-1]).value
    assert there == pytest.approx(-back, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("by", [-1.0, -0.3, 0.1, 0.5])
def test_a_normal_variable_that_moves_by_d_deviations_reads_about_d(by):
    current = np.round(moved(by) * 10**8).astype(np.int64)
    assert shift(current, np.full(BINS, 5_000)).value == pytest.approx(by, rel=0.12)


def test_it_does_not_depend_on_the_size_of_the_window():
    small = np.array([10, 20, 30, 40])
    reference = np.array([25, 25, 25, 25])
    assert shift(small, reference).value == shift(small * 1_000, reference).value


def test_a_constant_reference_reads_zero_while_constant_and_aloud_once_alive():
    constant = [0, 10_000, 0]
    still = shift([0, 300, 0], constant)
    assert still.value == 0.0
    assert still.noise > 0
    alive = shift([0, 150, 150], constant)
    assert alive.value - 3 * alive.noise > 10
    assert shift([150, 150, 0], constant).value == pytest.approx(-alive.value)


@pytest.mark.parametrize("rows", [200, 2_000])
@pytest.mark.parametrize("shares", [np.full(BINS, 1 / BINS), np.array([0.9, 0.04, 0.03, 0.02, 0.01])])
def test_where_nothing_changed_it_is_around_zero_and_its_noise_is_its_deviation(rows, shares):
    generator = np.random.default_rng(11)
    found = [shift(generator.multinomial(rows, shares), generator.multinomial(5_000, shares)) for _ in range(1_500)]
    values = np.array([one.value for one in found])
    assert abs(values.mean()) < 4 * values.std() / sqrt(1_500)
    assert np.mean([one.noise for one in found]) == pytest.approx(values.std(), rel=0.1)
    assert np.mean([one.noise for one in found]) == pytest.approx(sqrt(1 / rows + 1 / 5_000), rel=0.05)
