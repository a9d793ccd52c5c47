"""Whether the model's output moved: its scores (values, in a regression), or its classes where it logs no score."""

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np

from mlvitals.signals.column import read_distance, read_stability
from mlvitals.signals.comparison import DRIFT_ROWS, PSI_WARNING, Comparison
from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic
from mlvitals.windows.layout import NumericBins
from mlvitals.windows.summary import ColumnCounts, Summary


def coarsen(column: ColumnCounts, groups: tuple[int, ...]) -> ColumnCounts:
    """Return a numeric column's counts in coarser bins; specials stay as they are.

    groups: for each fine bin the index of its coarse bin, ascending from 0 without gaps; empty: the fine bins stay.
    """
    if not groups or not isinstance(column.bins, NumericBins):
        return column
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    edges = column.bins.array[starts[1:] - 1]
    return ColumnCounts(NumericBins(tuple(edges.tolist())), np.add.reduceat(column.counts, starts), column.specials)


def _output(summary: Summary) -> ColumnCounts | None:
    if summary.score is None:
        return summary.classes
    return coarsen(summary.score, summary.layout.output.groups)


def _score(evidence: Evidence, comparison: Comparison) -> Iterator[Reading]:
    reference = comparison.output(evidence)
    if reference is None:
        return
    current_output, reference_output = _output(evidence.current), _output(reference)
    if current_output is None or reference_output is None:
        return
    attributes = {"comparison": comparison.value}
    yield from read_stability(current_output, reference_output, attributes)
    yield from read_distance(current_output, reference_output, attributes)


def _statistic(name: str, brief: str, comparison: Comparison) -> Statistic:
    return Statistic(
        spec=MetricSpec(
            name=name,
            unit="{score}",
            brief=brief,
            layer=Layer.MODEL,
            stage=Stage.WINDOW,
            orientation=Orientation.LOWER,
            level=Export.STANDARD,
            attributes=("method", "comparison"),
            minimum_samples=DRIFT_ROWS,
            warning=PSI_WARNING,
            warning_method="psi",
        ),
        compute=partial(_score, comparison=comparison),
    )


PREDICTION_DRIFT_SCORE: Final = _statistic(
    "mlvitals.prediction.drift.score",
    "How much the predictions' distribution differs from normal production: debiased PSI, KS distance.",
    Comparison.OPERATING,
)
PREDICTION_SKEW_SCORE: Final = _statistic(
    "mlvitals.prediction.skew.score",
    "How much the predictions' distribution differs from that on the training reference: debiased PSI, KS distance.",
    Comparison.TRAINING,
)
