"""What is usual: how many predictions a window holds by its place in the week or the day, and how much that varies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from mlvitals.clock import DAY, HOUR, WEEK
from mlvitals.signals.spec import Volume
from mlvitals.windows.window import WindowSize

# From fewer windows than this no variance is told: with seven degrees of freedom its error is a quarter already.
LEAST_WINDOWS: Final = 8
# How many windows the variance that all places share is worth beside a place's own, which often rests on two.
_SHARED_WINDOWS: Final = 10
# Forty weeks of minutes: one wrong time in a reference must not make us lay out millions of empty windows.
_WINDOWS_AT_MOST: Final = 400_000
_CUT_OFF: Final = 2  # the first and the last window of a series may be cut off, and are missing from its rounds

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Season:
    """Usual volumes by place: window start modulo `cycle`, in steps of `step` (microseconds).

    expected, noise: predictions and their standard deviation; windows: how many were seen. Each of shape (places,).
    """

    cycle: int
    step: int
    expected: Floats
    noise: Floats
    windows: npt.NDArray[np.int64]

    @classmethod
    def fit(cls, counts: Mapping[int, int], size: WindowSize, first: int, end: int) -> Self | None:
        """Return the season of the windows that start in [first, end); None where they are too few.

        The places are the hours (or longer windows) of the week where two weeks were seen, else the hours of the day
        where three days were, else all windows are alike, which takes one whole day. A window that `counts` does not
        name served nothing. In a place with mean m a window varies by m + c²m² (negative binomial), c being common to
        all places and found by the method of moments; a place's own variance outweighs that as its windows grow.
        Source: Anscombe (1950), "Sampling theory of the negative binomial and logarithmic series distributions",
        Biometrika 37, for the moments; the shrinkage is a scaled inverse-χ² prior worth ten windows.

        Args:
            counts: predictions by window start; what lies outside of the span is left out.
            size: of the windows.
            first: start of the first window.
            end: start of the first window after the last.

        """
        total = size.count(first, end)
        if total < LEAST_WINDOWS:
            return None
        if total > _WINDOWS_AT_MOST and size.length:
            first = end - _WINDOWS_AT_MOST * size.length
        starts = _starts(size, first, end)
        found = np.array([counts.get(start, 0) for start in starts.tolist()], dtype=np.float64)
        for rounds, cycle, step in _divisions(size):
            if total >= rounds * (cycle // (size.length or cycle)) - _CUT_OFF:
                return cls(cycle, step, *_moments(starts % cycle // step, found, cycle // step))
        return None

    def at(self, start: int) -> Volume | None:
        """Return what is usual in the window that begins at `start`, None where nothing was seen of its place."""
        place = start % self.cycle // self.step
        if not self.windows[place]:
            return None
        return Volume(
            expected=float(self.expected[place]), noise=float(self.noise[place]), windows=int(self.windows[place])
        )


def season_of_series(counts: Mapping[int, int], size: WindowSize) -> Season | None:
    """Return the season of a series whose first and last windows may be cut off: they are left out."""
    if not counts:
        return None
    return Season.fit(counts, size, size.end(min(counts)), max(counts))


def _divisions(size: WindowSize) -> list[tuple[int, int, int]]:
    """Return the ways to tell windows apart, finest first: rounds that must have been seen, cycle, step."""
    within_a_day = 0 < size.length < DAY
    step = max(size.length, HOUR)
    by_week = [(2, WEEK, step)] if 0 < size.length <= DAY else []
    by_day = [(3, DAY, step)] if within_a_day else []
    return [*by_week, *by_day, (1, DAY, DAY)]


def _starts(size: WindowSize, first: int, end: int) -> npt.NDArray[np.int64]:
    if size.length:
        return np.arange(first, end, size.length, dtype=np.int64)
    starts = [first]
    while (following := size.end(starts[-1])) < end:
        starts.append(following)
    return np.array(starts, dtype=np.int64)


def _moments(
    places: npt.NDArray[np.int64], counts: Floats, length: int
) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Return each place's mean, the standard deviation of its next window, and how many windows it saw."""
    windows = np.bincount(places, minlength=length)
    seen = np.maximum(windows, 1)
    mean = np.bincount(places, counts, length) / seen
    squares = np.bincount(places, (counts - mean[places]) ** 2, length)
    freedom = np.maximum(windows - 1, 0)
    scale = float((freedom * mean**2).sum())
    shared = max(0.0, float((squares - freedom * mean).sum()) / scale) if scale else 0.0
    common = mean + shared * mean**2
    variance = (squares + _SHARED_WINDOWS * common) / (freedom + _SHARED_WINDOWS)
    return mean, np.sqrt(variance * (1 + 1 / seen)), windows
