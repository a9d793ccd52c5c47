"""Which part of the day and the week a window lies in: the regressors of what is usual there."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.clock import DAY, HOUR, WEEK
from mlvitals.windows.window import WindowSize

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]

# A day of the week is known once two of it were seen, an hour of the day once three were.
_WEEKS: Final = 1
_DAYS: Final = 3
_MONDAY: Final = 4 * DAY  # 1970-01-05, the first Monday of the epoch


@dataclass(frozen=True, slots=True)
class Seasonality:
    """What windows may differ by: the hour of the day, the day of the week, both in addition, or nothing.

    Additive, for 24 + 6 numbers can be learnt from some weeks and 168 cannot. parts: of a day that are told apart, as
    many as windows of more than an hour have; regressors of hours that never begin a window would be learnt of nothing.
    """

    by_hour: bool
    by_day: bool
    parts: int = 24

    @classmethod
    def of(cls, starts: Times, size: WindowSize) -> "Seasonality":
        """Return what can be told apart after windows with these starts."""
        if not len(starts) or size.length > DAY or size.length == 0:
            return cls(by_hour=False, by_day=False)
        span = int(starts.max() - starts.min()) + size.length
        return cls(
            by_hour=size.length < DAY and span >= _DAYS * DAY,
            by_day=span >= _WEEKS * WEEK,
            parts=DAY // max(size.length, HOUR),
        )

    @property
    def terms(self) -> int:
        """How many regressors there are, the constant included."""
        return 1 + (self.parts - 1) * self.by_hour + 6 * self.by_day

    def design(self, starts: Times) -> Floats:
        """Return the regressors of windows, shape (windows, terms): a constant, and effects that add up to 0."""
        parts = [np.ones((len(starts), 1))]
        if self.by_hour:
            parts.append(_effects(starts % DAY // (DAY // self.parts), self.parts))
        if self.by_day:
            parts.append(_effects((starts - _MONDAY) % WEEK // DAY, 7))
        return np.concatenate(parts, axis=1)

    @property
    def words(self) -> str:
        """What a person reads of it."""
        named = [word for word, there in (("hour of the day", self.by_hour), ("day of the week", self.by_day)) if there]
        return " and ".join(named) or "none"


def _effects(places: Times, count: int) -> Floats:
    """Return sum-to-zero coding of places 0 … count - 1, shape (len(places), count - 1)."""
    coding = np.vstack([np.eye(count - 1), -np.ones((1, count - 1))])
    return np.asarray(coding[places])
