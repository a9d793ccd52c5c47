"""Quantiles of the score, or of the value in a regression, from its fine bins."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic
from mlvitals.windows.bins import NumericBins
from mlvitals.windows.summary import Counts

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)

# Of fewer than 20 values the least is the 0.05 quantile.
_ROWS: Final = 20


class Quantile(NamedTuple):
    """A quantile and the ends of the bin that it is in; None where the bin has no end."""

    value: float
    lower: float | None
    upper: float | None


def binned_quantile(bins: NumericBins, counts: Counts, share: float) -> Quantile | None:
    """Return a quantile of binned values, 0 < share < 1; None without a row or an edge.

    With N rows the quantile is the row of rank ⌈share·N⌉, which is in the bin where the counts reach it: lower and
    upper are that bin's ends. The value is on the line between them at (share·N - rows below) ÷ rows inside; in the
    first and the last bin, which are open, it is the end that there is.
    """
    total = int(counts.sum())
    if total == 0 or not bins.edges:
        return None
    below = np.cumsum(counts)
    place = int(np.searchsorted(below, share * total, side="left"))
    if bins.is_point[place]:
        return Quantile(bins.edges[place - 1], bins.edges[place - 1], bins.edges[place - 1])
    if place == 0:
        return Quantile(bins.edges[0], None, bins.edges[0])
    lower = bins.edges[place - 1]
    if place == len(bins.edges):
        return Quantile(lower, lower, None)
    inside, upper = int(counts[place]), bins.edges[place]
    part = (share * total - (int(below[place]) - inside)) / inside
    value = lower * (1 - part) + upper * part  # in this form no range of doubles is too wide
    return Quantile(min(max(value, lower), upper), lower, upper)


def _quantiles(evidence: Evidence) -> Iterator[Reading]:
    column = evidence.current.score
    if column is None or not isinstance(column.bins, NumericBins):
        return
    for share in QUANTILES:
        found = binned_quantile(column.bins, column.counts, share)
        if found is None:
            return
        yield Reading(
            value=found.value,
            samples=int(column.counts.sum()),
            attributes={"quantile": f"{share:g}"},
            lower=found.lower,
            upper=found.upper,
        )


PREDICTION_QUANTILE: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.prediction.quantile",
        unit="{value}",
        brief="Quantiles of the score; in a regression, of the value.",
        layer=Layer.MODEL,
        stage=Stage.WINDOW,
        orientation=Orientation.NEITHER,
        level=Export.STANDARD,
        attributes=("quantile",),
        minimum_samples=_ROWS,
    ),
    compute=_quantiles,
)
