"""Window effects made white: what is new in a window, given the windows before.

An effect differs from what is usual by a natural deviation that lasts from window to window, and by sampling noise that
does not and is known up to a factor: y(w) = usual(w) + x(w) + ε(w), x an autoregression of order one with stationary
variance τ², ε of variance φ·v(w), v(w) being the variance that the number of rows gives (1/n for effects in standard
deviations). Kalman's filter yields the innovations of exactly this, whatever n is in each window and wherever windows
are missing.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# The grids of the likelihood; between their points it is flat.
_PERSISTENCES: Final = np.array([0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98])
_RATIOS: Final = np.array([0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1e3, 1e4])
_TINY: Final = 1e-300
# Effects are of the order of 1: what varies by less than a billionth of it does not vary, but for its last digits.
_LEAST_VARIANCE: Final = 1e-18
# From here on a surprise, in units of what is expected, is not taken for chance.
_SURPRISE: Final = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """How streams vary where nothing changed; arrays of shape (streams,).

    persistence: of the natural deviation, from window to window. natural: its stationary variance τ².
    inflation: the factor φ on the sampling variance. freedom: of the t distribution of what is new in the deviation.
    """

    persistence: Floats
    natural: Floats
    inflation: Floats
    freedom: Floats

    def of(self, rows: npt.NDArray[np.intp]) -> "Noise":
        """Return the noise of some of the streams."""
        return Noise(self.persistence[rows], self.natural[rows], self.inflation[rows], self.freedom[rows])

    def scaled(self, factor: Floats) -> "Noise":
        """Return the noise with every variance multiplied."""
        return replace(self, natural=self.natural * factor, inflation=self.inflation * factor)

    def long_run(self, sampling: Floats) -> Floats:
        """Return the variance of a long mean times its windows, for a typical sampling variance."""
        return self.inflation * sampling + self.natural * (1 + self.persistence) / (1 - self.persistence)


@dataclass(slots=True, eq=False)
class Filter:
    """Where the natural deviations are thought to be before the next window; arrays of shape (streams,)."""

    level: Floats
    variance: Floats

    @classmethod
    def start(cls, noise: Noise) -> "Filter":
        """Return the filter before anything was seen."""
        return cls(np.zeros_like(noise.natural), noise.natural.copy())

    def step(self, residual: Floats, sampling: Floats, noise: Noise) -> tuple[Floats, Floats, Floats]:
        """Take a window in; return its innovations, their variances, and the share of an innovation taken as natural.

        residual: effect less what is usual; NaN where the window says nothing, whose innovation is NaN and share 0.
        """
        known = np.isfinite(residual)
        total = self.variance + noise.inflation * np.where(known, sampling, 1.0)
        innovation = residual - self.level
        fresh = (1 - noise.persistence**2) * noise.natural
        # A surprise beyond what noise explains is likelier a jump of a heavy-tailed deviation: it is taken over, for
        # what it leaves in the next windows would else be counted as evidence again.
        surprise = (1 + innovation**2 / np.maximum(total, _TINY) / noise.freedom) / (1 + 1 / noise.freedom)
        jump = np.where(known, np.maximum(surprise - _SURPRISE, 0.0), 0.0) * fresh
        variance = self.variance + jump
        gain = np.where(known, variance / np.maximum(total + jump, _TINY), 0.0)
        self.level = noise.persistence * (self.level + gain * np.where(known, innovation, 0.0))
        self.variance = noise.persistence**2 * (1 - gain) * variance + fresh
        return innovation, total, gain


def innovations(residuals: Floats, sampling: Floats, noise: Noise) -> Floats:
    """Return standardised innovations of histories, shape (streams, windows) as the residuals."""
    state = Filter.start(noise)
    found = np.empty_like(residuals)
    for window in range(residuals.shape[1]):
        innovation, total, _ = state.step(residuals[:, window], sampling[:, window], noise)
        found[:, window] = innovation / np.sqrt(np.maximum(total, _TINY))
    return found


def fit_noise(residuals: Floats, sampling: Floats, least: Floats) -> Noise:
    """Return the most likely noise of each stream on a grid, the scale found in closed form.

    residuals, sampling: shape (streams, windows), NaN where a window says nothing. least: the least inflation, shape
    (streams,): 1 where `sampling` is the variance of a multinomial share, 0 where only its proportions are known. The
    likelihood is that of the innovations (Harvey, 1989, "Forecasting, structural time series models and the Kalman
    filter", section 3.4).
    """
    known = np.isfinite(residuals)
    typical = _typical(sampling, known)
    least = np.maximum(least, np.divide(_LEAST_VARIANCE, typical, out=np.ones_like(typical), where=typical > 0))
    coarse = np.array([(p, r) for p in range(0, len(_PERSISTENCES), 2) for r in range(0, len(_RATIOS), 2)])
    best = _likeliest(residuals, sampling, typical, least, np.broadcast_to(coarse, (len(residuals), *coarse.shape)))[0]
    around = best[:, None, :] + np.array([(p, r) for p in (-1, 0, 1) for r in (-1, 0, 1)])
    around = np.clip(around, 0, [len(_PERSISTENCES) - 1, len(_RATIOS) - 1])
    best, inflation = _likeliest(residuals, sampling, typical, least, around)
    persistence, ratio = _PERSISTENCES[best[:, 0]], _RATIOS[best[:, 1]]
    persistence = np.where(ratio > 0, persistence, 0.0)
    return Noise(persistence, inflation * ratio * typical, inflation, np.full(len(residuals), np.inf))


def _likeliest(
    residuals: Floats, sampling: Floats, typical: Floats, least: Floats, points: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], Floats]:
    """Return each stream's likeliest of its points on the grids, shape (streams, points, 2), and its inflation."""
    known = np.isfinite(residuals)
    count = np.maximum(known.sum(axis=1), 1)
    persistence, natural = _PERSISTENCES[points[:, :, 0]], _RATIOS[points[:, :, 1]] * typical[:, None]
    level, logs, squares = np.zeros((3, *natural.shape))
    variance = natural.copy()
    for window in range(residuals.shape[1]):
        there = known[:, window, None]
        total = variance + np.where(there, sampling[:, window, None], 1.0)
        innovation = np.where(there, residuals[:, window, None] - level, 0.0)
        gain = np.where(there, variance / total, 0.0)
        logs += np.where(there, np.log(total), 0.0)
        squares += innovation**2 / total
        level = persistence * (level + gain * innovation)
        variance = persistence**2 * (1 - gain) * variance + (1 - persistence**2) * natural
    scale = np.maximum(squares / count[:, None], np.maximum(least, _TINY)[:, None])
    deviance = logs + count[:, None] * np.log(scale) + squares / scale
    best = deviance.argmin(axis=1)
    rows = np.arange(len(residuals))
    return points[rows, best], scale[rows, best]


def _typical(sampling: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    return np.asarray(np.where(known, sampling, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1))
