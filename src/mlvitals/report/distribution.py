"""A feature's reference against what was served in a window: shares of the frozen bins."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from mlvitals.report.figures import Shape, bars
from mlvitals.report.frame import Frame
from mlvitals.report.names import shown
from mlvitals.report.numbers import moment
from mlvitals.signals.comparison import DRIFT_ROWS
from mlvitals.windows.bins import NumericBins
from mlvitals.windows.layout import FeatureLayout
from mlvitals.windows.past import read_served
from mlvitals.windows.reference import Reference
from mlvitals.windows.summary import ColumnCounts, Counts, Summary

# More bars than this are too thin to be told apart; of categories the others are added up.
_BARS_AT_MOST: Final = 30
_REST: Final = "all others"
_SPECIALS: Final = {True: ("missing", "not finite", "not a number"), False: ("missing", "other", "unseen")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """What a page shows of one feature in one window.

    labels: of the bins, then of missing, unseen and the like. reference: shares, empty where the reference is not
    comparable. current: shares. said: when and how many rows, for people.
    """

    title: str
    said: str
    labels: tuple[str, ...]
    reference: tuple[float, ...]
    current: tuple[float, ...]

    @property
    def shapes(self) -> list[Shape]:
        """The bars."""
        return bars(self.reference, self.current)

    @property
    def largest(self) -> str:
        """The bin whose share differs most, in words."""
        if not self.reference:
            return "There is no reference to hold it against."
        place = max(range(len(self.labels)), key=lambda one: abs(self.current[one] - self.reference[one]))
        return (
            f"Most different: {self.labels[place]}, {self.reference[place]:.1%} in the reference, "
            f"{self.current[place]:.1%} in this window."
        )


@dataclass(slots=True)
class Distributions:
    """Reads windows' counts as they are asked for, each once."""

    connection: sqlite3.Connection
    frame: Frame
    reference: Reference | None
    sensitive: frozenset[str] | None
    _summaries: dict[int, Summary | None] = field(default_factory=dict)

    def summary(self, start: int) -> Summary | None:
        """Return what was served in a window of the frame; None where that is no longer known."""
        if start not in self._summaries:
            place = self.frame.place(start)
            version = "" if place is None else self.frame.windows[place].version
            self._summaries[start] = read_served(self.connection, self.frame.model, version, start)
        return self._summaries[start]

    def newest(self) -> int | None:
        """Return the newest window with enough rows to be judged, else the newest with any; None where none is kept."""
        fallback = None
        for window in reversed(self.frame.windows):
            summary = self.summary(window.start)
            if summary is None:  # nothing was served in it, or it is no longer kept
                continue
            if summary.predictions >= DRIFT_ROWS:
                return window.start
            if fallback is None and summary.predictions:
                fallback = window.start
        return fallback

    def layouts(self) -> Mapping[str, FeatureLayout]:
        """Return the features' layouts, by name: those of the newest window, else of the reference."""
        newest = self.newest()
        summary = None if newest is None else self.summary(newest)
        layout = summary.layout if summary else self.reference.layout if self.reference else None
        return {} if layout is None else {one.name: one for one in layout.features}

    def of(self, feature: str, start: int, title: str) -> Distribution | None:
        """Return a feature's distribution in a window; None where that is no longer known."""
        summary = self.summary(start)
        if summary is None:
            return None
        layout = next((one for one in summary.layout.features if one.name == feature), None)
        if layout is None:
            return None
        current, normal = summary.feature(layout), self._normal(layout)
        hidden = self.sensitive is None or feature in self.sensitive
        return _distribution(current, normal, hidden=hidden, title=title, start=start)

    def _normal(self, feature: FeatureLayout) -> ColumnCounts | None:
        if self.reference is None or feature not in self.reference.layout.features:
            return None
        return self.reference.summary.feature(feature)


def _distribution(
    current: ColumnCounts, normal: ColumnCounts | None, *, hidden: bool, title: str, start: int
) -> Distribution | None:
    if current.total == 0:
        return None
    size = current.bins.size
    counts, usual = _cells(current), None if normal is None else _cells(normal)
    names = [f"value {place + 1} (hidden)" for place in range(size)] if hidden else []
    labels = [*(names or (shown(current.bins.label(place)) for place in range(size)))]
    labels += _SPECIALS[isinstance(current.bins, NumericBins)]
    now = (counts / current.total).tolist()
    before = [] if usual is None or not usual.any() else (usual / usual.sum()).tolist()
    labels, before, now = _few(labels, before, now, size)
    said = f"{current.total:,} rows in the window of {moment(start)}"
    if normal is not None:
        said += f" against {normal.total:,} rows of the reference"
    return Distribution(title=title, said=said, labels=tuple(labels), reference=tuple(before), current=tuple(now))


def _cells(column: ColumnCounts) -> Counts:
    return np.concatenate([column.counts, column.specials])


def _few(
    labels: list[str], before: list[float], now: list[float], size: int
) -> tuple[list[str], list[float], list[float]]:
    """Add up the rarest bins where there are more than can be drawn; the special ones stay."""
    if size <= _BARS_AT_MOST:
        return labels, before, now
    weight = [max(share, before[place] if before else 0.0) for place, share in enumerate(now[:size])]
    kept = sorted(sorted(range(size), key=lambda place: -weight[place])[: _BARS_AT_MOST - 1])
    rest = sorted(set(range(size)) - set(kept))
    order = [*kept, *range(size, len(labels))]

    def fold(shares: list[float]) -> list[float]:
        return [] if not shares else [*(shares[one] for one in kept), sum(shares[one] for one in rest), *shares[size:]]

    names = [labels[one] for one in order]
    names.insert(len(kept), f"{_REST} ({len(rest)})")
    return names, fold(before), fold(now)
