"""Sums of money that are exact: whole millionths, in two cells each, so that neither an order nor a size harms them."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.windows.exact_sum import CELLS

# Every price that is written with six decimals at most is whole, so that sums of cents are right to the cent.
MILLIONTHS: Final = 10**6

# Below this a double and its millionfold are off by less than half a millionth together, and up to `LARGEST_AMOUNT` by
# less than half a thousandth.
_SIX_DECIMALS_BELOW: Final = 2.0**32
_THOUSANDTHS: Final = 10**3

# A sum is low + high × 2³²: two billion rows fit in the low cell, and the high one holds what is left of 63 bits.
MONEY_CELLS: Final = 2
_LOW_BITS: Final = 32
_LOW: Final = np.int64((1 << _LOW_BITS) - 1)

# Four million millions: millionths of it still fit into an integer of 64 bits.
LARGEST_AMOUNT: Final = 2.0**42

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def is_amount(values: Floats) -> npt.NDArray[np.bool_]:
    """Tell which numbers can be summed: finite ones, up to LARGEST_AMOUNT either way."""
    usable: npt.NDArray[np.bool_] = np.abs(values) <= LARGEST_AMOUNT  # of NaN this is false
    return usable


def to_money(amounts: Floats) -> Counts:
    """Return amounts as cells that add, shape (MONEY_CELLS, rows), each rounded to the nearest millionth.

    From 2³² on a double may be nearer to another millionth than to the one that was written: to the nearest thousandth.
    """
    whole = np.rint(amounts * MILLIONTHS).astype(np.int64)
    large = np.abs(amounts) >= _SIX_DECIMALS_BELOW
    whole[large] = np.rint(amounts[large] * _THOUSANDTHS).astype(np.int64) * (MILLIONTHS // _THOUSANDTHS)
    return np.stack([whole & _LOW, whole >> _LOW_BITS])


def read_money(cells: Counts) -> Fraction:
    """Return the exact sum that MONEY_CELLS cells hold."""
    low, high = (int(cell) for cell in cells)
    return Fraction(low + (high << _LOW_BITS), MILLIONTHS)


def read_monies(cells: Counts) -> Floats:
    """Return many sums as doubles: cells of shape (MONEY_CELLS, …), the result of shape (…)."""
    return np.asarray((cells[0] + cells[1] * 2.0**_LOW_BITS) / MILLIONTHS, dtype=np.float64)


def outcome_sizes(classes: int, bins: int | None) -> Mapping[str, int]:
    """Return the parts that labels of a binary task add up to, where its predictions have an amount.

    amount: by predicted × true class as in the confusion matrix. unpriced: labels without a usable amount, likewise.
    missed_squared, false_squared: exact sums of amount² over false negatives and false positives. positive_amount,
    negative_amount: the amounts of positive and of negative labels by score bin, where there is a score.

    Args:
        classes: of the confusion matrix.
        bins: of the score, None where there is none.

    """
    sizes = {"amount": MONEY_CELLS * classes**2, "unpriced": classes**2}
    sizes |= {"missed_squared": CELLS, "false_squared": CELLS}
    if bins is not None:
        sizes |= dict.fromkeys(("positive_amount", "negative_amount"), MONEY_CELLS * bins)
    return sizes


def served_sizes(bins: int) -> Mapping[str, int]:
    """Return the parts that predictions of a binary task add up to, where they have an amount and a score.

    score_amount: amounts by decision (negative, positive) and score bin. score_unpriced: finite scores without a
    usable amount, by decision.
    """
    return {"score_amount": MONEY_CELLS * 2 * bins, "score_unpriced": 2}
