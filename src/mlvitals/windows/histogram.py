"""An additive histogram of durations, read as quantiles with a stated relative error.

Bins are log-linear: 32 equal steps in every octave from 1 µs to about 4 years, cut straight from the bits of a double.
A quantile is the middle of its bin, so it is within 1/64 (1.6 %) of a value that the window really holds.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

_STEP_BITS: Final = 5
_SHIFT: Final = 52 - _STEP_BITS
_LEAST: Final = float(2.0**-20)
_GREATEST: Final = float(2.0**27)
_FIRST: Final = int(np.float64(_LEAST).view(np.int64)) >> _SHIFT
HISTOGRAM_BINS: Final = (int(np.float64(_GREATEST).view(np.int64)) >> _SHIFT) - _FIRST
RELATIVE_ERROR: Final = 2.0 ** -(_STEP_BITS + 1)


def duration_bins(seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the bin of each duration; below 1 µs (negative ones too) the first, NaN as -1."""
    clamped = np.clip(seconds, _LEAST, np.nextafter(_GREATEST, 0))
    bins = (clamped.view(np.int64) >> _SHIFT) - _FIRST
    return np.where(np.isnan(seconds), -1, bins)


def duration_quantile(counts: npt.NDArray[np.int64], quantile: float) -> float | None:
    """Return the quantile of a histogram in seconds (the inverse of its step CDF), None where it is empty."""
    total = int(counts.sum())
    if total == 0:
        return None
    rank = max(1, int(np.ceil(quantile * total)))
    index = int(np.searchsorted(np.cumsum(counts), rank))
    low, high = (np.array([index + _FIRST, index + _FIRST + 1], dtype=np.int64) << _SHIFT).view(np.float64)
    return float(low + high) / 2
