"""The e-detector of a step: evidence that a stream's level left its tolerance, whenever that began.

For a bet b on a step of b innovations' standard deviations upwards, an innovation u, standardised, has the e-value
exp(λ·z(u - t·f) - λ²/2) with λ = z(b·f). f is what a step of one leaves in the innovation so many windows after its
onset, t the tolerated step, and z the map that makes innovations normal (`tails`), so that λ is what the step would be
on that scale. Its mean is at most 1 wherever the level is within its tolerance; hence the sum over all onsets of the
products of e-values since (Shiryaev and Roberts) exceeds A only once in A windows or more. Means of such detectors over
bets, sides and components keep that. Sources: Shin, Ramdas and Rinaldo (2023), "E-detectors", NEJSDS, arXiv:2203.03532,
definition 2.2 and section 3; on a step's trace in innovations Basseville and Nikiforov (1993), "Detection of abrupt
changes", section 7.2; bets on the scale of z are ours.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.decisions.tails import Places, normalise

Floats = npt.NDArray[np.float64]

BETS: Final = np.array([0.35, 0.7, 1.4, 2.8, 5.6, 11.2])
SIDES: Final = np.array([1.0, -1.0])
STEP_BETS: Final = len(SIDES) * len(BETS)
_AGES: Final = 3  # onsets whose trace is followed one by one; older ones share a mean of theirs
_MOST: Final = 1e100  # evidence beyond this says nothing more, and its products must not overflow


@dataclass(frozen=True, slots=True, eq=False)
class Novelty:
    """What a window brings of each stream; arrays of shape (streams,).

    standard: innovations in units of their deviation, NaN where the window says nothing. deviation: that unit, in the
    effect's own. tolerance: the tolerated step in units of the deviation. tails: of the innovations' t distribution.
    gain: the share of an innovation that the filter takes as natural; persistence: what of that stays till the next.
    cap: the largest logarithm of an e-value that counts, so that no single window alarms.
    """

    standard: Floats
    deviation: Floats
    tolerance: Floats
    tails: Places
    gain: Floats
    persistence: Floats
    cap: Floats


@dataclass(slots=True, eq=False)
class Steps:
    """Evidence of steps, by stream, side and bet: shape (streams, sides, bets) unless said otherwise.

    sums: products of e-values since an onset, added up; the last axis is the onset's age, all older ones in its last.
    absorbed: what the filter has taken of a step of one by the onset's age, shape (streams, ages); oldest: of the rest.
    climb: the logarithm of the products since the likeliest onset (CUSUM); taken, precision, share: what the filter has
    taken of a step since then, and the sums for its least squares; since: how many windows ago that was.
    """

    sums: Floats
    absorbed: Floats
    oldest: Floats
    climb: Floats
    taken: Floats
    share: Floats
    precision: Floats
    since: Floats

    @classmethod
    def start(cls, streams: int) -> "Steps":
        """Return no evidence."""
        cells = (streams, len(SIDES), len(BETS))
        return cls(np.zeros((*cells, _AGES + 1)), np.zeros((streams, _AGES)), *(np.zeros(cells) for _ in range(6)))

    @property
    def evidence(self) -> Floats:
        """The mean over sides and bets of the sums over onsets, shape (streams,)."""
        return np.asarray(self.sums.sum(axis=3).mean(axis=(1, 2)))

    def take(self, new: Novelty) -> None:
        """Take a window in."""
        known = np.isfinite(new.standard)
        streams = len(known)
        fresh = np.ones((streams, 1))
        by_age = np.broadcast_to(
            np.concatenate([fresh, 1 - self.absorbed], axis=1)[:, None, None, :], (*self.oldest.shape, _AGES + 1)
        )
        traces = np.concatenate([by_age, (1 - self.oldest)[..., None], (1 - self.taken)[..., None]], axis=3)
        logs = _log_e(new, np.where(known, new.standard, 0.0), traces)
        logs[~known] = 0.0
        values = np.exp(logs)
        new_onset = np.broadcast_to(known[:, None, None, None].astype(np.float64), (*self.oldest.shape, 1))
        before = np.concatenate([new_onset, self.sums], axis=3)
        after = np.minimum(before * values[..., :-1], _MOST)
        older = after[..., _AGES] + after[..., _AGES + 1]
        self._age(new, known, after)
        self.sums[known] = np.concatenate([after[..., :_AGES], older[..., None]], axis=3)[known]
        self._climb(new, known, logs[..., -1], traces[..., -1])

    def _age(self, new: Novelty, known: npt.NDArray[np.bool_], after: Floats) -> None:
        """Move every onset a window into the past, and what the filter takes of its step along."""
        behind, ahead = after[..., _AGES], after[..., _AGES + 1]
        weight = behind / np.maximum(behind + ahead, 1e-300)
        last = self.absorbed[:, -1][:, None, None]
        mixed = np.where(known[:, None, None], weight * last + (1 - weight) * self.oldest, self.oldest)
        ages = np.where(
            known[:, None], np.concatenate([np.zeros((len(known), 1)), self.absorbed[:, :-1]], axis=1), self.absorbed
        )
        self.absorbed = new.persistence[:, None] * (ages + new.gain[:, None] * (1 - ages))
        self.oldest = _take_more(mixed, new)

    def _climb(self, new: Novelty, known: npt.NDArray[np.bool_], logs: Floats, trace: Floats) -> None:
        """Follow the likeliest onset, and the least-squares estimate of the step since."""
        there = known[:, None, None]
        precision = trace**2 / (new.deviation**2)[:, None, None]
        share = trace * np.where(known, new.standard / new.deviation, 0.0)[:, None, None]
        self.climb = np.maximum(self.climb + logs, 0.0)
        self.precision = np.where(there, self.precision + precision, self.precision)
        self.share = np.where(there, self.share + share, self.share)
        self.since = self.since + 1
        self.taken = _take_more(self.taken, new)
        over = self.climb <= 0
        for kept in (self.precision, self.share, self.since, self.taken):
            kept[over] = 0.0

    def reset(self, streams: npt.NDArray[np.bool_]) -> None:
        """Forget the evidence of some streams."""
        for kept in (self.sums, self.climb, self.precision, self.share, self.since, self.taken):
            kept[streams] = 0.0

    def likeliest(self) -> tuple[Floats, Floats, Floats]:
        """Return each stream's estimated step, its standard error, and the windows since its onset; (streams,) each.

        Those of the side and bet with the most evidence; 0, infinity and 0 where there is none.
        """
        flat = self.sums.sum(axis=3).reshape(len(self.sums), STEP_BETS)
        best = flat.argmax(axis=1)
        rows = np.arange(len(flat))
        share, precision, since = (
            kept.reshape(len(flat), STEP_BETS)[rows, best] for kept in (self.share, self.precision, self.since)
        )
        there = precision > 0
        safe = np.where(there, precision, 1.0)
        return (
            np.where(there, share / safe, 0.0),
            np.where(there, 1 / np.sqrt(safe), np.inf),
            since,
        )


def _take_more(taken: Floats, new: Novelty) -> Floats:
    gain, persistence = new.gain[:, None, None], new.persistence[:, None, None]
    return np.asarray(persistence * (taken + gain * (1 - taken)))


def _log_e(new: Novelty, standard: Floats, traces: Floats) -> Floats:
    """Return the logarithms of e-values for innovations with these traces of a step, capped."""
    sided = SIDES[None, :, None, None] * standard[:, None, None, None] - new.tolerance[:, None, None, None] * traces
    normal = normalise(sided, new.tails[:, None, None, None])
    bets = normalise(BETS[None, None, :, None] * traces, new.tails[:, None, None, None])
    return np.asarray(np.minimum(bets * normal - bets**2 / 2, new.cap[:, None, None, None]))
