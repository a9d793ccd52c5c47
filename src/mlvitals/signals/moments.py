"""Metrics whose uncertainty follows from a cohort's counts: what disjoint cohorts can be told apart by."""

from collections.abc import Iterator
from math import sqrt
from typing import NamedTuple

from scipy.special import ndtri

from mlvitals.signals.intervals import AREA_LABELS, mean_and_variance
from mlvitals.signals.performance import judged_confusion
from mlvitals.signals.proportion import NORMAL_95, wilson_interval
from mlvitals.signals.ranking import area_variance, binned_area
from mlvitals.windows.layout import Task
from mlvitals.windows.summary import Outcome


class Moment(NamedTuple):
    """One metric of one cohort.

    rows: what the value rests on; of a share what it is divided by. side: 1 where more is better, -1 where less is.
    successes: of a share, None where it is none. variance: of the value, 0 of a share.
    """

    metric: str
    value: float
    rows: int
    side: int
    successes: int | None = None
    variance: float = 0.0

    def bounds(self, deviations: float = NORMAL_95) -> tuple[float, float]:
        """Return Wilson's interval of a share and a normal one of anything else, so many standard deviations wide."""
        if self.successes is not None:
            return wilson_interval(self.successes, self.rows, deviations)
        half = deviations * sqrt(self.variance)
        return self.value - half, self.value + half


class Gap(NamedTuple):
    """By how much one cohort is better than another, with its interval."""

    value: float
    lower: float
    upper: float


def moments(outcome: Outcome) -> Iterator[Moment]:
    """Yield the metrics of a cohort's labels that have a variance: shares, the area under the ROC curve, means."""
    match outcome.layout.output.task:
        case Task.BINARY:
            yield from _of_two_classes(outcome)
        case Task.MULTICLASS:
            confusion = judged_confusion(outcome)
            known = len(outcome.layout.outcome_classes) - 2
            yield from _share("accuracy", int(confusion.diagonal()[:known].sum()), int(confusion.sum()))
        case Task.REGRESSION:
            yield from _of_numbers(outcome)
        case Task.RANKING:
            yield from _of_rankings(outcome)


def gap(one: Moment, other: Moment, deviations: float = NORMAL_95) -> Gap:
    """Return by how much one cohort is better than another that shares no prediction with it, in the same metric.

    With d = a - b and intervals [l, u] of each side: d - √((a - l_a)² + (u_b - b)²) to d + √((u_a - a)² + (b - l_b)²).
    For shares that is Newcombe's hybrid of Wilson's intervals. Sources: Newcombe (1998), "Interval estimation for the
    difference between independent proportions", Statistics in Medicine 17 (method 10); Zou and Donner (2008),
    "Construction of confidence intervals about effect measures", Statistics in Medicine 27.
    """
    better, worse = (one, other) if one.side > 0 else (other, one)
    low, high = better.bounds(deviations), worse.bounds(deviations)
    difference = better.value - worse.value
    below = sqrt((better.value - low[0]) ** 2 + (high[1] - worse.value) ** 2)
    above = sqrt((low[1] - better.value) ** 2 + (worse.value - high[0]) ** 2)
    return Gap(difference, difference - below, difference + above)


def together(intervals: int) -> float:
    """Return how many standard deviations wide intervals must be to hold all at once in 95 of 100 cases, two-sided.

    Each holds with the chance 0.95^(1/k). For normal variables that is enough however they hang together. Source: Šidák
    (1967), "Rectangular confidence regions for the means of multivariate normal distributions", JASA 62.
    """
    return float(ndtri((1 + 0.95 ** (1 / intervals)) / 2))


def _of_two_classes(outcome: Outcome) -> Iterator[Moment]:
    (true_negative, false_negative), (false_positive, true_positive) = outcome.confusion[:2, :2].tolist()
    right, wrong = true_negative + true_positive, false_negative + false_positive
    yield from _share("accuracy", right, right + wrong)
    yield from _share("precision", true_positive, true_positive + false_positive)
    yield from _share("recall", true_positive, true_positive + false_negative)
    yield from _share("specificity", true_negative, true_negative + false_positive)
    bins = outcome.layout.output.score
    if bins is None:
        return
    negatives, positives = outcome.negatives, outcome.positives
    area = binned_area(negatives, positives, bins.is_point)
    if area is None or min(int(negatives.sum()), int(positives.sum())) < AREA_LABELS:
        return
    variance = area_variance(negatives, positives)
    if variance > 0:  # of scores that part the classes without a mistake nobody knows how sure that is
        yield Moment("roc_auc", area.value, int(negatives.sum() + positives.sum()), 1, variance=variance)


def _of_numbers(outcome: Outcome) -> Iterator[Moment]:
    rows = outcome.measured
    found = mean_and_variance(outcome.exact_total("absolute"), outcome.exact_total("squared"), rows)
    if found is not None:
        yield Moment("mae", found[0], rows, -1, variance=found[1] / rows)


def _of_rankings(outcome: Outcome) -> Iterator[Moment]:
    rows = outcome.measured
    for name in (f"{metric}@{cutoff}" for cutoff in outcome.layout.output.cutoffs for metric in ("ndcg", "map")):
        found = mean_and_variance(outcome.exact_total(name), outcome.exact_total(f"{name}_squared"), rows)
        if found is not None:
            yield Moment(name, found[0], rows, 1, variance=found[1] / rows)


def _share(metric: str, part: int, whole: int) -> Iterator[Moment]:
    if whole:
        yield Moment(metric, part / whole, whole, 1, successes=part)
