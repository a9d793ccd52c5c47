"""Histories of windows that tests of the detectors share."""

import numpy as np

from mlvitals.clock import DAY, HOUR, WEEK
from mlvitals.decisions.columns import Watched
from mlvitals.decisions.finding import Detector, Source
from mlvitals.decisions.usual import learn
from mlvitals.windows.bins import SPECIALS, CategoryBins, NumericBins
from mlvitals.windows.window import WindowSize

HOURLY = WindowSize.parse("1h")
MONDAY = 4 * DAY + 2_900 * WEEK
EDGES = tuple(np.linspace(-2.0, 2.0, 9).tolist())
NUMERIC = NumericBins(EDGES)
COLORS = CategoryBins(("red", "green", "blue"), own=3)


def hours(count, first=MONDAY):
    """Return the starts of so many windows of an hour, from a Monday on."""
    return first + np.arange(count) * HOUR


def feature(name):
    """Return the source of a feature's detector."""
    return Source("fraud", "", Detector.FEATURE, name)


def shares(bins, *, special=(0.0, 0.0, 0.0)):
    """Return what a row's cell is likely to be: bell-shaped over numbers, uneven over categories."""
    if isinstance(bins, NumericBins):
        middle = np.arange(bins.size) - (bins.size - 1) / 2
        own = np.exp(-(middle**2) / bins.size)
        own[bins.is_outside] = 0.0
    else:
        own = 1.0 / (1 + np.arange(bins.size))
    return np.concatenate([own / own.sum() * (1 - sum(special)), special])


def draw(random, chances, rows):
    """Return counts of windows with so many rows each, shape (windows, cells)."""
    return random.multinomial(rows, chances).astype(np.float64)


def watched(name, bins, counts, *, distribution=True):
    """Return a column as it is watched after windows with these counts, shape (windows, cells)."""
    rows = counts.sum(axis=1)
    return Watched(
        source=feature(name),
        bins=bins,
        reference=counts.sum(axis=0).astype(np.int64),
        distribution=distribution,
        typical=float(np.median(rows[rows > 0])) if rows.any() else 0.0,
    )


def learnt(streams, counts):
    """Return what is usual after hours with these counts."""
    usually = learn(streams, counts, hours(len(counts)), HOURLY)
    assert usually is not None
    return usually


def width(bins):
    """Return how many cells a column of these bins has."""
    return bins.size + SPECIALS
