"""Whether the model's output moved: its scores (values, in a regression), or its classes where it logs no score."""

from collections.abc import Iterator
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from mlvitals.signals.column import Sides, read_methods
from mlvitals.signals.comparison import (
    BESIDE,
    DRIFT,
    DRIFT_ROWS,
    METHODS_IN_WORDS,
    PSI_BESIDE_IN_WORDS,
    PSI_WARNING,
    READ_ONLY_LEVELS,
    SKEW,
    Comparison,
)
from mlvitals.signals.made_once import made_once
from mlvitals.signals.method import STABILITY
from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic
from mlvitals.signals.table import Column, Tables, tabulate
from mlvitals.windows.bins import CategoryBins, NumericBins
from mlvitals.windows.layout import OutputLayout
from mlvitals.windows.summary import ColumnCounts, Counts, Summary


class _Groups(NamedTuple):
    """The drift groups of an output: their tables over coarse counts, and where each begins among the fine bins."""

    tables: Tables
    starts: Counts


def coarse_bins(bins: NumericBins, groups: tuple[int, ...]) -> tuple[NumericBins, Counts]:
    """Return the bins that groups of fine bins are, and the index of the fine bin that each begins with.

    groups: for each fine bin the index of its coarse bin, ascending from 0 without gaps; empty: the fine bins stay.
    """
    if not groups:
        return bins, np.arange(bins.size)
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    return NumericBins(tuple(bins.array[starts[1:] - 1].tolist())), starts


def _score_groups(output: OutputLayout) -> _Groups | None:
    if output.score is None:
        return None
    bins, starts = coarse_bins(output.score, output.groups)
    return _Groups(tabulate([Column("", bins, 0)]), starts)


def _class_tables(output: OutputLayout) -> Tables | None:
    return None if output.classes is None else tabulate([Column("", output.classes, 0)])


score_groups: Final = made_once(_score_groups)
class_tables: Final = made_once(_class_tables)


def _counts(summary: Summary, groups: _Groups | None) -> Counts | None:
    column: ColumnCounts | None = summary.classes if groups is None else summary.score
    if column is None:
        return None
    bins = column.counts if groups is None else np.add.reduceat(column.counts, groups.starts)
    return np.concatenate([bins, column.specials])


def output_bins(output: OutputLayout) -> NumericBins | CategoryBins | None:
    """Return the bins in which an output is compared: of scores the coarse ones, else the classes; None for neither."""
    return output.classes if output.score is None else coarse_bins(output.score, output.groups)[0]


def output_counts(summary: Summary) -> Counts | None:
    """Return the counts of an output in `output_bins`, specials at their end."""
    return _counts(summary, score_groups(summary.layout.output))


def _compute(evidence: Evidence, comparisons: tuple[Comparison, ...]) -> Iterator[Reading]:
    output = evidence.current.layout.output
    groups = score_groups(output)
    tables = class_tables(output) if groups is None else groups.tables
    current = _counts(evidence.current, groups)
    if tables is None or current is None:
        return
    for comparison in comparisons:
        reference = comparison.output(evidence)
        other = None if reference is None else _counts(reference, groups)
        if other is None:
            continue
        attributes = {"comparison": comparison.value}
        sides = Sides(current=current, references=[other], attributes=lambda *_, told=attributes: told)
        if comparison in BESIDE:
            yield from read_methods(tables, sides, (STABILITY,), ())
        else:
            yield from read_methods(tables, sides)


def _statistic(name: str, brief: str, comparisons: tuple[Comparison, ...]) -> Statistic:
    return Statistic(
        spec=MetricSpec(
            name=name,
            unit="{score}",
            brief=brief,
            layer=Layer.MODEL,
            stage=Stage.WINDOW,
            orientation=Orientation.LOWER,
            level=Export.FULL,
            levels={"psi": Export.STANDARD, **READ_ONLY_LEVELS},
            level_if_moved=Export.LEAN,
            attributes=("method", "comparison"),
            minimum_samples=DRIFT_ROWS,
            warning=PSI_WARNING,
            warning_where={"method": "psi", "comparison": comparisons[0].value},
        ),
        compute=partial(_compute, comparisons=comparisons),
    )


PREDICTION_DRIFT_SCORE: Final = _statistic(
    "mlvitals.prediction.drift.score",
    "How much the predictions' distribution differs, by method: " + METHODS_IN_WORDS + PSI_BESIDE_IN_WORDS,
    DRIFT,
)
PREDICTION_SKEW_SCORE: Final = _statistic(
    "mlvitals.prediction.skew.score",
    "How much the predictions' distribution differs from that on the training reference, by method as for drift.",
    SKEW,
)
