"""What rows add to sums, against arithmetic of any precision."""

import math
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.windows.losses import exact_squares, log_losses, natural_log, to_fixed

POSITIVE = st.floats(2.0**-1022, allow_nan=False, allow_infinity=False)
SHARES = st.floats(0, 1) | st.sampled_from([0.0, 1.0, 5e-324, 2.0**-52, 0.5, 1 - 2.0**-53])


@given(POSITIVE | SHARES.filter(lambda share: share >= 2.0**-1022))
def test_the_logarithm_is_that_of_the_mathematics_library_to_two_last_places(value):
    (found,) = natural_log(np.array([value]))
    assert abs(found - math.log(value)) <= 2 * math.ulp(math.log(value))


def test_a_logarithm_does_not_depend_on_its_neighbours():
    values = np.random.default_rng(1).random(1_003)
    together = natural_log(values)
    assert together.tobytes() == np.concatenate([natural_log(values[i : i + 1]) for i in range(1_003)]).tobytes()


def test_the_logarithm_keeps_its_bits_on_every_machine():
    """Figures of another machine would differ here, were there anything in it that IEEE 754 does not fix."""
    values = np.array([1e-300, 2.0**-52, 0.1, 0.5, 0.7071067811865475, 0.7071067811865476, 0.999, 1.0, 3.0])
    assert [value.hex() for value in natural_log(values).tolist()] == [
        "-0x1.5963447f87fb5p+9",
        "-0x1.205966f2b4f12p+5",
        "-0x1.26bb1bbb55515p+1",
        "-0x1.62e42fefa39efp-1",
        "-0x1.62e42fefa39f1p-2",
        "-0x1.62e42fefa39eep-2",
        "-0x1.064670d979b73p-10",
        "0x0.0p+0",
        "0x1.193ea7aad030bp+0",
    ]


def test_nothing_is_surer_than_a_double_can_say():
    assert log_losses(np.array([0.0, 5e-324])).tolist() == [52 * math.log(2)] * 2
    (certain,) = log_losses(np.array([1.0]))
    assert 0 < certain <= 2.0**-51


@given(st.floats(-1e150, 1e150).filter(lambda value: value == 0 or abs(value) > 1e-140))
def test_a_square_is_exact_in_two_doubles(value):
    high, low = exact_squares(np.array([value]))
    assert Fraction(float(high[0])) + Fraction(float(low[0])) == Fraction(value) ** 2


def test_a_square_past_the_doubles_is_not_finite():
    high, low = exact_squares(np.array([1e200, -1.7e308]))
    assert not (np.isfinite(high) & np.isfinite(low)).any()


@given(SHARES)
def test_a_share_is_off_by_half_a_unit_at_most(share):
    (units,) = to_fixed(np.array([share])).tolist()
    assert abs(Fraction(units, 2**32) - Fraction(share)) <= Fraction(1, 2**33)
