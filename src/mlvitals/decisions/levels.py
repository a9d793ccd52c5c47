"""What was declared usual since the reference: levels that are learnt anew, window by window."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mlvitals.decisions.rates import Usual, error_of_rate

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]


@dataclass(slots=True, eq=False)
class Levels:
    """How far what is usual now is from what the reference says.

    left: windows that are still to be learnt from, by detector. offset, error: of effects and directions, added to the
    usual level and (in quadrature) to its standard error; total, weight: what was summed so far, of the same shape.
    hits, rows: of rates, counted while learning; rate: the usual one since, NaN for the reference's.
    """

    left: Floats
    offset: Floats
    error: Floats
    total: Floats
    weight: Floats
    hits: Floats
    rows: Floats
    rate: Floats

    @classmethod
    def start(cls, detectors: int, effects: int, rates: int) -> "Levels":
        """Return the reference's own levels; `effects` counts directions too."""
        return cls(
            np.zeros(detectors),
            np.zeros(effects),
            np.zeros(effects),
            np.zeros(effects),
            np.zeros(effects),
            np.zeros(rates),
            np.zeros(rates),
            np.full(rates, np.nan),
        )

    def begin(self, detectors: Truths, effects: Truths, rates: Truths, windows: int) -> None:
        """Learn the levels of some detectors, with these effects, directions and rates, anew from the next windows."""
        self.left[detectors] = windows
        self.total[effects] = self.weight[effects] = 0.0
        self.hits[rates] = self.rows[rates] = 0.0

    def take(self, residual: Floats, weight: Floats, effects: Truths, noise: Floats) -> None:
        """Take in effects less what the reference has as usual, those that are learnt; `noise` is a mean's variance."""
        there = effects & np.isfinite(residual)
        self.total[there] += (weight * residual)[there]
        self.weight[there] += weight[there]
        known = effects & (self.weight > 0)
        self.offset[known] = self.total[known] / self.weight[known]
        self.error[known] = np.sqrt(noise[known])

    def take_rates(self, hits: Floats, rows: Floats, rates: Truths) -> None:
        """Take in counts of rates that are learnt."""
        self.hits[rates] += hits[rates]
        self.rows[rates] += rows[rates]
        known = rates & (self.rows > 0)
        self.rate[known] = (self.hits[known] + 0.5) / (self.rows[known] + 1)

    def usual(self, usual: Usual) -> Usual:
        """Return the usual rates, those that were learnt anew in place of the reference's."""
        anew = np.isfinite(self.rate)
        if not anew.any():
            return usual
        rate = np.where(anew, self.rate, usual.rate)
        error = error_of_rate(rate, self.rows, usual.precision)
        return replace(
            usual,
            rate=rate,
            low=np.where(anew, np.maximum(rate - error, 1e-9), usual.low),
            high=np.where(anew, np.minimum(rate + error, 1 - 1e-9), usual.high),
        )
