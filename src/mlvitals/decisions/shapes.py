"""The e-detector of a change of shape: evidence that many directions of a distribution moved together.

A distribution over k cells has k - 1 orthogonal directions; their innovations, made normal, form a vector z. Two kinds
of e-values read it. The length: exp(θ|z|² ÷ c)·(1 - 2θ)^(ν/2), for |z|² ÷ c is χ² with ν degrees of freedom where c and
ν match its moments over the reference (Satterthwaite, 1946; Rao and Scott, 1981); a mean inside the tolerated length t
raises it by no more than exp(θt² ÷ (1 - 2θ) ÷ c). The direction: exp(a·z - κ|a|² ÷ 2 - |a|t) for any a that earlier
windows give, here their mean, discounted, less what chance gives it; κ is the greatest variance in any direction. Both
have a mean of 1 at most inside the tolerance, and are summed over onsets as in `steps`.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]

_LENGTHS: Final = np.array([0.1, 0.3])
_MEMORIES: Final = np.array([0.5, 0.9])
SHAPE_BETS: Final = len(_LENGTHS) + len(_MEMORIES)
_MOST: Final = 1e100
_LEAST_WINDOWS: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """How long vectors of innovations are where nothing changed; arrays of shape (streams,).

    dimensions: directions that a stream has. unit, freedom: c and ν of their squared length. widest: κ.
    """

    dimensions: Floats
    unit: Floats
    freedom: Floats
    widest: Floats


def fit_spread(normal: Floats, dimensions: Floats) -> Spread:
    """Return the spread of vectors, shape (streams, windows, directions), 0 past a stream's own, NaN where unknown."""
    known: Truths = np.asarray(np.isfinite(normal).all(axis=2))
    vectors = np.where(known[:, :, None], normal, 0.0)
    count = np.maximum(known.sum(axis=1), _LEAST_WINDOWS)
    squared = (vectors**2).sum(axis=2)
    mean = np.maximum(squared.sum(axis=1) / count, dimensions)
    variance = (np.where(known, squared - mean[:, None], 0.0) ** 2).sum(axis=1) / count
    unit = np.maximum(variance / (2 * mean), 1.0)
    # The greatest of the eigenvalues of a sample's covariance is above the true one's by this much by chance alone.
    chance = (1 + np.sqrt(dimensions / count)) ** 2
    covariance = np.einsum("swi,swj->sij", vectors, vectors, optimize=True) / count[:, None, None]
    widest = np.linalg.eigvalsh(covariance)[:, -1] / chance if covariance.shape[1] else np.ones(len(count))
    guard = 1 + 2 * np.sqrt(2 / (count * np.maximum(dimensions, 1)))
    return Spread(dimensions, unit * guard, mean / unit, np.maximum(widest, 1.0) * guard)


class Vectors(NamedTuple):
    """What a window brings.

    normal: innovations made normal, shape (streams, directions), 0 past a stream's own, NaN for no window.
    tolerance: the tolerated length t, shape (streams,). cap: the largest logarithm of an e-value that counts, likewise.
    residual: effects less what is usual, shaped as `normal`. variance: of them, summed over directions, (streams,).
    """

    normal: Floats
    tolerance: Floats
    cap: Floats
    residual: Floats
    variance: Floats


@dataclass(slots=True, eq=False)
class Shapes:
    """Evidence of changes of shape.

    sums: products of e-values since an onset, summed over onsets, by bet: shape (streams, bets). means: discounted
    means of the vectors, shape (streams, memories, directions). climb: the logarithm of the products since the
    likeliest onset, by bet; total, noise, since: over the windows since then the summed vectors of what is left of
    effects, shape (streams, bets, directions), their summed variances, and how many they are.
    """

    sums: Floats
    means: Floats
    climb: Floats
    total: Floats
    noise: Floats
    since: Floats

    @classmethod
    def start(cls, streams: int, directions: int) -> "Shapes":
        """Return no evidence."""
        return cls(
            np.zeros((streams, SHAPE_BETS)),
            np.zeros((streams, len(_MEMORIES), directions)),
            np.zeros((streams, SHAPE_BETS)),
            np.zeros((streams, SHAPE_BETS, directions)),
            np.zeros((streams, SHAPE_BETS)),
            np.zeros((streams, SHAPE_BETS)),
        )

    @property
    def evidence(self) -> Floats:
        """The mean over bets of the sums over onsets, shape (streams,)."""
        return np.asarray(self.sums.mean(axis=1))

    def take(self, new: Vectors, spread: Spread) -> None:
        """Take a window in."""
        known: Truths = np.asarray(np.isfinite(new.normal).all(axis=1))
        vectors = np.where(known[:, None], new.normal, 0.0)
        tolerance = np.where(known, new.tolerance, 0.0)  # infinite where a stream was hardly ever in the reference
        logs = np.minimum(
            np.concatenate(
                [_lengths(vectors, tolerance, spread), self._directions(vectors, tolerance, spread)], axis=1
            ),
            new.cap[:, None],
        )
        logs[~known] = 0.0
        self.sums = np.where(known[:, None], np.minimum((self.sums + 1) * np.exp(logs), _MOST), self.sums)
        discounted = _MEMORIES[None, :, None] * self.means + (1 - _MEMORIES)[None, :, None] * vectors[:, None, :]
        self.means = np.where(known[:, None, None], discounted, self.means)
        self.climb = np.maximum(self.climb + logs, 0.0)
        there = self.climb > 0
        residual, variance = (np.where(known[(..., *(None,) * (one.ndim - 1))], one, 0.0) for one in new[3:])
        self.total = np.where(there[:, :, None], self.total + residual[:, None, :], 0.0)
        self.noise = np.where(there, self.noise + variance[:, None], 0.0)
        self.since = np.where(there, self.since + 1, 0.0)

    def _directions(self, vectors: Floats, tolerance: Floats, spread: Spread) -> Floats:
        chance = (1 - _MEMORIES) / (1 + _MEMORIES) * spread.dimensions[:, None]
        squared = (self.means**2).sum(axis=2)
        shrink = np.maximum(1 - chance / np.maximum(squared, 1e-300), 0.0)
        towards = shrink[:, :, None] * self.means
        length = np.sqrt((towards**2).sum(axis=2))
        along = (towards * vectors[:, None, :]).sum(axis=2)
        return np.asarray(along - spread.widest[:, None] * length**2 / 2 - length * tolerance[:, None])

    def reset(self, streams: npt.NDArray[np.bool_]) -> None:
        """Forget the evidence of some streams."""
        for kept in (self.sums, self.climb, self.total, self.noise, self.since):
            kept[streams] = 0.0

    def likeliest(self) -> tuple[Floats, Floats, Floats]:
        """Return each stream's squared length of the mean change, debiased, its standard error, windows since onset."""
        mean, noise, since = self.change()
        chance = noise / np.maximum(since, 1) ** 2
        effect = (mean**2).sum(axis=1) - chance
        per_direction = chance / np.maximum((mean != 0).sum(axis=1), 1)
        error = np.sqrt(np.maximum(2 * chance * per_direction + 4 * np.maximum(effect, 0) * per_direction, 0.0))
        return np.where(since > 0, effect, 0.0), np.where(since > 0, error, np.inf), since

    def change(self) -> tuple[Floats, Floats, Floats]:
        """Return each stream's mean change since its likeliest onset, by direction, its summed noise, and windows."""
        places = np.arange(len(self.sums)), self.sums.argmax(axis=1)
        since = self.since[places]
        return self.total[places] / np.maximum(since, 1)[:, None], self.noise[places], since


def _lengths(vectors: Floats, tolerance: Floats, spread: Spread) -> Floats:
    squared = (vectors**2).sum(axis=1)[:, None] / spread.unit[:, None]
    tolerated = tolerance[:, None] ** 2 / spread.unit[:, None]
    left = 1 - 2 * _LENGTHS[None, :]
    return np.asarray(_LENGTHS * squared + spread.freedom[:, None] / 2 * np.log(left) - _LENGTHS * tolerated / left)
