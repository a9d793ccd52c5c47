import math
import sys
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.windows.exact_sum import CELLS, add_exact, read_exact, read_fraction

EVERY = st.floats(allow_nan=False, allow_infinity=False)
MANY = st.lists(
    EVERY | st.sampled_from([5e-324, -5e-324, sys.float_info.max, -sys.float_info.max, 2.0**-1022, -0.0, 0.1])
)


def accumulate(values, signs=None, cells=None):
    cells = np.zeros((1, CELLS), dtype=np.int64) if cells is None else cells
    signs = np.ones(len(values), dtype=np.int64) if signs is None else np.array(signs, dtype=np.int64)
    add_exact(cells.reshape(-1), np.zeros(len(values), dtype=np.intp), np.array(values, dtype=np.float64), signs)
    return cells


@given(MANY)
def test_the_sum_is_exact_and_rounded_once(values):
    small = [value / 2.0**60 for value in values]  # no partial sum of these leaves the doubles
    assert read_exact(accumulate(small)[0]) == math.fsum(small)


@given(st.lists(st.floats(-1e-300, 1e-300)))
def test_the_sum_of_the_smallest_doubles_is_exact(values):
    assert read_exact(accumulate(values)[0]) == math.fsum(values)


@given(MANY)
def test_the_fraction_is_the_sum_itself(values):
    assert read_fraction(accumulate(values)[0]) == sum(map(Fraction, values))


def test_more_values_than_are_added_at_once_are_summed_exactly():
    value = math.nextafter(2.0, 0)  # every digit is as great as it can be
    many = (1 << 20) + 3
    assert read_fraction(accumulate(np.full(many, value))[0]) == many * Fraction(value)


def test_the_greatest_doubles_cancel_exactly():
    greatest = sys.float_info.max
    assert read_exact(accumulate([greatest, greatest, 5e-324, -greatest, -greatest])[0]) == 5e-324


def test_a_sum_past_all_doubles_is_infinite():
    assert read_exact(accumulate([1.5e308, 1.5e308])[0]) == math.inf
    assert read_exact(accumulate([-1.5e308, -1.5e308])[0]) == -math.inf


@given(MANY, st.randoms(use_true_random=False))
def test_any_order_leaves_the_same_cells(values, random):
    shuffled = random.sample(values, len(values))
    assert accumulate(values).tobytes() == accumulate(shuffled).tobytes()


@given(MANY, st.integers(0, 100))
def test_any_split_leaves_the_same_cells(values, cut):
    parts = accumulate(values[:cut]) + accumulate(values[cut:])
    assert parts.tobytes() == accumulate(values).tobytes()


@given(MANY, MANY)
def test_taking_back_leaves_what_was_there(kept, taken):
    cells = accumulate([*kept, *taken])
    accumulate(taken, signs=[-1] * len(taken), cells=cells)
    assert cells.tobytes() == accumulate(kept).tobytes()


@given(MANY)
def test_taking_everything_back_leaves_nothing(values):
    cells = accumulate(values)
    accumulate(values[::-1], signs=[-1] * len(values), cells=cells)
    assert not cells.any()
    assert read_exact(cells[0]) == 0


@given(st.lists(st.tuples(st.integers(0, 2), EVERY)))
def test_each_value_goes_to_its_own_accumulator(pairs):
    cells = np.zeros((3, CELLS), dtype=np.int64)
    rows = np.array([row for row, _ in pairs], dtype=np.intp)
    values = np.array([value for _, value in pairs], dtype=np.float64)
    add_exact(cells.reshape(-1), rows * CELLS, values, np.ones(len(pairs), dtype=np.int64))
    for row in range(3):
        mine = accumulate([value for place, value in pairs if place == row])
        assert cells[row].tobytes() == mine[0].tobytes()


def test_a_million_tenths_are_what_they_are_and_not_a_rounded_hundred_thousand():
    values = np.full(1_000_000, 0.1)
    assert read_exact(accumulate(values)[0]) == math.fsum(values)
