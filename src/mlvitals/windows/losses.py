"""What one labelled row adds to the sums: doubles that are the same on every machine.

A label that is corrected is taken back on whatever machine the correction arrives at. So only what IEEE 754 rounds
correctly is used (+, -, ×, ÷), and never a library's logarithm, whose last bit goes by the processor.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# What scikit-learn's log_loss clips doubles to: the gap between 1 and the next double.
LEAST_PROBABILITY: Final = float(np.finfo(np.float64).eps)

# ln 2 in two parts, the first with its last 21 bits empty, so that its product with an exponent is exact.
_LN2_HIGH: Final = float.fromhex("0x1.62e42fee00000p-1")
_LN2_LOW: Final = 1.9082149292705877e-10
_ROOT_HALF: Final = 0.7071067811865476
_SERIES: Final = tuple(1.0 / odd for odd in range(21, 1, -2))  # of artanh: (√2 - 1)² to the 11th is below 2⁻⁵⁴
# Small enough that two billion rows of a window do not overflow, far below any noise of a mean.
FIXED_POINT: Final = 2.0**32
_HALF_BITS: Final = float(2**27 + 1)


def natural_log(values: Floats) -> Floats:
    """Return ln of positive normal doubles, within two units in the last place.

    ln(m·2ᵉ) = e·ln 2 + 2·artanh((m - 1) ÷ (m + 1)), m in [√½, √2).
    """
    mantissas, exponents = np.frexp(values)
    small = mantissas < _ROOT_HALF
    mantissas, exponents = np.where(small, 2 * mantissas, mantissas), exponents - small
    ratio = (mantissas - 1) / (mantissas + 1)
    square = ratio * ratio
    series = np.zeros_like(square)
    for coefficient in _SERIES:
        series = (series + coefficient) * square
    rest: Floats = 2 * ratio + (2 * ratio * series + exponents * _LN2_LOW)
    return exponents * _LN2_HIGH + rest


def log_losses(probabilities: Floats) -> Floats:
    """Return -ln of the probabilities that were given to what came true, each clipped to [2⁻⁵², 1 - 2⁻⁵²]."""
    return -natural_log(np.clip(probabilities, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY))


def to_fixed(shares: Floats) -> npt.NDArray[np.int64]:
    """Return numbers in [0, 1] as whole units of 2⁻³², rounded to the nearest: each is off by 2⁻³³ at most."""
    return np.rint(shares * FIXED_POINT).astype(np.int64)


def exact_squares(values: Floats) -> tuple[Floats, Floats]:
    """Return each value's square as two doubles whose sum it is; not finite where it would leave the doubles.

    It is exact for values whose square is above 2⁻⁹⁶⁸. Source: Dekker (1971), "A floating-point technique for extending
    the available precision", Numerische Mathematik 18.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        square = values * values
        spread = values * _HALF_BITS
        high = spread - (spread - values)
        low = values - high
        return square, low * low - ((square - high * high) - 2 * (high * low))
