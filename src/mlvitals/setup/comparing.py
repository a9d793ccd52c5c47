"""Comparing two references: what of the layout changed, and how far the distributions are apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from mlvitals.decisions.thresholds import judge
from mlvitals.signals.measure import measure
from mlvitals.signals.spec import Evidence, Stage, Status
from mlvitals.windows.bins import CategoryBins, NumericBins
from mlvitals.windows.layout import FeatureLayout
from mlvitals.windows.reference import Reference
from mlvitals.windows.summary import ColumnCounts, Counts, Summary

PREDICTION: Final = "(prediction)"
_SIGNALS: Final = ("mlvitals.feature.drift.", "mlvitals.prediction.drift.")


class Change(StrEnum):
    """What became of a column from one reference to the other."""

    SAME = "same"
    CAME = "came"
    WENT = "went"
    KIND = "another kind"
    BINS = "other bins"


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """How far a column moved by one method; `noise` is the value's standard error where nothing changed."""

    value: float
    noise: float | None
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDifference:
    """One column on both sides. `kinds` and `bins` are None where a side does not have it.

    distances: by method (psi, location). They are approximate where the bins differ: the later reference's counts are
    then laid into the earlier one's bins, evenly within each of its own.
    """

    name: str
    change: Change
    kinds: tuple[str | None, str | None]
    bins: tuple[int | None, int | None]
    distances: dict[str, Distance]

    @property
    def warns(self) -> bool:
        """Whether a distance is past its threshold."""
        return any(one.status in {Status.WARNING, Status.ALERT} for one in self.distances.values())


def compare_references(before: Reference, after: Reference) -> list[ColumnDifference]:
    """Return the prediction and every feature of two references, in the later one's order, then those that went."""
    distances = _distances(before, after)
    old = {feature.name: feature for feature in before.layout.features}
    new = {feature.name: feature for feature in after.layout.features}
    found = [_output_difference(before, after, distances.get(PREDICTION, {}))]
    for name in (*new, *(name for name in old if name not in new)):
        left, right = old.get(name), new.get(name)
        found.append(
            ColumnDifference(
                name=name,
                change=_change(left, right),
                kinds=(left.kind.value if left else None, right.kind.value if right else None),
                bins=(left.bins.size if left else None, right.bins.size if right else None),
                distances=distances.get(name, {}),
            )
        )
    return found


def _change(left: FeatureLayout | None, right: FeatureLayout | None) -> Change:
    if left is None:
        return Change.CAME
    if right is None:
        return Change.WENT
    if left.kind is not right.kind:
        return Change.KIND
    return Change.SAME if left.bins == right.bins else Change.BINS


def _output_difference(before: Reference, after: Reference, distances: dict[str, Distance]) -> ColumnDifference:
    left, right = before.layout.output, after.layout.output
    change = Change.KIND if left.task is not right.task else Change.SAME if left == right else Change.BINS
    binned = [output.score or output.classes for output in (left, right)]
    sizes = [None if bins is None else bins.size for bins in binned]
    return ColumnDifference(
        name=PREDICTION,
        change=change,
        kinds=(left.task.value, right.task.value),
        bins=(sizes[0], sizes[1]),
        distances=distances,
    )


def _distances(before: Reference, after: Reference) -> dict[str, dict[str, Distance]]:
    found: dict[str, dict[str, Distance]] = {}
    for spec, reading in measure(Evidence(current=_laid(after, before), reference=before.summary), Stage.WINDOW):
        method = "location" if spec.name.endswith(".location") else reading.attributes.get("method", "")
        if spec.name.startswith(_SIGNALS) and method in {"psi", "location"}:
            status = judge(spec, reading).status
            column = reading.attributes.get("feature", PREDICTION)
            distance = Distance(value=reading.value, noise=reading.noise, status=status)
            found.setdefault(column, {}).setdefault(method, distance)
    return found


def _laid(after: Reference, before: Reference) -> Summary:
    """Return the later reference's counts under the earlier one's layout; what has no place there is left out."""
    laid = Summary.empty(before.layout)
    for section, counts in _columns(after, before):
        laid.served[before.layout.served_sections[section]] = counts
    laid.served[before.layout.served_sections["predictions"]] = after.summary.predictions
    return laid


def _columns(after: Reference, before: Reference) -> Iterator[tuple[str, Counts]]:
    new = {feature.name: feature for feature in after.layout.features}
    for feature in before.layout.features:
        other = new.get(feature.name)
        if other is not None and other.kind is feature.kind:
            counts = _recount(after.summary.feature(other), feature.bins)
            if counts is not None:
                yield feature.column, counts
    if after.layout.output.task is before.layout.output.task:
        output = before.layout.output
        for section, column, bins in (
            ("score", after.summary.score, output.score),
            ("class", after.summary.classes, output.classes),
        ):
            counts = None if column is None or bins is None else _recount(column, bins)
            if counts is not None:
                yield section, counts


def _recount(column: ColumnCounts, bins: NumericBins | CategoryBins) -> Counts | None:
    """Return a column's counts in other bins, specials behind them; None where one counts numbers, one names."""
    if column.bins == bins:
        return np.concatenate([column.counts, column.specials])
    if isinstance(column.bins, NumericBins) and isinstance(bins, NumericBins):
        return np.concatenate([_recount_numbers(column.bins, column.counts, bins), column.specials])
    if isinstance(column.bins, CategoryBins) and isinstance(bins, CategoryBins):
        return _recount_names(column.bins, column, bins)
    return None


def _recount_numbers(own: NumericBins, counts: Counts, bins: NumericBins) -> Counts:
    if not own.edges or not bins.edges:
        return np.zeros(bins.size, dtype=np.int64)
    # Below each edge: known at its own edges, on a straight line between two. A point mass is a step of one double.
    below = np.interp(bins.array, own.array, np.cumsum(counts)[:-1], left=0, right=counts.sum())
    # The line puts too much of a tail at its end: what lies past the other's range, if anything does, it cannot tell.
    low, high = bins.outside
    below[:low], below[len(below) - high :] = 0, counts.sum()
    bounds = np.concatenate([[0], np.rint(below), [counts.sum()]]).astype(np.int64)
    return np.asarray(np.diff(bounds))


def _recount_names(own: CategoryBins, column: ColumnCounts, bins: CategoryBins) -> Counts:
    known = {value: place for place, value in enumerate(bins.values)}
    missing, other, unseen = bins.size, bins.size + 1, bins.size + 2
    counts = np.zeros(bins.size + len(column.specials), dtype=np.int64)
    counts[missing] = column.specials[0]
    counts[other] = column.specials[1:].sum()
    for value, count in zip(own.values, column.counts.tolist(), strict=False):
        place = known.get(value)
        if place is None:
            counts[unseen if bins.closed else other] += count
        else:
            counts[place if place < bins.own else other] += count
    return counts
