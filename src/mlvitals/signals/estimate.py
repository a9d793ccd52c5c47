"""Performance of a binary model before its labels come: what is to be expected of scores and decisions."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mlvitals.signals.calibrator import Calibrator

Floats = npt.NDArray[np.float64]

# A share of positives of 0 or 1 cannot be told from a smaller or greater one by any histogram.
_LEAST_SHARE: Final = 1e-9
_BISECTIONS: Final = 60  # of an interval below 1: down to a double's last bit


class Estimate(NamedTuple):
    """One metric as it is to be expected, and the two variances of what will be realised about it.

    sampling: of the outcomes, were the chances right. calibration: of the chances, which the reference knows no better.
    """

    metric: str
    value: float
    sampling: float
    calibration: float

    @property
    def variance(self) -> float:
        """The variance of the realised metric about the estimate."""
        return self.sampling + self.calibration


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """The chance of the positive class for each score bin, and what it hangs on.

    chances: shape (bins,). slopes: their derivatives by the calibrator's chances. by_share: their derivatives by the
    share of positives, whose variance is `share_variance`; both 0 where that share was not estimated.
    share: of positives, that is to be expected of all rows.
    """

    calibrator: Calibrator
    chances: Floats
    slopes: Floats
    by_share: Floats
    share_variance: float
    share: float


class _Influence(NamedTuple):
    """A metric's value, and its derivative by the chance of one row, by decision and score bin."""

    metric: str
    value: float
    by_row: Floats


def as_in_reference(calibrator: Calibrator, rows: Floats) -> Belief:
    """Return the belief that scores mean what they meant in the reference, whatever scores are served.

    rows: by score bin, shape (bins,).
    """
    chances = calibrator.chances
    none = np.zeros_like(chances)
    return Belief(calibrator, chances, np.ones_like(chances), none, 0.0, float(rows @ chances / rows.sum()))


def after_label_shift(calibrator: Calibrator, rows: Floats) -> Belief | None:
    """Return the belief that only the share of positives changed, and each class is scored as in the reference.

    The share is the likeliest one of the mixture of both classes' scores: the fixed point of Saerens' EM, found where
    the derivative of its concave log-likelihood crosses 0. With π of positives here and π₀ in the reference, the odds
    of each score grow by π(1 - π₀) ÷ π₀(1 - π). None where the scores tell nothing of the share.
    Source: Saerens, Latinne and Decaestecker (2002), "Adjusting the outputs of a classifier to new a priori
    probabilities", Neural Computation 14.

    Args:
        calibrator: of the reference.
        rows: by score bin, shape (bins,).

    """
    before, chances = calibrator.base_rate, calibrator.chances
    positive, negative = chances / before, (1 - chances) / (1 - before)

    def pull(share: float) -> Floats:
        return np.asarray((positive - negative) / (share * positive + (1 - share) * negative))

    low, high = _LEAST_SHARE, 1 - _LEAST_SHARE
    for _ in range(_BISECTIONS):
        share = (low + high) / 2
        low, high = (share, high) if rows @ pull(share) > 0 else (low, share)
    share = (low + high) / 2
    information = float(rows @ pull(share) ** 2)
    if information == 0:
        return None
    factor = share * (1 - before) / (before * (1 - share))
    scale = factor * chances + 1 - chances
    return Belief(
        calibrator,
        chances=factor * chances / scale,
        slopes=factor / scale**2,
        by_share=chances * (1 - chances) / scale**2 * factor / (share * (1 - share)),
        share_variance=1 / information,
        share=share,
    )


def estimate_scores(rows: Floats, belief: Belief) -> Iterator[Estimate]:
    """Yield what metrics are to be expected, as far as they are defined.

    A metric of expected counts is taken, not the expected metric: they differ by a part of 1 ÷ rows. The variances are
    first-order: of independent outcomes (Poisson-binomial), of the calibrator's blocks, and of an estimated share.

    Args:
        rows: predictions by decision (negative, positive) and score bin, shape (2, bins).
        belief: the chance of the positive class at each score.

    Source of the estimate: NannyML's confidence-based performance estimation (documentation, release 0.13); its binned
    form and the variances are our own.

    """
    uncertain = rows * belief.chances * (1 - belief.chances)
    for metric, value, by_row in _influences(rows, belief.chances):
        by_bin = (rows * by_row).sum(axis=0)
        by_block = belief.calibrator.sum_by_block(by_bin * belief.slopes)
        calibration = float(by_block**2 @ belief.calibrator.variances)
        calibration += float(by_bin @ belief.by_share) ** 2 * belief.share_variance
        yield Estimate(metric, value, float((uncertain * by_row**2).sum()), calibration)


def _influences(rows: Floats, chances: Floats) -> Iterator[_Influence]:
    of_decision = rows.sum(axis=1)
    hits = rows @ chances
    if of_decision.sum() == 0:
        return
    for metric, value, by_miss, by_hit in _of_decisions(*hits.tolist(), *of_decision.tolist()):
        yield _Influence(metric, value, np.array([[by_miss], [by_hit]]))
    every = rows.sum(axis=0)
    positives, negatives = every * chances, every * (1 - chances)
    if positives.sum() > 0 and negatives.sum() > 0:
        yield _area(positives, negatives)
    if positives.sum() > 0:
        yield _precision(positives, every)


def _of_decisions(fn: float, tp: float, left: float, acted: float) -> Iterator[tuple[str, float, float, float]]:
    """Yield each metric of decisions, and its derivatives by a missed and by a found positive.

    fn, tp: positives that are expected among the `left` negative and the `acted` positive decisions.
    """
    rows, positives = left + acted, tp + fn
    tn, fp, negatives = left - fn, acted - tp, rows - positives
    yield "accuracy", (tp + tn) / rows, -1 / rows, 1 / rows
    if acted:
        yield "precision", tp / acted, 0.0, 1 / acted
    recall = (tp / positives, -tp / positives**2, fn / positives**2) if positives > 0 else None
    specificity = (tn / negatives, -fp / negatives**2, tn / negatives**2) if negatives > 0 else None
    if recall:
        yield "recall", *recall
    if specificity:
        yield "specificity", *specificity
    if recall and specificity:
        value, by_miss, by_hit = ((one + other) / 2 for one, other in zip(recall, specificity, strict=True))
        yield "balanced_accuracy", value, by_miss, by_hit
    weight = acted + positives
    if weight > 0:
        yield "f1", 2 * tp / weight, -2 * tp / weight**2, 2 * (acted + fn) / weight**2
    spread = positives * negatives
    if spread > 0 and acted and left:
        root = sqrt(acted * left * spread)
        covariance = tp * left - acted * fn
        common = covariance * (negatives - positives) / (2 * root * spread)
        yield "mcc", covariance / root, -acted / root - common, left / root - common


def _area(positives: Floats, negatives: Floats) -> _Influence:
    """Return the area under the ROC curve: the share of pairs ranked rightly, a tie in a bin counting half."""
    every, others = positives.sum(), negatives.sum()
    below = negatives.cumsum() - negatives / 2
    above = positives[::-1].cumsum()[::-1] - positives / 2
    value = float(positives @ below / (every * others))
    by_row = (below - above - value * (others - every)) / (every * others)
    return _Influence("roc_auc", value, by_row[None])


def _precision(positives: Floats, every: Floats) -> _Influence:
    """Return the average precision, a bin's rows taken as tied: Σ p·A⁺ ÷ A over bins, ÷ Σ p."""
    total = positives.sum()
    rows = every[::-1].cumsum()[::-1]
    precision = positives[::-1].cumsum()[::-1] / np.maximum(rows, 1)
    value = float(positives @ precision / total)
    lower = np.divide(positives, rows, out=np.zeros_like(rows), where=rows > 0).cumsum()
    return _Influence("pr_auc", value, ((precision + lower - value) / total)[None])
