"""The one rule by which every time of a replay moves."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Move `origin` to `start` and run `speed` times as fast: t' = start + (t - origin) / speed.

    start, origin: microseconds since the epoch. speed: positive; 1440 puts a day into a minute. The order of
    times stays, and no distance between two times is off by more than a microsecond.
    """

    start: int
    origin: int
    speed: float

    def __post_init__(self) -> None:
        if not 0 < self.speed < float("inf"):
            raise ValueError(f"a speed is a positive number, not {self.speed}")

    def times(self, times: Times) -> Times:
        """Return shifted times, in microseconds since the epoch."""
        return self.start + np.rint((times - self.origin) / self.speed).astype(np.int64)

    def time(self, time: int) -> int:
        """Return one shifted time, the same to the microsecond as among many."""
        return self.start + round(float(time - self.origin) / self.speed)
