"""Whether one version is better than another that serves at the same time, on the same ids or on others."""

from collections.abc import Container, Iterator, Mapping
from math import sqrt
from typing import Final, NamedTuple

from mlvitals.signals.comparison import Comparison
from mlvitals.signals.moments import Gap, gap, moments
from mlvitals.signals.proportion import NORMAL_95
from mlvitals.signals.share import RATIO_ROWS
from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic
from mlvitals.windows.layout import Task
from mlvitals.windows.paired import Paired
from mlvitals.windows.summary import Counts, Outcome

# From this share of the labels on, what both versions served is what they are compared by.
PAIRED_SHARE: Final = 0.5


def _advantage(evidence: Evidence) -> Iterator[Reading]:
    outcome, rival, maturity = evidence.outcome, evidence.rival, evidence.maturity
    if outcome is None or rival is None or maturity is None:
        return
    paired = rival.paired
    same = {} if paired is None or paired.rows < PAIRED_SHARE * outcome.judged else dict(_on_the_same_ids(paired))
    about = {"maturity": maturity, "comparison": Comparison.VERSION.value}
    for metric, one in (same | dict(_on_any(outcome, rival.outcome, same))).items():
        yield Reading(
            value=one.gap.value,
            samples=one.rows,
            attributes={"metric": metric, **about},
            reference_samples=one.other_rows,
            lower=one.gap.lower,
            upper=one.gap.upper,
            evidence={"other_version": rival.version, **one.told},
        )


class _Compared(NamedTuple):
    gap: Gap
    rows: int
    other_rows: int
    told: Mapping[str, float | str]


def _on_any(outcome: Outcome, rival: Outcome, known: Container[str]) -> Iterator[tuple[str, _Compared]]:
    """Yield the metrics that are not known yet, each side by its own labels, as if no id were on both."""
    others = {one.metric: one for one in moments(rival)}
    for one in moments(outcome):
        if one.metric in others and one.metric not in known:
            other = others[one.metric]
            told: dict[str, float | str] = {"method": "independent", "this": one.value, "other": other.value}
            yield one.metric, _Compared(gap(one, other), one.rows, other.rows, told)


def _on_the_same_ids(paired: Paired) -> Iterator[tuple[str, _Compared]]:
    if paired.task is Task.REGRESSION:
        found = _of_numbers(paired)
        if found is not None:
            yield "mae", _Compared(found, paired.rows, paired.rows, {"method": "paired"})
        return
    for metric, table in _tables(paired).items():
        (_, only_other), (only_this, _) = table.tolist()
        rows = int(table.sum())
        if rows:
            told: dict[str, float | str] = {"method": "paired"}
            told |= {"only_this_right": float(only_this), "only_other_right": float(only_other)}
            yield metric, _Compared(paired_gap(only_this, only_other, rows), rows, rows, told)


def paired_gap(only_this: int, only_other: int, rows: int) -> Gap:
    """Return the difference of two shares of the same rows, of which only one side got these right, with its interval.

    (b - c) ÷ n; the interval is Wald's with half a row added to each of the four cells. Source: Agresti and Min (2005),
    "Simple improved confidence intervals for comparing matched proportions", Statistics in Medicine 24.
    """
    value = (only_this - only_other) / rows
    total = rows + 2
    centre = (only_this - only_other) / total
    half = NORMAL_95 * sqrt(only_this + only_other + 1 - (only_this - only_other) ** 2 / total) / total
    return Gap(value, max(-1.0, min(value, centre - half)), min(1.0, max(value, centre + half)))


def _tables(paired: Paired) -> dict[str, Counts]:
    """Return the 2 × 2 tables, this version × the other one, wrong before right, that the shares are taken from."""
    negative, positive = paired.classes
    if paired.task is Task.MULTICLASS:
        return {"accuracy": negative}
    return {"accuracy": negative + positive, "recall": positive, "specificity": negative}


def _of_numbers(paired: Paired) -> Gap | None:
    rows = paired.rows
    if rows < 2:  # one difference has no variance
        return None
    try:
        total, squares = paired.moments()
    except OverflowError:
        return None
    half = NORMAL_95 * sqrt(max(0.0, squares) / (rows - 1) / rows)
    return Gap(total / rows, total / rows - half, total / rows + half)


PERFORMANCE_ADVANTAGE: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.performance.advantage",
        unit="{score}",
        brief="By how much this version is better than the other one that serves most, by metric.",
        layer=Layer.MODEL,
        stage=Stage.MATURITY,
        orientation=Orientation.HIGHER,
        level=Export.STANDARD,
        attributes=("metric", "maturity", "comparison"),
        minimum_samples=RATIO_ROWS,
    ),
    compute=_advantage,
)
