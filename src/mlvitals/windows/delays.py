"""Label delays: how old a prediction was when its label came, in bins that every cohort shares.

What counts is the label that counts: where a label is corrected the correction's age, so that the earlier one leaves
no trace here either.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.clock import DAY, HOUR, MINUTE

Codes = npt.NDArray[np.intp]
Counts = npt.NDArray[np.int64]

# Round ages a factor of 1.3 to 2.5 apart. Usual maturities are among them, so that a curve is exact where it is read.
DELAY_AGES: Final[tuple[int, ...]] = (
    *(minutes * MINUTE for minutes in (1, 2, 5, 10, 20, 30)),
    *(hours * HOUR for hours in (1, 2, 3, 6, 12)),
    *(days * DAY for days in (1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365)),
)
_ENDS: Final = np.array((-1, *DELAY_AGES), dtype=np.int64)
# Labels that are older than their prediction, then one bin up to each age, then whatever is later.
DELAY_BINS: Final = len(_ENDS) + 1
EARLY: Final = 0


def delay_bins(ages: Counts) -> Codes:
    """Return the bin of each age in microseconds: that of the least of `DELAY_AGES` which it does not exceed."""
    return np.searchsorted(_ENDS, ages, side="left")


def bins_within(age: int) -> int:
    """Return how many bins hold nothing but labels that came by an age."""
    return int(np.searchsorted(_ENDS, age, side="right"))
