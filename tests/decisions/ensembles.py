"""Detectors of three columns, and windows in which they move or do not."""

import numpy as np

from mlvitals.decisions.columns import column_streams
from mlvitals.decisions.ensemble import Ensemble, Rule
from mlvitals.decisions.finding import Detector, Source
from mlvitals.windows.bins import UNKNOWN_VALUES, CategoryBins, NumericBins
from tests.decisions.histories import COLORS, HOURLY, NUMERIC, draw, hours, learnt, shares, watched, width

WINDOWS = 336
BINS: dict[str, NumericBins | CategoryBins] = {"amount": NUMERIC, "color": COLORS, "account": UNKNOWN_VALUES}
FEATURES = Source("fraud", "", Detector.FEATURES, "")
CHANCES = [
    shares(NUMERIC, special=(0.002, 0.0, 0.0)),
    shares(COLORS, special=(0.001, 0.01, 0.0)),
    np.array([0.001, 0.999, 0.0]),
]
CUTS = np.cumsum([0, *(width(bins) for bins in BINS.values())])
BAR = 4.0
HISTORY = [draw(np.random.default_rng(place), one, np.full(WINDOWS, 500)) for place, one in enumerate(CHANCES)]
STREAMS = column_streams(
    [
        watched(name, bins, counts, distribution=bins is not UNKNOWN_VALUES)
        for (name, bins), counts in zip(BINS.items(), HISTORY, strict=True)
    ]
)
USUALLY = learnt(STREAMS, np.hstack(HISTORY))


def made(*, min_effect=0.1, together=None):
    """Return detectors of the three columns, before any window."""
    return Ensemble(USUALLY, Rule(size=HOURLY, tolerance=0.02, min_effect=min_effect), together)


def start(window):
    """Return when a window after the reference begins."""
    return int(hours(WINDOWS + window + 1)[-1])


def moved(strength):
    """Return the chances of an amount that moved up, and of what did not move."""
    scores = np.linspace(-1.6, 1.6, NUMERIC.size)
    amount = CHANCES[0].copy()
    amount[: NUMERIC.size] *= np.exp(strength * scores)
    return [amount / amount.sum(), *CHANCES[1:]]


def window_of(random, chances, rows=500):
    """Return the counts of a window."""
    return np.concatenate([random.multinomial(rows, one) for one in chances]).astype(np.float64)


def run(ensemble, windows, *, bar=BAR, first=0):
    """Return what is said of windows, one after the other."""
    bars = dict.fromkeys(ensemble.sources, bar)
    return [ensemble.take(counts, start(first + place), bars) for place, counts in enumerate(windows)]


def quiet(count, seed=50):
    """Return windows in which nothing moved."""
    random = np.random.default_rng(seed)
    return [window_of(random, CHANCES) for _ in range(count)]


def drifted(count, strength=0.5, seed=60):
    """Return windows in which the amount moved."""
    random = np.random.default_rng(seed)
    return [window_of(random, moved(strength)) for _ in range(count)]


def found(judgements):
    """Return all findings, each with the place of its window."""
    return [(place, finding) for place, one in enumerate(judgements) for finding in one.findings]


def recovered(judgements):
    """Return whose alarms were over, each with the place of the window."""
    return [(place, recovery.source) for place, one in enumerate(judgements) for recovery in one.recoveries]
