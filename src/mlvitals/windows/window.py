"""Windows: half-open spans of event time, aligned to the epoch (weeks to Mondays, months to the calendar)."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.clock import DAY, HOUR, MINUTE, WEEK

Times = npt.NDArray[np.int64]

_MONDAY: Final = 4 * DAY  # 1970-01-05, the first Monday of the epoch
_MONTH: Final = "1mo"
_MEAN_MONTH: Final = 1461 * DAY // 48  # a twelfth of 365¼ days
_LENGTHS: Final = {
    **{f"{n}m": n * MINUTE for n in (1, 2, 5, 10, 15, 30)},
    **{f"{n}h": n * HOUR for n in (1, 2, 3, 4, 6, 8, 12)},
    "1d": DAY,
    "1w": WEEK,
}


@dataclass(frozen=True, slots=True)
class WindowSize:
    """A size of windows, by its spelling; `length` is its microseconds, 0 for calendar months."""

    text: str
    length: int

    @classmethod
    def parse(cls, text: str) -> "WindowSize":
        """Return the size spelled `1m` … `30m`, `1h` … `12h`, `1d`, `1w` or `1mo`.

        Raises:
            ValueError: not one of the sizes that divide a day, a week or a month.

        """
        if text == _MONTH:
            return cls(text, 0)
        if text not in _LENGTHS:
            raise ValueError(f"`{text}` is not a window size: use one of {', '.join([*_LENGTHS, _MONTH])}")
        return cls(text, _LENGTHS[text])

    @property
    def per_week(self) -> Fraction:
        """How many windows a week has; of months the mean."""
        return Fraction(WEEK, self.length or _MEAN_MONTH)

    @property
    def _offset(self) -> int:
        return _MONDAY if self.length == WEEK else 0

    def starts(self, times: Times) -> Times:
        """Return the start of the window that holds each time, in microseconds since the epoch."""
        if self.length == 0:
            return times.view("datetime64[us]").astype("datetime64[M]").astype("datetime64[us]").astype(np.int64)
        offset = self._offset
        if len(times) and (first := self.start(int(times.min()))) == self.start(int(times.max())):
            return np.full(len(times), first, dtype=np.int64)
        return (times - offset) // self.length * self.length + offset

    def start(self, time: int) -> int:
        """Return the start of the window that holds a time."""
        if self.length == 0:
            return int(np.datetime64(time, "us").astype("datetime64[M]").astype("datetime64[us]").astype(np.int64))
        return (time - self._offset) // self.length * self.length + self._offset

    def end(self, start: int) -> int:
        """Return the end (exclusive) of the window that begins at `start`."""
        if self.length == 0:
            month = np.datetime64(start, "us").astype("datetime64[M]") + 1
            return int(month.astype("datetime64[us]").astype(np.int64))
        return start + self.length

    def count(self, start: int, end: int) -> int:
        """Return how many windows lie between two starts of windows."""
        if self.length == 0:
            first, last = (np.datetime64(time, "us").astype("datetime64[M]") for time in (start, end))
            return int((last - first).astype(np.int64))
        return (end - start) // self.length


SIZES: Final = tuple(WindowSize.parse(text) for text in (*_LENGTHS, _MONTH))
