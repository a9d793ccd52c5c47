"""Scores of predicted classes against true ones, from the counts of who met whom."""

from collections.abc import Iterator, Mapping
from math import sqrt
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from mlvitals.signals.intervals import (
    Interval,
    correlation_interval,
    f1_interval,
    macro_f1_interval,
    mean_interval,
    share_interval,
)
from mlvitals.windows.summary import Counts


class Score(NamedTuple):
    """One metric: its value, the rows it rests on, its interval where it has any, and what else is to be told."""

    metric: str
    value: float
    samples: int
    lower: float | None = None
    upper: float | None = None
    evidence: Mapping[str, float] = MappingProxyType({})


def binary_scores(confusion: Counts) -> Iterator[Score]:
    """Yield what a confusion matrix says of the positive class: predicted × true, negative before positive.

    A share of nothing is not defined, and no score that needs it is; scikit-learn says 0 and warns instead.
    """
    (true_negative, false_negative), (false_positive, true_positive) = confusion.tolist()
    judged = true_negative + false_negative + false_positive + true_positive
    positives, negatives = true_positive + false_negative, true_negative + false_positive
    yield from _share("accuracy", true_negative + true_positive, judged, judged)
    yield from _share("precision", true_positive, true_positive + false_positive, judged)
    yield from _share("recall", true_positive, positives, judged)
    yield from _share("specificity", true_negative, negatives, judged)
    if positives and negatives:
        shares = (true_positive, positives), (true_negative, negatives)
        value = sum(part / whole for part, whole in shares) / 2
        yield Score("balanced_accuracy", value, judged, *mean_interval(shares))
    wrong = false_positive + false_negative
    if true_positive + wrong:
        value = 2 * true_positive / (2 * true_positive + wrong)
        yield Score("f1", value, judged, *f1_interval(true_positive, wrong))
    yield from _correlation(confusion)


def class_scores(confusion: Counts, index: int) -> Iterator[Score]:
    """Yield one class's precision, recall and f1 from a matrix of many, predicted × true; samples are its own rows."""
    right = int(confusion[index, index])
    predicted, true = int(confusion[index].sum()), int(confusion[:, index].sum())
    yield from _share("precision", right, predicted, predicted)
    yield from _share("recall", right, true, true)
    if predicted + true:
        interval = f1_interval(right, predicted + true - 2 * right)
        yield Score("f1", 2 * right / (predicted + true), predicted + true - right, *interval)


def multiclass_scores(confusion: Counts, known: int) -> Iterator[Score]:
    """Yield accuracy, macro averages and correlation.

    Macro averages go over the classes that have a label here: one that is never predicted has precision 0 (and f1 0),
    one without a label is in no average. That is scikit-learn's macro average over the labels present, with
    `zero_division=0`.

    Args:
        confusion: predicted × true of the rows that can be judged, shape (classes, classes).
        known: how many of the classes, the first ones, have a name; the others share the last place.

    """
    judged = int(confusion.sum())
    right = confusion.diagonal()[:known]
    yield from _share("accuracy", int(right.sum()), judged, judged)
    predicted, true = confusion.sum(axis=1)[:known], confusion.sum(axis=0)[:known]
    present = true > 0
    if present.any():
        right, predicted, true = right[present], predicted[present], true[present]
        for metric, whole in (("precision", predicted), ("recall", true)):
            interval = mean_interval(list(zip(right.tolist(), whole.tolist(), strict=True)))
            yield Score(metric, float(np.mean(right / np.maximum(whole, 1))), judged, *interval)
        value = float(np.mean(2 * right / (predicted + true)))
        among = np.append(present, np.zeros(len(confusion) - known, dtype=bool))
        yield _score("f1", value, judged, macro_f1_interval(confusion, value, among))
    yield from _correlation(confusion)


def _correlation(confusion: Counts) -> Iterator[Score]:
    """Yield Matthews' correlation coefficient, for many classes in Gorodkin's generalisation, if it is defined.

    With c right of s rows, t(k) true and p(k) predicted of class k: (c·s - Σ p·t) ÷ √((s² - Σ p²)·(s² - Σ t²)). Where
    all truth or all predictions are of one class it is 0 ÷ 0. Sources: Matthews (1975), Biochimica et Biophysica Acta
    405; Gorodkin (2004), "Comparing two K-category assignments by a K-category correlation coefficient",
    Computational Biology and Chemistry 28.
    """
    predicted, true = confusion.sum(axis=1).tolist(), confusion.sum(axis=0).tolist()
    total, right = sum(true), int(confusion.trace())
    # Python's integers have no end: a billion rows to the fourth power are exact.
    covariance = right * total - sum(p * t for p, t in zip(predicted, true, strict=True))
    spread = (total**2 - sum(p * p for p in predicted)) * (total**2 - sum(t * t for t in true))
    if spread:
        value = max(-1.0, min(1.0, covariance / sqrt(spread)))
        yield _score("mcc", value, total, correlation_interval(confusion, value))


def _share(metric: str, part: int, whole: int, samples: int) -> Iterator[Score]:
    if whole:
        yield Score(metric, part / whole, samples, *share_interval(part, whole))


def _score(metric: str, value: float, samples: int, interval: Interval | None) -> Score:
    return Score(metric, value, samples) if interval is None else Score(metric, value, samples, *interval)
