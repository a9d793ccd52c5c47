"""Whether the truth itself moved: a cohort's labels against those of the operating reference."""

from collections.abc import Iterator
from math import isfinite, sqrt
from typing import Final

import numpy as np

from mlvitals.signals.column import Sides, read_methods
from mlvitals.signals.comparison import DRIFT_ROWS, METHODS_IN_WORDS, Comparison
from mlvitals.signals.intervals import mean_and_variance
from mlvitals.signals.made_once import made_once
from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic
from mlvitals.signals.table import Column, Tables, tabulate
from mlvitals.windows.bins import CategoryBins
from mlvitals.windows.layout import Layout, Task
from mlvitals.windows.summary import Counts, Outcome, Summary

_MEAN: Final = "mean"


def _class_tables(layout: Layout) -> Tables:
    classes = layout.outcome_classes
    if layout.output.task is Task.BINARY:
        negative, positive, _ = classes
        return tabulate([Column("", CategoryBins((negative, positive), own=2), 0)])
    known = classes[:-2]
    return tabulate([Column("", CategoryBins(known, own=len(known), closed=False), 0)])


_label_tables: Final = made_once(_class_tables)


def label_counts(outcome: Outcome) -> Counts:
    """Return a classification's labels by class: those with a cell, then missing, other and unseen ones."""
    true = outcome.confusion.sum(axis=0)[:-1]  # a label that names no class is none
    if outcome.layout.output.task is Task.BINARY:
        return np.append(true, (0, 0, 0))
    return np.concatenate([true[:-1], (0, true[-1], 0)])


def label_moments(outcome: Outcome) -> tuple[float, float] | None:
    """Return the mean and the variance of a regression's labels; None where there are fewer than two."""
    return mean_and_variance(outcome.exact_total("label"), outcome.exact_total("label_squared"), outcome.measured)


def _shift(current: Outcome, reference: Outcome, attributes: dict[str, str]) -> Iterator[Reading]:
    ours, usual = label_moments(current), label_moments(reference)
    if ours is None or usual is None or usual[1] == 0:
        return
    deviation = sqrt(usual[1])
    value = (ours[0] - usual[0]) / deviation
    noise = sqrt(ours[1] / current.measured + usual[1] / reference.measured) / deviation
    if isfinite(value) and isfinite(noise):
        yield Reading(
            value=value,
            samples=current.measured,
            attributes={"method": _MEAN, **attributes},
            reference_samples=reference.measured,
            noise=noise,
            evidence={"mean": ours[0], "reference_mean": usual[0], "noise": noise},
        )


def _compute(evidence: Evidence) -> Iterator[Reading]:
    reference = Comparison.OPERATING.output(evidence)
    if evidence.outcome is None or evidence.maturity is None or reference is None:
        return
    current, usual = evidence.outcome, _all_labels(reference)
    attributes = {"maturity": evidence.maturity}
    if current.layout.output.task is Task.REGRESSION:
        yield from _shift(current, usual, attributes)
        return
    if current.layout.output.task is Task.RANKING or not len(current.layout.outcome_classes[:-2]):
        return
    sides = Sides(current=label_counts(current), references=[label_counts(usual)], attributes=lambda *_: attributes)
    yield from read_methods(_label_tables(current.layout), sides)


def _all_labels(reference: Summary) -> Outcome:
    return reference.outcome(len(reference.outcomes) - 1)


LABEL_DRIFT_SCORE: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.label.drift.score",
        unit="{score}",
        brief="How much the cohort's labels differ from the reference's, by method: of classes "
        + METHODS_IN_WORDS.partition(";")[0]
        + "; of numbers mean.",
        layer=Layer.LABEL,
        stage=Stage.MATURITY,
        orientation=Orientation.NEITHER,
        level=Export.FULL,
        levels={"psi": Export.STANDARD, _MEAN: Export.STANDARD},
        attributes=("method", "maturity"),
        minimum_samples=DRIFT_ROWS,
    ),
    compute=_compute,
)
