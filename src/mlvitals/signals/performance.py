"""How good the predictions of a cohort were, once labels have come: one reading for each metric that is defined."""

from collections.abc import Iterator
from math import isfinite, sqrt
from typing import Final

from mlvitals.signals.proportion import wilson_interval
from mlvitals.signals.ranking import binned_area
from mlvitals.signals.share import RATIO_ROWS
from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic
from mlvitals.windows.layout import Task
from mlvitals.windows.summary import Outcome


def _score(evidence: Evidence) -> Iterator[Reading]:
    outcome, maturity = evidence.outcome, evidence.maturity
    if outcome is None or maturity is None:
        return
    match outcome.layout.output.task:
        case Task.BINARY:
            yield from _binary(outcome, maturity)
            yield from _area(outcome, maturity)
        case Task.MULTICLASS:
            yield from _multiclass(outcome, maturity)
        case Task.REGRESSION:
            return


def _binary(outcome: Outcome, maturity: str) -> Iterator[Reading]:
    # The third row is predictions without a class: they are right about nothing and wrong about nothing.
    (true_negative, false_negative), (false_positive, true_positive) = outcome.confusion[:2, :2].tolist()
    judged = true_negative + false_negative + false_positive + true_positive
    yield from _proportion("accuracy", true_negative + true_positive, judged, judged, maturity)
    yield from _proportion("precision", true_positive, true_positive + false_positive, judged, maturity)
    yield from _proportion("recall", true_positive, true_positive + false_negative, judged, maturity)
    weight = 2 * true_positive + false_positive + false_negative
    if weight:
        yield Reading(value=2 * true_positive / weight, samples=judged, attributes=_attributes("f1", maturity))


def _multiclass(outcome: Outcome, maturity: str) -> Iterator[Reading]:
    confusion = outcome.confusion
    known = len(confusion) - 2
    # Whether a rare class met the same rare class is not known; a rare class against a known one is wrong.
    judged = int(confusion[: known + 1].sum()) - int(confusion[known, known])
    yield from _proportion("accuracy", int(confusion.diagonal()[:known].sum()), judged, judged, maturity)


def _area(outcome: Outcome, maturity: str) -> Iterator[Reading]:
    bins = outcome.layout.output.score
    if bins is None or not outcome.has_scores:
        return
    area = binned_area(outcome.negatives, outcome.positives, bins.is_point)
    if area is not None:
        yield Reading(
            value=area.value,
            samples=int(outcome.negatives.sum() + outcome.positives.sum()),
            attributes=_attributes("roc_auc", maturity),
            lower=area.lower,
            upper=area.upper,
        )


def _error(evidence: Evidence) -> Iterator[Reading]:
    outcome, maturity = evidence.outcome, evidence.maturity
    if outcome is None or maturity is None or outcome.measured == 0:
        return
    output = outcome.layout.output
    values: dict[str, float] = {}
    if output.task is Task.REGRESSION:
        values["mae"] = outcome.total("absolute") / outcome.measured
        values["rmse"] = sqrt(outcome.total("squared") / outcome.measured)
    elif outcome.has_scores and output.probability:
        values["brier"] = outcome.total("brier") / outcome.measured
    for metric, value in values.items():
        if isfinite(value):  # a sum past the largest double is not defined
            yield Reading(value=value, samples=outcome.measured, attributes=_attributes(metric, maturity))


def _proportion(metric: str, part: int, whole: int, samples: int, maturity: str) -> Iterator[Reading]:
    if whole:
        lower, upper = wilson_interval(part, whole)
        yield Reading(
            value=part / whole, samples=samples, attributes=_attributes(metric, maturity), lower=lower, upper=upper
        )


def _attributes(metric: str, maturity: str) -> dict[str, str]:
    return {"metric": metric, "maturity": maturity}


PERFORMANCE_SCORE: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.performance.score",
        unit="{score}",
        brief="How good the cohort's predictions were, by metric: accuracy, precision, recall, f1, roc_auc.",
        layer=Layer.MODEL,
        stage=Stage.MATURITY,
        orientation=Orientation.HIGHER,
        level=Export.LEAN,
        attributes=("metric", "maturity"),
        minimum_samples=RATIO_ROWS,
    ),
    compute=_score,
)

PERFORMANCE_ERROR: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.performance.error",
        unit="{error}",
        brief="How wrong the cohort's predictions were, by metric: brier, mae, rmse.",
        layer=Layer.MODEL,
        stage=Stage.MATURITY,
        orientation=Orientation.LOWER,
        level=Export.LEAN,
        attributes=("metric", "maturity"),
        minimum_samples=RATIO_ROWS,
    ),
    compute=_error,
)
