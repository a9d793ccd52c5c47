"""What becomes of changes that are not a step for ever: a slow one, one that ends, one that many features share."""

from typing import Final, NamedTuple

import numpy as np

from mlvitals.clock import HOUR
from mlvitals.decisions.allocation import DEFAULT_WEIGHTS, allocate
from mlvitals.decisions.ensemble import Ensemble, Rule
from mlvitals.decisions.episode import Span, What
from mlvitals.decisions.episodes import Episodes
from mlvitals.decisions.finding import Detector, Source
from tests.decisions.incidents import fresh
from tests.soak.paging import FEATURES, SIZE, WEEK, Setting, counts, learnt, start
from tests.soak.paging_runs import BUDGET, DEMAND, MIN_EFFECT, TOLERANCE, Delays, ensemble_of, judged, shared_bar

_ONSET: Final = 24
_LASTS: Final = 48
_RAMP: Final = 0.5  # standard deviations, reached within a week
_FAILED: Final = 6


class Ended(NamedTuple):
    """Changes that end. once: how many features alarmed once and recovered once, after the end; back: hours till then.

    features: of how many.
    """

    features: int
    once: int
    back: Delays


def ended(setting: Setting, seed: int, models: int, step: float) -> Ended:
    """Return what becomes of steps that end after two days, one in each feature, over three days more."""
    generator = np.random.default_rng(seed)
    usually = learnt(setting, generator, models)
    hours = np.arange(_ONSET + _LASTS + 72)
    shift = np.where((hours >= _ONSET) & (hours < _ONSET + _LASTS), step, 0.0)[:, None]
    live = np.concatenate([counts(setting, generator, len(hours), shift=shift) for _ in range(models)], axis=1)
    alarms: dict[Source, int] = dict.fromkeys(usually.streams.sources, 0)
    over: dict[Source, list[int]] = {source: [] for source in usually.streams.sources}
    for hour, said in enumerate(judged(ensemble_of(usually, MIN_EFFECT), live, setting.weeks * WEEK, shared_bar())):
        for finding in said.findings:
            alarms[finding.source] += 1
        for recovery in said.recoveries:
            over[recovery.source].append(hour + 1 - _ONSET - _LASTS)
    once = [source for source in alarms if alarms[source] == 1 and len(over[source]) == 1 and over[source][0] > 0]
    back = np.array([over[source][0] for source in once], dtype=np.float64)
    return Ended(len(alarms), len(once), Delays(windows=back))


class Ramped(NamedTuple):
    """Slow changes: hours from their beginning until they were told, and how far features had moved by then."""

    told: Delays
    moved: float


def ramped(setting: Setting, seed: int, models: int) -> Ramped:
    """Return what becomes of means that move by half a standard deviation within a week."""
    generator = np.random.default_rng(seed)
    usually = learnt(setting, generator, models)
    shift = np.clip((np.arange(_ONSET + WEEK) - _ONSET + 1) / WEEK, 0.0, 1.0)[:, None] * _RAMP
    live = np.concatenate([counts(setting, generator, len(shift), shift=shift) for _ in range(models)], axis=1)
    first: dict[Source, float] = {}
    for hour, said in enumerate(judged(ensemble_of(usually, MIN_EFFECT), live, setting.weeks * WEEK, shared_bar())):
        for finding in said.findings:
            first.setdefault(finding.source, hour + 1 - _ONSET)
    told = Delays(windows=np.array([first.get(source, np.inf) for source in usually.streams.sources]))
    return Ramped(told, min(told.median, WEEK) / WEEK * _RAMP)


class Failed(NamedTuple):
    """An upstream failure. pages, closed: episodes; alarms: of features; spread: hours from the first to the last."""

    pages: int
    closed: int
    alarms: int
    spread: int


def failed(setting: Setting, seed: int) -> Failed:
    """Return what becomes of six features of thirty that lose a third of their values for two days, at once."""
    generator = np.random.default_rng(seed)
    usually = learnt(setting, generator)
    together = Source(usually.streams.sources[0].model, "", Detector.FEATURES, "")
    ensemble = Ensemble(usually, Rule(size=SIZE, tolerance=TOLERANCE, min_effect=MIN_EFFECT), together)
    allotments = allocate(BUDGET, DEFAULT_WEIGHTS, [DEMAND])[DEMAND.name].allotments
    bars = {source: allotments[source.detector].each.bar for source in ensemble.sources}
    hours = np.arange(_ONSET + _LASTS + 72)
    gone = ((hours >= _ONSET) & (hours < _ONSET + _LASTS))[:, None] & (np.arange(FEATURES) < _FAILED)
    live = counts(setting, generator, len(hours), missing=gone / 3)
    episodes = Episodes(fresh())
    told: list[What] = []
    alarms: list[int] = []
    for hour, window in enumerate(live):
        begins = start(setting.weeks * WEEK + hour)
        said = ensemble.take(window, begins, bars)
        alarms += [hour] * sum(finding.source.detector is Detector.FEATURE for finding in said.findings)
        span = Span(model=together.model, start=begins, end=begins + HOUR)
        told += [one.what for one in episodes.take(span, said.findings, said.recoveries)]
    pages, closed = sum(what.pages for what in told), told.count(What.CLOSED)
    return Failed(pages, closed, len(alarms), max(alarms, default=0) - min(alarms, default=0))
