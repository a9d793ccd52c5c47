"""Sums of doubles that are exact, as integers: adding is associative to the bit, and subtracting undoes adding.

A double is a whole number of 53 bits times a power of two. Cut at every 32nd binary place it falls into three digits,
and digits of equal weight are added as int64. A vector of such cells is a number in a redundant base-2³² notation: the
small superaccumulator of Neal (2015), "Fast exact summation using small and large superaccumulators", without carries
until it is read. A cell holds 2³¹ summands before it could overflow.
"""

from fractions import Fraction
from math import inf
from typing import Final

import numpy as np
import numpy.typing as npt

_DIGIT_BITS: Final = 32
_DIGIT_PLACES: Final = 5  # 2⁵ = 32
_LEAST_EXPONENT: Final = -1074 - 53  # below the smallest place of the smallest subnormal, as frexp scales it
CELLS: Final = (1024 - _LEAST_EXPONENT) // _DIGIT_BITS + 3
_FRACTION_BITS: Final = 52
_FRACTION: Final = np.int64((1 << _FRACTION_BITS) - 1)
_EXPONENT: Final = np.int64((1 << 11) - 1)
_BIAS: Final = 1023
_AT_ONCE: Final = 1 << 14  # values: what they are cut into on the way then stays in the processor's cache
_DIGIT: Final = np.int64((1 << _DIGIT_BITS) - 1)


def add_exact(
    cells: npt.NDArray[np.int64],
    begins: npt.NDArray[np.intp],
    values: npt.NDArray[np.float64],
    signs: npt.NDArray[np.int64],
) -> None:
    """Add finite values, each times its sign (+1 or -1), to accumulators of CELLS cells, in place.

    Args:
        cells: shape (n,), with accumulators anywhere in it.
        begins: for each value the first cell of the accumulator that it belongs to.
        values: finite doubles.
        signs: +1 adds a value, -1 takes it back.

    """
    for start in range(0, len(values), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        _add(cells, begins[part], values[part], signs[part])


def _add(
    cells: npt.NDArray[np.int64],
    begins: npt.NDArray[np.intp],
    values: npt.NDArray[np.float64],
    signs: npt.NDArray[np.int64],
) -> None:
    # By IEEE 754 a double is sign, 11 bits of exponent, and 52 of a fraction whose first bit is left out but near 0.
    bits = np.asarray(values, dtype=np.float64).view(np.int64)
    exponents = (bits >> _FRACTION_BITS) & _EXPONENT
    magnitude = (bits & _FRACTION) | ((exponents > 0).astype(np.int64) << _FRACTION_BITS)
    place = np.maximum(exponents, 1) - _BIAS - _FRACTION_BITS - _LEAST_EXPONENT
    cell, shift = place >> _DIGIT_PLACES, place & (_DIGIT_BITS - 1)
    sign = np.where(bits < 0, -signs, signs)
    # The shifted mantissa has up to 85 bits: its low 32 first, so that nothing leaves 64 bits.
    low = (magnitude & _DIGIT) << shift
    high = ((magnitude >> _DIGIT_BITS) << shift) + (low >> _DIGIT_BITS)
    first = begins + cell
    for place, digit in enumerate((low & _DIGIT, high & _DIGIT, high >> _DIGIT_BITS)):
        np.add.at(cells, first + place, sign * digit)


def read_exact(cells: npt.NDArray[np.int64]) -> float:
    """Return the double nearest to the exact sum of one accumulator, shape (CELLS,); infinite past all doubles."""
    return _nearest(_whole(cells), _LEAST_EXPONENT)


def read_fraction(cells: npt.NDArray[np.int64]) -> Fraction:
    """Return the exact sum of one accumulator, shape (CELLS,): for differences of sums that nearly cancel."""
    return Fraction(_whole(cells), 1 << -_LEAST_EXPONENT)


def _whole(cells: npt.NDArray[np.int64]) -> int:
    return sum(int(digit) << (_DIGIT_BITS * place) for place, digit in enumerate(cells.tolist()) if digit)


def _nearest(total: int, exponent: int) -> float:
    try:
        return total / (1 << -exponent)  # correctly rounded in Python, over the whole range of doubles
    except OverflowError:
        return inf if total > 0 else -inf
