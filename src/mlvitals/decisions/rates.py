"""The e-detector of a rare rate: exact for counts, where a normal limit would not hold.

Counts of windows are beta-binomial about their usual rate: binomial but for what the rate itself varies from window to
window. The likelihood ratio of another rate to the usual one is an e-value; the usual one is taken at the end of its
interval that lies towards the other. It is summed over onsets as in `steps`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit, gammaln, logit

Floats = npt.NDArray[np.float64]

# Alternatives, as factors on the odds: rates that rise, and those that fall.
_SHIFTS: Final = np.array([0.7, 1.6, 3.0, 5.0, 8.0, -0.7, -1.6, -4.0])
RATE_BETS: Final = len(_SHIFTS)
_RISES: Final = _SHIFTS > 0
_MOST: Final = 1e100
_STEADY: Final = 1e7  # the precision of a rate that does not vary
_DEVIATIONS: Final = 2.0
_LEAST: Final = 1e-9  # of a usual rate's interval; as far from 1 it ends


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """Usual rates; arrays of shape (streams,). rate: in the mean; low, high: its interval; precision: of the beta."""

    rate: Floats
    low: Floats
    high: Floats
    precision: Floats


def fit_usual(hits: Floats, rows: Floats, hidden: Floats) -> Usual:
    """Return the usual rates of histories, shape (streams, windows), where windows without rows say nothing.

    hidden: the rates to be expected of what a history cannot show, shape (streams,), each its singletons ÷ rows, whose
    standard error is √(2 · singletons) ÷ rows at most. Source: Esty (1983), "A normal limit law for a nonparametric
    estimator of the coverage of a random sample", Annals of Statistics 11.

    The precision is by the method of moments from the windows' Pearson residuals: their mean square is
    1 + (n - 1) ÷ (precision + 1). Source: Williams (1982), "Extra-binomial variation in logistic linear models".
    """
    total = rows.sum(axis=1)
    rate = (hits.sum(axis=1) + 0.5) / (total + 1)
    there = rows > 0
    variance = rate * (1 - rate)
    squares = np.where(there, (hits - rows * rate[:, None]) ** 2 / np.maximum(rows, 1), 0.0).sum(axis=1) / variance
    windows = np.maximum(there.sum(axis=1), 1)
    excess = squares / windows - 1
    mean_rows = total / windows
    within = np.where(excess > 0, np.maximum(excess, 1e-12) / np.maximum(mean_rows - 1, 1e-9), 0.0)
    precision = np.clip(1 / np.maximum(within, 1 / _STEADY) - 1, 1.0, _STEADY)
    rate = np.maximum(rate, np.minimum(hidden, 1 - _LEAST))
    variance = rate * (1 - rate) * np.maximum(squares / windows, 1.0) + 2 * hidden
    error = np.sqrt(variance / np.maximum(total, 1)) + 1 / (total + 2)
    return Usual(
        rate=rate,
        low=np.maximum(rate - _DEVIATIONS * error, _LEAST),
        high=np.minimum(rate + _DEVIATIONS * error, 1 - _LEAST),
        precision=precision,
    )


def error_of_rate(rate: Floats, rows: Floats, precision: Floats) -> Floats:
    """Return the half width of a usual rate's interval that was counted over so many rows, as one window."""
    variance = rate * (1 - rate) * (1 + np.maximum(rows - 1, 0) / (precision + 1)) / np.maximum(rows, 1)
    return np.asarray(_DEVIATIONS * (np.sqrt(variance) + 1 / (rows + 2)))


@dataclass(slots=True, eq=False)
class Rates:
    """Evidence of rates that changed; arrays of shape (streams, alternatives).

    sums: products of e-values since an onset, summed over onsets. climb: the logarithm of the likelihood ratio since
    the likeliest onset; hits, rows, since: what was counted since then, and over how many windows.
    """

    sums: Floats
    climb: Floats
    hits: Floats
    rows: Floats
    since: Floats

    @classmethod
    def start(cls, streams: int) -> "Rates":
        """Return no evidence."""
        return cls(*(np.zeros((streams, len(_SHIFTS))) for _ in range(5)))

    @property
    def evidence(self) -> Floats:
        """The mean over alternatives of the sums over onsets, shape (streams,)."""
        return np.asarray(self.sums.mean(axis=1))

    def take(self, hits: Floats, rows: Floats, usual: Usual, cap: Floats) -> None:
        """Take a window's counts in, shape (streams,) each; without rows it says nothing.

        Nothing is bet on a rate falling that may be 0 already, nor on one rising that may be 1: such e-values are all
        but 1, and their sum over onsets would reach any bar in time where nothing ever happens.
        """
        possible = np.where(_RISES, usual.high[:, None] < 1 - _LEAST, usual.low[:, None] > _LEAST)
        known = (rows > 0)[:, None] & possible
        nearest = np.where(_RISES, usual.high[:, None], usual.low[:, None])
        other = expit(logit(nearest) + _SHIFTS)
        precision = usual.precision[:, None]
        logs = _log_beta_binomial(hits[:, None], rows[:, None], other, precision)
        logs -= _log_beta_binomial(hits[:, None], rows[:, None], nearest, precision)
        logs = np.where(known, logs, 0.0)
        values = np.exp(np.minimum(logs, cap[:, None]))
        self.sums = np.where(known, np.minimum((self.sums + 1) * values, _MOST), self.sums)
        # Uncapped: by capped ones a leap looks no likelier than a small step that began long before it.
        self.climb = np.maximum(self.climb + logs, 0.0)
        there = self.climb > 0
        self.hits = np.where(there, self.hits + hits[:, None], 0.0)
        self.rows = np.where(there, self.rows + rows[:, None], 0.0)
        self.since = np.where(there, self.since + 1, 0.0)

    def reset(self, streams: npt.NDArray[np.bool_]) -> None:
        """Forget the evidence of some streams."""
        for kept in (self.sums, self.climb, self.hits, self.rows, self.since):
            kept[streams] = 0.0

    def likeliest(self, usual: Usual) -> tuple[Floats, Floats, Floats]:
        """Return each stream's change of 2·asin(√rate), its standard error, and the windows since its onset.

        Those of the alternative and the onset that are likeliest together.
        """
        best = self.climb.argmax(axis=1)
        places = np.arange(len(best)), best
        hits, rows, since = self.hits[places], self.rows[places], self.since[places]
        there = rows > 0
        safe = np.where(there, rows, 1.0)
        # With natural variation each row counts as so much less.
        effect = angle(hits, safe) - 2 * np.arcsin(np.sqrt(usual.rate))
        design = 1 + np.maximum(safe / np.maximum(since, 1) - 1, 0) / (usual.precision + 1)
        return np.where(there, effect, 0.0), np.where(there, np.sqrt(design / safe), np.inf), since


def angle(hits: Floats, rows: Floats) -> Floats:
    """Return 2·asin √((x + 3/8) ÷ (n + 3/4)), whose variance is near 1 ÷ (n + 1/2) at every rate.

    Source: Anscombe (1948), "The transformation of Poisson, binomial and negative-binomial data", Biometrika 35.
    """
    return np.asarray(2 * np.arcsin(np.sqrt((hits + 0.375) / (rows + 0.75))))


def _log_beta_binomial(hits: Floats, rows: Floats, rate: Floats, precision: Floats) -> Floats:
    """Return the logarithm of the probability of counts, but for what does not depend on the rate."""
    first, second = rate * precision, (1 - rate) * precision
    return np.asarray(gammaln(hits + first) + gammaln(rows - hits + second) - gammaln(first) - gammaln(second))
