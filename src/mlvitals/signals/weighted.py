"""What labels that were chosen say of all predictions: each labelled one stands for as many as its weight."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from mlvitals.signals.completion import POINTS
from mlvitals.signals.selection import OF_POSITIVE_DECISIONS, scores_of
from mlvitals.signals.strata import Strata

Floats = npt.NDArray[np.float64]

# Of so many of what a metric rests on nothing need be known: its interval holds all that they could be.
TOLERATED: Final = 0.01
_ENDS: Final = (0.025, 0.975)
SHRUNK: Final = 2.0  # rows of the decision's share that few labels are judged beside


class Weighed(NamedTuple):
    """One decision's predictions, as far as its labels speak for them.

    served: all; identified: those that labels speak for. positives: how many of these are. drawn: equally likely
    numbers of them, ascending. squares: Σ w² of the labels, of which Σ w is `identified`.
    """

    served: float
    identified: float
    positives: float
    drawn: Floats
    squares: float


class Corrected(NamedTuple):
    """A metric over all predictions: None where too many are hidden, the ends of what it can be in any case.

    effective: the labels' effective number, (Σ w)² ÷ Σ w². identified: the share of predictions they speak for.
    """

    value: float | None
    lower: float
    upper: float
    effective: float
    identified: float


def weigh_strata(strata: Strata, odds: float = 1.0) -> Weighed:
    """Return what a decision's labels say, those of a stratum with m of n predictions labelled weighing n ÷ m each.

    What is not labelled is as likely positive as what is, in the same stratum: n·x ÷ m of n, of which x of m are known.
    The number of positives among the others is beta distributed about its mean with the variance of the strata's, both
    of a share that m labels tell and of the draw itself: Σ (n - m)²·p(1 - p) ÷ m + (n - m)·p(1 - p), p drawn to the
    decision's share by two rows, so that a stratum without a positive is not taken for certain.

    Args:
        strata: of one decision.
        odds: by how much the odds of being positive of what is not labelled are greater than those of what is.

    """
    known = strata.identified
    served, (negatives, positives) = strata.served[known].astype(np.float64), strata.labelled[known].T
    labels = negatives + positives
    others = served - labels
    share = positives / labels
    expected = positives + others * odds * share / (1 - share + odds * share)
    weighed = Weighed(
        served=float(strata.served.sum()),
        identified=float(served.sum()),
        positives=float(expected.sum()),
        drawn=np.full(POINTS, float(positives.sum())),
        squares=float((served**2 / labels).sum()),
    )
    open_still = float(others.sum())
    if open_still == 0:
        return weighed
    common = (float(served @ share) + 0.5) / (weighed.identified + 1)
    near = (positives + SHRUNK * common) / (labels + SHRUNK)
    spread = near * (1 - near)
    variance = float((others**2 * spread / labels + others * spread).sum()) / open_still**2
    shares = beta_points(float(others @ share) / open_still, float(others @ near) / open_still, variance)
    return weighed._replace(drawn=positives.sum() + whole_outwards(open_still * shares))


def beta_points(mean: float, near: float, variance: float) -> Floats:
    """Return equally likely shares: a beta distribution of the rows that give this variance, and Jeffreys' prior.

    near: the mean, drawn away from 0 and 1, where the variance is that of a share; it says how many rows that is.
    """
    rows = near * (1 - near) / variance
    return np.asarray(betaincinv(mean * rows + 0.5, (1 - mean) * rows + 0.5, (np.arange(POINTS) + 0.5) / POINTS))


def whole_outwards(numbers: Floats) -> Floats:
    """Return equally likely numbers of predictions as whole ones, each away from the middle: none is half of one."""
    half = len(numbers) // 2
    return np.concatenate([np.floor(numbers[:half]), np.ceil(numbers[half:])])


def corrected_scores(negative: Weighed, positive: Weighed) -> dict[str, Corrected]:
    """Return each metric of a binary cohort over all its predictions, where it is defined.

    The ends are those of a 95 % interval, for this cohort's predictions alone, that also holds the worst and the best
    that could be of the predictions that labels do not speak for (Manski, 2003).
    """
    hidden, missed = positive.served - positive.identified, negative.served - negative.identified
    plain = point_scores(negative, positive)
    alarms, others = positive.drawn[:, None], negative.drawn[None, :]
    worst = _scores(alarms, others + missed, negative.served, positive.served)
    best = _scores(alarms + hidden, others, negative.served, positive.served)
    found = {}
    for metric, value in plain.items():
        about = (positive,) if metric in OF_POSITIVE_DECISIONS else (negative, positive)
        identified = sum(one.identified for one in about) / max(1.0, sum(one.served for one in about))
        low, high = (values[~np.isnan(values)] for values in (worst[metric], best[metric]))
        if not len(low) or not len(high):
            continue
        lower, upper = float(np.quantile(low, _ENDS[0])), float(np.quantile(high, _ENDS[1]))
        known = identified >= 1 - TOLERATED and not np.isnan(value)
        found[metric] = Corrected(
            value=float(value) if known else None,
            lower=min(lower, float(value)) if known else lower,
            upper=max(upper, float(value)) if known else upper,
            effective=_effective(about),
            identified=identified,
        )
    return found


def point_scores(negative: Weighed, positive: Weighed) -> dict[str, Floats]:
    """Return each metric of the predictions that labels speak for, NaN where it is not defined."""
    return _scores(positive.positives, negative.positives, negative.identified, positive.identified)


def _scores(hits: Floats | float, misses: Floats | float, negative: float, positive: float) -> dict[str, Floats]:
    numbers = (np.asarray(one, dtype=np.float64) for one in (hits, misses, negative, positive))
    return scores_of(*numbers)


def _effective(about: tuple[Weighed, ...]) -> float:
    squares = sum(one.squares for one in about)
    return sum(one.identified for one in about) ** 2 / squares if squares else 0.0
