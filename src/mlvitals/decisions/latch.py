"""Alarms that last: since when, of what, and whether what they alarmed of has gone."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.clock import DAY
from mlvitals.windows.window import WindowSize

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]

MOST: Final = 24
_FEWEST: Final = 3
_INSIDE: Final = 0.5


def recovery_windows(size: WindowSize) -> int:
    """Return how many windows must be inside before an alarm is over: those of a day, from 3 to 24."""
    return min(MOST, max(_FEWEST, DAY // size.length)) if size.length else _FEWEST


@dataclass(slots=True, eq=False)
class Latches:
    """Alarms that last, by detector; arrays of shape (detectors,) unless said otherwise.

    part: which stream alarmed, as an index of the caller's, -1 where nothing lasts. step: by how much it had moved.
    departures, weights: how far the last windows were from usual, and how much they say, the newest last; shape
    (detectors, 24). seen: windows since the alarm.
    """

    part: Floats
    step: Floats
    departures: Floats
    weights: Floats
    seen: Floats

    @classmethod
    def start(cls, detectors: int) -> "Latches":
        """Return no alarm."""
        return cls(
            np.full(detectors, -1.0),
            np.zeros(detectors),
            np.zeros((detectors, MOST)),
            np.zeros((detectors, MOST)),
            np.zeros(detectors),
        )

    @property
    def closed(self) -> Truths:
        """Which alarms last."""
        return np.asarray(self.part >= 0)

    def close(self, detector: int, part: int, step: float) -> None:
        """Begin an alarm."""
        self.part[detector], self.step[detector], self.seen[detector] = part, step, 0.0
        self.departures[detector] = self.weights[detector] = 0.0

    def release(self, detectors: Truths) -> None:
        """End alarms."""
        self.part[detectors] = -1.0

    def take(self, departures: Floats, weights: Floats, windows: int) -> Truths:
        """Take in how far alarmed streams are from usual; end alarms that are over, and return which.

        One is over where of so many windows, and of the newer half of them, the weighted mean is nearer to what is
        usual than to where it was when it alarmed. departures, weights: shape (detectors,), weight 0 for no window.
        """
        there = self.closed & (weights > 0)
        for kept, new in ((self.departures, departures), (self.weights, weights)):
            kept[there] = np.concatenate([kept[there, 1:], np.where(there, new, 0.0)[there, None]], axis=1)
        self.seen[there] += 1
        inside = np.ones(len(there), dtype=np.bool_)
        for last in (windows, (windows + 1) // 2):
            weight = self.weights[:, -last:].sum(axis=1)
            mean = (self.weights * self.departures)[:, -last:].sum(axis=1) / np.maximum(weight, 1e-300)
            inside &= np.abs(mean) <= _INSIDE * np.abs(self.step)
        over: Truths = there & (self.seen >= windows) & inside
        self.release(over)
        return over
