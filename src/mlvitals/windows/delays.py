"""Label delays: how old a prediction was when its label came, in bins that every cohort shares.

What counts is the label that counts: where a label is corrected the correction's age, so that the earlier one leaves
no trace here either.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.clock import parse_duration

Codes = npt.NDArray[np.intp]
Counts = npt.NDArray[np.int64]

# Round ages a factor of 1.3 to 2.5 apart. Usual maturities are among them, so that a curve is exact where it is read.
_SPELLED: Final = (
    *("1m", "2m", "5m", "10m", "20m", "30m", "1h", "2h", "3h", "6h", "12h"),
    *("1d", "2d", "3d", "5d", "7d", "10d", "14d", "21d", "30d", "45d", "60d", "90d", "120d", "180d", "270d", "365d"),
)
DELAY_AGES: Final = tuple(map(parse_duration, _SPELLED))
_ENDS: Final = np.array((-1, *DELAY_AGES), dtype=np.int64)
# Labels that are older than their prediction, then one bin up to each age, then whatever is later.
DELAY_BINS: Final = len(_ENDS) + 1
EARLY: Final = 0

_PARTS: Final = (24, 6, 2)


def delay_bins(ages: Counts) -> Codes:
    """Return the bin of each age in microseconds: that of the least of `DELAY_AGES` which it does not exceed."""
    return np.searchsorted(_ENDS, ages, side="left")


def ages_before(maturity: int) -> tuple[str, ...]:
    """Return the ages at which coverage is looked at before a first maturity: near a half, a sixth and a 24th of it."""
    counts = {sum(age * part <= maturity for age in DELAY_AGES) for part in _PARTS}
    return tuple(_SPELLED[count - 1] for count in sorted(counts) if count)


def bins_within(age: int) -> int:
    """Return how many bins hold nothing but labels that came by an age."""
    return int(np.searchsorted(_ENDS, age, side="right"))
