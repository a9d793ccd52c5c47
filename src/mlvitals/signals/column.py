"""What two summaries say of one column: readings that features and predictions share."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from mlvitals.signals.distance import largest_distance
from mlvitals.signals.location import location_shift
from mlvitals.signals.proportion import NORMAL_95
from mlvitals.signals.spec import Reading
from mlvitals.signals.stability import stability_index
from mlvitals.windows.layout import NumericBins
from mlvitals.windows.summary import ColumnCounts, Counts

_NUMERIC_SPECIALS: Final = ("missing", "non_finite", "invalid")
_CATEGORICAL_SPECIALS: Final = ("missing", "other", "unseen")


def cells(column: ColumnCounts) -> Counts:
    """Return a column's counts by cell: its bins, then its specials."""
    return np.concatenate([column.counts, column.specials])


def cell_label(column: ColumnCounts, index: int) -> str:
    """Return a cell's name: its bin's label, or the special's name."""
    if index < column.bins.size:
        return column.bins.label(index)
    specials = _NUMERIC_SPECIALS if isinstance(column.bins, NumericBins) else _CATEGORICAL_SPECIALS
    return specials[index - column.bins.size]


def read_stability(current: ColumnCounts, reference: ColumnCounts, attributes: Mapping[str, str]) -> Iterator[Reading]:
    """Yield the debiased PSI over bins and specials, with the cell that adds most; nothing where a side is empty."""
    index = stability_index(cells(current), cells(reference))
    if index is None:
        return
    half = NORMAL_95 * index.error
    culprit = _culprit(current, reference, int(index.terms.argmax())) if index.raw > 0 else {}
    yield Reading(
        value=index.value,
        samples=current.total,
        attributes={**attributes, "method": "psi"},
        reference_samples=reference.total,
        lower=index.value - half,
        upper=index.value + half,
        noise=index.noise,
        evidence={**culprit, "raw": index.raw, "noise": index.noise},
    )


def _culprit(current: ColumnCounts, reference: ColumnCounts, index: int) -> dict[str, float | str]:
    return {
        "bin": cell_label(current, index),
        "share": int(cells(current)[index]) / current.total,
        "reference_share": int(cells(reference)[index]) / reference.total,
    }


def read_distance(current: ColumnCounts, reference: ColumnCounts, attributes: Mapping[str, str]) -> Iterator[Reading]:
    """Yield the Kolmogorov-Smirnov distance of a numeric column's finite values; nothing for categories."""
    if not isinstance(current.bins, NumericBins):
        return
    distance = largest_distance(current.counts, reference.counts, current.bins.is_point)
    if distance is None:
        return
    yield Reading(
        value=distance.value,
        samples=int(current.counts.sum()),
        attributes={**attributes, "method": "ks"},
        reference_samples=int(reference.counts.sum()),
        lower=distance.value,
        upper=distance.upper,
        noise=distance.noise,
        evidence={"no_drift_mean": distance.no_drift_mean, "noise": distance.noise},
    )


def read_location(current: ColumnCounts, reference: ColumnCounts, attributes: Mapping[str, str]) -> Iterator[Reading]:
    """Yield the location shift of a numeric column's finite values; nothing for categories."""
    if not isinstance(current.bins, NumericBins):
        return
    shift = location_shift(current.counts, reference.counts)
    if shift is None:
        return
    yield Reading(
        value=shift.value,
        samples=int(current.counts.sum()),
        attributes=attributes,
        reference_samples=int(reference.counts.sum()),
        noise=shift.noise,
        evidence={"noise": shift.noise},
    )
