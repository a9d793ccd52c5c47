"""Compare the detectors with two that are exact in narrower worlds: multinomial rows, and exchangeable windows.

    PYTHONPATH=. python benchmarks/exactness.py

prints for each setting, and each way of detecting, the false alarms of a feature in 100 weeks where nothing moved, and
the windows until a step is told (median over features; - where most never are). All have the bar and the cap of one of
thirty features that share 0.2 pages a week, which promises 0.67 false ones of a feature in 100 weeks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.decisions.allocation import CAP_POWER
from mlvitals.decisions.columns import Watched, column_streams
from mlvitals.decisions.ensemble import Ensemble, Rule
from mlvitals.decisions.finding import Detector, Source
from mlvitals.decisions.usual import learn
from mlvitals.windows.bins import SPECIALS, CategoryBins, NumericBins
from tests.soak.paging import EDGES, FEATURES, SIZE, WEEK, Setting, counts, start

Floats = npt.NDArray[np.float64]
Alarms = npt.NDArray[np.bool_]

BAR: Final = float(np.log10(WEEK * FEATURES / 0.2))
REFERENCE: Final = 4 * WEEK
QUIET: Final = 10 * WEEK
STEPS: Final = (0.1, 0.25, 0.5)
NUMBERS: Final = NumericBins(tuple(EDGES.tolist()))
CATEGORIES: Final = CategoryBins(tuple("abcdefgh"), own=8)
_MEMORIES: Final = (0.5, 0.9, 0.98)
_PRIOR: Final = 20.0  # rows as which the usual shares count in the bet
_POWERS: Final = (0.2, 0.5, 0.8)


@dataclass(frozen=True, slots=True)
class World:
    """Thirty features: numbers of a setting; without one categories, `rows` a window, each row by itself."""

    name: str
    rows: int
    setting: Setting | None = None

    @property
    def bins(self) -> NumericBins | CategoryBins:
        return CATEGORIES if self.setting is None else NUMBERS

    def draw(self, generator: np.random.Generator, windows: int, step: float = 0.0) -> Floats:
        """Return windows of shape (windows, features, cells) that step up after a week.

        A step of categories is a tilt of their shares by as many standard deviations of their ranks.
        """
        by = np.where(np.arange(windows) < WEEK, 0.0, step)
        if self.setting is not None:
            return counts(self.setting, generator, windows, shift=by[:, None]).reshape(windows, FEATURES, -1)
        usual = 1.0 / (1 + np.arange(CATEGORIES.size))
        usual /= usual.sum()
        ranks = np.arange(CATEGORIES.size) - (usual * np.arange(CATEGORIES.size)).sum()
        shares = usual * np.exp(by[:, None] * ranks / np.sqrt((usual * ranks**2).sum()))
        shares /= shares.sum(axis=1, keepdims=True)
        own = generator.multinomial(self.rows, shares[:, None, :], size=(windows, FEATURES))
        return np.concatenate([own, np.zeros((windows, FEATURES, SPECIALS))], axis=2)


def _numbers(name: str, rows: int, *, season: bool, freedom: float = np.inf) -> World:
    return World(name, rows, Setting(name=name, rows=rows, season=season, freedom=freedom))


WORLDS: Final = (
    _numbers("numbers, 20 rows", 20, season=False),
    _numbers("numbers, 200 rows", 200, season=False),
    _numbers("numbers, 2000 rows", 2000, season=False),
    World("categories, 20 rows", 20),
    World("categories, 200 rows", 200),
    World("categories, 2000 rows", 2000),
    _numbers("season and deviations, 200 rows", 200, season=True),
    _numbers("season and deviations, 2000 rows", 2000, season=True),
    _numbers("the same with shocks of t4", 2000, season=True, freedom=4.0),
)


def main() -> None:
    """Print the comparison."""
    print(f"{'':34}{'':13}{'false':>8}" + "".join(f"{f'{step} sd':>9}" for step in STEPS))
    for world in WORLDS:
        generator = np.random.default_rng(1)
        reference, quiet = world.draw(generator, REFERENCE), world.draw(generator, QUIET)
        moved = [world.draw(generator, 2 * WEEK, step) for step in STEPS]
        for name, detect in (("detectors", _detectors), ("multinomial", _multinomial), ("conformal", _conformal)):
            false = int(detect(world, reference, quiet).sum()) / (QUIET / WEEK * FEATURES) * 100
            delays = "".join(f"{_delay(detect(world, reference, one)):>9}" for one in moved)
            print(f"{world.name:34}{name:13}{false:8.2f}{delays}", flush=True)


def _delay(alarms: Alarms) -> str:
    """Return the median over features of the windows until the first alarm after a week."""
    after = alarms[WEEK:]
    delays = np.where(after.any(axis=0), after.argmax(axis=0) + 1.0, np.inf)
    median = float(np.median(delays))
    return "-" if np.isinf(median) else f"{median:g}"


def _detectors(world: World, reference: Floats, windows: Floats) -> Alarms:
    watched = [
        Watched(
            source=Source("model", "", Detector.FEATURE, f"{number}"),
            bins=world.bins,
            reference=one.astype(np.int64),
            distribution=True,
            typical=float(world.rows),
        )
        for number, one in enumerate(reference.sum(axis=0))
    ]
    starts = np.array([start(window) for window in range(len(reference))])
    usually = learn(column_streams(watched), reference.reshape(len(reference), -1), starts, SIZE)
    assert usually is not None
    ensemble = Ensemble(usually, Rule(size=SIZE, tolerance=0.02, min_effect=0.0))
    bars = dict.fromkeys(ensemble.sources, BAR)
    alarms = np.zeros((len(windows), FEATURES), dtype=np.bool_)
    for number, window in enumerate(windows.reshape(len(windows), -1)):
        for finding in ensemble.take(window, start(number), bars).findings:
            alarms[number, int(finding.source.subject)] = True
    return alarms


def _multinomial(_world: World, known: Floats, found: Floats) -> Alarms:
    """Bet on the shares of the windows before: the plug-in likelihood ratio, tempered by the reference's dispersion."""
    usual = known.sum(axis=0) + 0.5
    usual /= usual.sum(axis=1, keepdims=True)
    expected = known.sum(axis=2, keepdims=True) * usual
    there = known.sum(axis=0) > 0
    residuals = ((known - expected) ** 2 / expected * there).sum(axis=2).mean(axis=0)
    dispersion = np.maximum(residuals / np.maximum(there.sum(axis=1) - 1, 1), 1.0)
    before = np.zeros((len(_MEMORIES), *known.shape[1:]))
    memories = np.array(_MEMORIES)[:, None, None]

    def logs(number: int) -> Floats:
        nonlocal before
        bets = before + _PRIOR * usual
        bets /= bets.sum(axis=2, keepdims=True)
        ratio = (found[number] * np.log(bets / usual)).sum(axis=2) / dispersion
        before = memories * before + found[number]
        return np.asarray(ratio)

    return _alarms(len(found), len(_MEMORIES), logs)


def _conformal(world: World, known: Floats, found: Floats) -> Alarms:
    """Bet on small p-values of a window's distance from the reference's shares, by its rank among its windows."""
    usual = known.sum(axis=0) + 0.5
    usual /= usual.sum(axis=1, keepdims=True)
    generator = np.random.default_rng(3)
    far = _apart if world.setting is None else _distance
    distances, ordinary = far(found, usual), far(known, usual)
    powers = np.array(_POWERS)[:, None]

    def logs(number: int) -> Floats:
        above = (ordinary > distances[number]).sum(axis=0)
        same = (ordinary == distances[number]).sum(axis=0) + 1
        chances = (above + generator.random(FEATURES) * same) / (len(ordinary) + 1)
        return np.asarray(np.log(powers) + (powers - 1) * np.log(chances))

    return _alarms(len(found), len(_POWERS), logs)


def _distance(windows: Floats, usual: Floats) -> Floats:
    """Return how far the mean on normal scores is from usual: what the conformal rank is of."""
    below = np.cumsum(usual, axis=1) - usual / 2
    scores = np.log(below) - np.log1p(-below)
    rows = np.maximum(windows.sum(axis=2), 1)
    return np.asarray(np.abs((windows * scores).sum(axis=2) / rows - (usual * scores).sum(axis=1)))


def _apart(windows: Floats, usual: Floats) -> Floats:
    """Return how far shares are from usual by Pearson's statistic, for what has no order."""
    expected = windows.sum(axis=2, keepdims=True) * usual
    return np.asarray(((windows - expected) ** 2 / expected).sum(axis=2))


def _alarms(windows: int, bets: int, logs: Callable[[int], Floats]) -> Alarms:
    """Sum the products of e-values over onsets, as the detectors do; an alarm begins all of a feature anew."""
    sums = np.zeros((bets, FEATURES))
    alarms = np.zeros((windows, FEATURES), dtype=np.bool_)
    for number in range(windows):
        sums = (sums + 1) * np.exp(np.minimum(logs(number), CAP_POWER * BAR * np.log(10)))
        alarms[number] = sums.mean(axis=0) >= 10**BAR
        sums[:, alarms[number]] = 0.0
    return alarms


if __name__ == "__main__":
    main()
