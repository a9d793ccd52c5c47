"""What is usual of all that is watched together, and what that promises."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mlvitals.clock import WEEK
from mlvitals.decisions.baseline import LEAST_FREEDOM, Baseline, fit_baseline
from mlvitals.decisions.rates import Usual, angle, fit_usual
from mlvitals.decisions.seasonality import Seasonality, Times
from mlvitals.decisions.shapes import Spread, fit_spread
from mlvitals.decisions.streams import Stream, Streams, Values
from mlvitals.decisions.tails import normalise
from mlvitals.decisions.whitening import innovations
from mlvitals.windows.window import WindowSize

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

# Rows that must be expected on either side of a rate for the normal limit (Cochran's rule, doubled).
_EXPECTED: Final = 10.0
# A season's terms are fitted to three windows each at least.
_WINDOWS_PER_TERM: Final = 3
LEAST_WINDOWS: Final = LEAST_FREEDOM + 1
# So long a history has seen each hour and each day of the week twice, and what they vary by.
_FULL: Final = 2 * WEEK


class Prepared(NamedTuple):
    """Values of windows as the detectors take them: rates that are common are effects too.

    effects, sampling: shape (windows, effects + directions), effects of rates after the others. hits, rows: rare rates.
    """

    effects: Floats
    sampling: Floats
    hits: Floats
    rows: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """On what the promise rests. windows: of the reference; seasonality: that was told apart; weeks: that were seen."""

    windows: int
    weeks: float
    seasonality: Seasonality

    @property
    def full(self) -> bool:
        """Whether the reference is long enough for all that the season may hold."""
        return self.weeks * WEEK >= _FULL

    @property
    def words(self) -> str:
        """What a person reads of it."""
        season = f"season by {self.seasonality.words}" if self.seasonality.terms > 1 else "no season told apart"
        told = f"{self.windows} windows over {self.weeks:.1f} weeks; {season}"
        if self.full:
            return told
        return f"{told}; short: what changes from week to week was not seen, the tolerance is wider for it"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Usually:
    """What is usual of streams, learnt from the windows of a history.

    effects: the streams that are effects, rates that are common among them; common: which rates these are; rare: the
    others. baseline: of effects, then of directions. usual: of rare rates. spread: of shapes. places: where each
    shape's directions stand among the effects and directions, shape (shapes, most directions), -1 past its own.
    """

    streams: Streams
    mode: Mode
    effects: tuple[Stream, ...]
    common: Places
    rare: Places
    baseline: Baseline
    usual: Usual
    spread: Spread
    places: Places

    def prepare(self, values: Values) -> Prepared:
        """Return values as the detectors take them."""
        return _prepare(self.streams, values, self.common, self.rare)

    def expected(self, starts: Times) -> Floats:
        """Return what is usual of effects and directions in windows, shape (windows, effects + directions)."""
        return np.asarray(self.baseline.seasonality.design(starts) @ self.baseline.season.T)


def mode_of(starts: Times, size: WindowSize) -> Mode | None:
    """Return on what a promise rests that is learnt from windows with these starts; None where they are too few."""
    seasonality = _affordable(starts, size)
    if seasonality is None:
        return None
    span = int(starts.max() - starts.min()) + size.length
    return Mode(windows=len(starts), weeks=span / WEEK, seasonality=seasonality)


def learn(streams: Streams, counts: Floats, starts: Times, size: WindowSize) -> Usually | None:
    """Return what is usual after windows with these counts, shape (windows, counts); None where they are too few."""
    mode = mode_of(starts, size)
    if mode is None:
        return None
    seasonality = mode.seasonality
    values = streams.read(counts)
    typical = _typical_hits(values)
    common, rare = np.flatnonzero(typical >= _EXPECTED), np.flatnonzero(typical < _EXPECTED)
    prepared = _prepare(streams, values, common, rare)
    effects = effects_of(streams, common)
    least = np.array([stream.least for stream in effects] + [1.0] * sum(streams.directions))
    baseline = fit_baseline(prepared.effects.T, prepared.sampling.T, starts, seasonality, least=least)
    places = _places(len(effects), streams.directions)
    return Usually(
        streams=streams,
        mode=mode,
        effects=effects,
        common=common,
        rare=rare,
        baseline=baseline,
        usual=fit_usual(prepared.hits.T, prepared.rows.T, np.array([streams.rates[place].hidden for place in rare])),
        spread=_spread(prepared, baseline, starts, places),
        places=places,
    )


def effects_of(streams: Streams, common: Places) -> tuple[Stream, ...]:
    """Return the streams that are effects, rates that are common after the others."""
    return (*streams.effects, *(streams.rates[place] for place in common))


def _affordable(starts: Times, size: WindowSize) -> Seasonality | None:
    """Return the richest seasonality that so many windows can tell."""
    most = Seasonality.of(starts, size)
    ways = (most, replace(most, by_day=False), replace(most, by_hour=False, by_day=False))
    for way in ways:
        if len(starts) >= max(way.terms * _WINDOWS_PER_TERM, way.terms + LEAST_FREEDOM):
            return way
    return None


def _typical_hits(values: Values) -> Floats:
    """Return how many rows a rate has in a typical window, on the side where they are fewer."""
    rows = values.rows.sum(axis=0)
    rate = np.divide(values.hits.sum(axis=0), rows, out=np.zeros_like(rows), where=rows > 0)
    windows = np.maximum((values.rows > 0).sum(axis=0), 1)
    return np.asarray(np.minimum(rate, 1 - rate) * rows / windows)


def _prepare(streams: Streams, values: Values, common: Places, rare: Places) -> Prepared:
    own = len(streams.effects)
    hits, rows = values.hits[:, common], values.rows[:, common]
    there = rows > 0
    angles = np.where(there, angle(hits, rows), np.nan)
    sampling = np.where(there, 1 / (rows + 0.5), np.nan)
    return Prepared(
        np.concatenate([values.effects[:, :own], angles, values.effects[:, own:]], axis=1),
        np.concatenate([values.sampling[:, :own], sampling, values.sampling[:, own:]], axis=1),
        values.hits[:, rare],
        values.rows[:, rare],
    )


def _places(effects: int, directions: Sequence[int]) -> Places:
    places = np.full((len(directions), max(directions, default=0)), -1, dtype=np.intp)
    start = effects
    for row, count in enumerate(directions):
        places[row, :count] = np.arange(start, start + count)
        start += count
    return places


def _spread(prepared: Prepared, baseline: Baseline, starts: Times, places: Places) -> Spread:
    residuals = (prepared.effects - baseline.seasonality.design(starts) @ baseline.season.T).T
    standard = innovations(residuals, prepared.sampling.T, baseline.noise) / baseline.scale[:, None]
    normal = normalise(standard, baseline.tails[:, None])
    own = places >= 0
    vectors = np.where(own[:, None, :], np.moveaxis(normal[places], 2, 1), 0.0)
    return fit_spread(vectors, own.sum(axis=1).astype(np.float64))
