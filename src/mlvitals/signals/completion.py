"""How many of a decision's predictions will turn out positive, given those whose label has come and how labels come."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, betaln, gammaln

from mlvitals.signals.arrival import Arrival

Floats = npt.NDArray[np.float64]

# Equally likely values that stand for a distribution: three of them lie beyond each end of a 95 % interval.
POINTS: Final = 128
_TOTALS: Final = 8  # of them as many at each number that may get a label at all
_PLACES: Final = 2_048  # at which a distribution is looked at
_NEGLIGIBLE: Final = 30.0  # in logarithms: a part in ten million million


class Group(NamedTuple):
    """The predictions of one decision, and those with their label, by true class."""

    served: int
    negatives: int
    positives: int


class Completed(NamedTuple):
    """Equally likely outcomes at the last maturity: how many are positive, of how many that have a label."""

    positives: Floats
    labelled: Floats


def complete(group: Group, arrival: Arrival) -> Completed | None:
    """Return what a decision's labels will come to; None where matured cohorts do not say how they come.

    Where x of n positives have come and y of the other N - n, each by a chance that is itself beta distributed, the
    chance of n is proportional to that of x (beta-binomial) times that of y times a prior: Jeffreys', a beta-binomial
    distribution of a half and a half. A class whose arrival is not known says nothing, but that n lies in [x, N - y].
    So both classes are heard, none has to be, and no value is possible that the bounds exclude.
    """
    known = group.negatives + group.positives
    if known == group.served:
        return Completed(np.array([float(group.positives)]), np.array([float(group.served)]))
    if not arrival.is_known:
        return None
    totals = _totals(group, arrival)
    each = POINTS // len(totals)
    drawn = [_positives(group, int(total), arrival, each) for total in totals]
    return Completed(np.concatenate(drawn), np.repeat(totals, each))


def _totals(group: Group, arrival: Arrival) -> Floats:
    """Return equally likely numbers of predictions that will have a label at the last maturity."""
    if arrival.complete or arrival.ever is None:
        return np.array([float(group.served)])
    # The share of these predictions varies as the chance does, and by the chance of each of them.
    early, late, served = arrival.ever.early, arrival.ever.late, group.served
    held = (early + late) * served / (early + late + served)
    mean = early / (early + late)
    shares = betaincinv(mean * held, (1 - mean) * held, _middles(_TOTALS))
    return np.asarray(np.clip(np.rint(shares * served), group.negatives + group.positives, served))


def _positives(group: Group, total: int, arrival: Arrival, count: int) -> Floats:
    """Return equally likely numbers of positives among those that will have a label, ascending.

    The chance has one peak. It is looked at in ever narrower stretches, until all of it that is not negligible is in.
    """
    least, most = group.positives, total - group.negatives
    while True:
        step = max(1, -(-(most - least) // _PLACES))
        places = np.unique(np.append(np.arange(least, most + 1, step), most)).astype(np.float64)
        chances = _log_chances(places, total, group, arrival)
        inside = np.flatnonzero(chances > chances.max() - _NEGLIGIBLE)
        first, last = max(0, int(inside[0]) - 1), min(len(places) - 1, int(inside[-1]) + 1)
        if step == 1 or last - first > _PLACES // 4:
            break
        least, most = int(places[first]), int(places[last])
    weights = np.exp(chances - chances.max())
    running = np.cumsum(weights)
    return np.asarray(places[np.searchsorted(running, _middles(count) * running[-1])])


def _log_chances(positives: Floats, total: int, group: Group, arrival: Arrival) -> Floats:
    """Return the logarithm of the chance of each number of positives, but for a constant."""
    negatives = total - positives
    found = _log_ways(positives, -0.5) + _log_ways(negatives, -0.5)
    for curve, known, all_of_them in (
        (arrival.positives, group.positives, positives),
        (arrival.negatives, group.negatives, negatives),
    ):
        if curve is not None:
            waiting = all_of_them - known
            found += gammaln(all_of_them + 1) - gammaln(waiting + 1)
            found += betaln(known + curve.early, waiting + curve.late)
    return found


def _log_ways(rows: Floats, more: float) -> Floats:
    return np.asarray(gammaln(rows + 1 + more) - gammaln(rows + 1))


def _middles(count: int) -> Floats:
    return (np.arange(count) + 0.5) / count
