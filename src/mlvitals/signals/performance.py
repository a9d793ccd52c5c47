"""How good the predictions of a cohort were, once labels have come: one reading for each metric that is defined."""

from collections.abc import Iterator, Mapping
from typing import Final

from mlvitals.signals.calibration import calibration_error
from mlvitals.signals.confusion import Score, binary_scores, class_scores, multiclass_scores
from mlvitals.signals.intervals import AREA_LABELS, area_interval, loss_interval, precision_area_variance
from mlvitals.signals.missing import with_what_is_missing
from mlvitals.signals.ranked_lists import ranking_scores
from mlvitals.signals.ranking import Area, area_variance, binned_area, binned_precision
from mlvitals.signals.regression import determination, regression_errors
from mlvitals.signals.share import RATIO_ROWS
from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic
from mlvitals.windows.layout import Task
from mlvitals.windows.summary import Counts, Outcome


def _score(evidence: Evidence) -> Iterator[Reading]:
    outcome, maturity = evidence.outcome, evidence.maturity
    if outcome is None or maturity is None:
        return
    match outcome.layout.output.task:
        case Task.BINARY:
            # The third row is predictions without a class: they are right about nothing and wrong about nothing.
            scores = [*binary_scores(outcome.confusion[:2, :2]), *_areas(outcome)]
        case Task.MULTICLASS:
            scores = list(multiclass_scores(judged_confusion(outcome), len(outcome.layout.outcome_classes) - 2))
        case Task.REGRESSION:
            r2 = determination(outcome)
            scores = [] if r2 is None else [Score(*r2)]
        case Task.RANKING:
            scores = list(ranking_scores(outcome))
    yield from (_read(score, maturity) for score in scores)


def _by_class(evidence: Evidence) -> Iterator[Reading]:
    outcome, maturity = evidence.outcome, evidence.maturity
    if outcome is None or maturity is None or outcome.layout.output.task is not Task.MULTICLASS:
        return
    confusion = judged_confusion(outcome)
    for index, name in enumerate(outcome.layout.outcome_classes[:-2]):
        for score in class_scores(confusion, index):
            yield _read(score, maturity, {"class": name})


def judged_confusion(outcome: Outcome) -> Counts:
    """Return a confusion matrix of many classes without what cannot be judged (see `is_judged`)."""
    confusion = outcome.confusion[:-1, :-1].copy()
    confusion[-1, -1] = 0
    return confusion


def _areas(outcome: Outcome) -> Iterator[Score]:
    bins = outcome.layout.output.score
    if bins is None:
        return
    negatives, positives = outcome.negatives, outcome.positives
    many = int(negatives.sum()), int(positives.sum())
    area = binned_area(negatives, positives, bins.is_point)
    if area is not None:
        variance = area_variance(negatives, positives) if min(many) >= AREA_LABELS else 0.0
        yield _area("roc_auc", area, sum(many), variance)
    area = binned_precision(negatives, positives, bins.is_point)
    if area is not None:
        variance = precision_area_variance(area.value, many[1]) if many[1] >= AREA_LABELS else 0.0
        yield _area("pr_auc", area, sum(many), variance)


def _area(metric: str, area: Area, samples: int, variance: float) -> Score:
    """Return an area with what its bins hide, and the interval that allows for it, too, where there is a variance."""
    hidden = {"least": area.lower, "greatest": area.upper}
    interval = area_interval(area, variance)
    if interval is None:
        return Score(metric, area.value, samples, evidence=hidden)
    return Score(metric, area.value, samples, interval.lower, interval.upper, hidden)


def _error(evidence: Evidence) -> Iterator[Reading]:
    outcome, maturity = evidence.outcome, evidence.maturity
    if outcome is None or maturity is None:
        return
    if outcome.layout.output.task is Task.REGRESSION:
        yield from _of_numbers(outcome, maturity)
    if outcome.has("distributions"):
        yield from _of_distributions(outcome, maturity)
    if outcome.has("calibration"):
        yield from _of_probabilities(outcome, maturity)


def _of_numbers(outcome: Outcome, maturity: str) -> Iterator[Reading]:
    for error in regression_errors(outcome):
        left_out = outcome.measured - error.samples
        yield Reading(
            value=error.value,
            samples=error.samples,
            attributes={"metric": error.metric, "maturity": maturity},
            lower=error.lower,
            upper=error.upper,
            evidence={"left_out": float(left_out)} if error.metric == "mape" else {},
        )


def _of_distributions(outcome: Outcome, maturity: str) -> Iterator[Reading]:
    rows = outcome.count("distributions")
    if rows == 0 or outcome.count("improper"):  # of what is no distribution neither is defined
        return
    confusion = judged_confusion(outcome)
    right = int(confusion.trace())
    rarer = min(right, int(confusion.sum()) - right)
    yield from _mean_losses(outcome, maturity, rows, rarer, {"left_out": float(outcome.judged - rows)})


def _of_probabilities(outcome: Outcome, maturity: str) -> Iterator[Reading]:
    rows = outcome.measured
    if rows == 0 or outcome.count("improbable"):  # of a score outside [0, 1] none of these is defined
        return
    if outcome.layout.output.task is Task.BINARY:
        judged, positives = outcome.calibration[:2].sum(axis=1).tolist()
        yield from _mean_losses(outcome, maturity, rows, min(positives, judged - positives), {})
    found = calibration_error(outcome.calibration)
    if found is not None:
        yield Reading(
            value=found.raw - found.no_drift_mean,
            samples=rows,
            attributes={"metric": "calibration_error", "maturity": maturity},
            noise=found.noise,
            evidence={"raw": found.raw, "no_drift_mean": found.no_drift_mean, "noise": found.noise},
        )


def _mean_losses(
    outcome: Outcome, maturity: str, rows: int, rarer: int, told: Mapping[str, float]
) -> Iterator[Reading]:
    """Yield the mean losses of probabilities, with intervals where both sorts of rows were seen often enough.

    rarer: rows of the rarer sort: of two classes a class, of many what was predicted rightly or wrongly. The losses of
    what did not come are great, and those of what came tell nothing of them.
    """
    for metric in ("log_loss", "brier"):
        sums = outcome.exact_total(metric), outcome.exact_total(f"{metric}_squared")
        ends = loss_interval(*sums, rows) if rarer >= AREA_LABELS else None
        yield Reading(
            value=outcome.total(metric) / rows,
            samples=rows,
            attributes={"metric": metric, "maturity": maturity},
            lower=None if ends is None else ends.lower,
            upper=None if ends is None else ends.upper,
            evidence=told,
        )


def _read(score: Score, maturity: str, about: dict[str, str] | None = None) -> Reading:
    return Reading(
        value=score.value,
        samples=score.samples,
        attributes={"metric": score.metric, "maturity": maturity, **(about or {})},
        lower=score.lower,
        upper=score.upper,
        evidence=score.evidence,
    )


PERFORMANCE_SCORE: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.performance.score",
        unit="{score}",
        brief="How good the cohort's predictions were, by metric: accuracy, precision, recall, f1, specificity, "
        "balanced_accuracy, mcc, roc_auc, pr_auc, r2, ndcg@10, map@10.",
        layer=Layer.MODEL,
        stage=Stage.MATURITY,
        orientation=Orientation.HIGHER,
        level=Export.LEAN,
        levels={
            "specificity": Export.STANDARD,
            "mcc": Export.STANDARD,
            "pr_auc": Export.STANDARD,
            "r2": Export.STANDARD,
            "balanced_accuracy": Export.FULL,
        },
        attributes=("metric", "maturity"),
        minimum_samples=RATIO_ROWS,
    ),
    compute=with_what_is_missing(_score),
)

PERFORMANCE_CLASS_SCORE: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.performance.class.score",
        unit="{score}",
        brief="How good the cohort's predictions of each class were, by metric: precision, recall, f1.",
        layer=Layer.MODEL,
        stage=Stage.MATURITY,
        orientation=Orientation.HIGHER,
        level=Export.FULL,
        attributes=("metric", "class", "maturity"),
        minimum_samples=RATIO_ROWS,
    ),
    compute=with_what_is_missing(_by_class),
)

PERFORMANCE_ERROR: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.performance.error",
        unit="{error}",
        brief="How wrong the cohort's predictions were, by metric: log_loss, brier, calibration_error, mae, rmse, "
        "mape, bias.",
        layer=Layer.MODEL,
        stage=Stage.MATURITY,
        orientation=Orientation.LOWER,
        level=Export.LEAN,
        levels={"calibration_error": Export.STANDARD, "mape": Export.STANDARD, "bias": Export.STANDARD},
        attributes=("metric", "maturity"),
        minimum_samples=RATIO_ROWS,
    ),
    compute=with_what_is_missing(_error),
)
