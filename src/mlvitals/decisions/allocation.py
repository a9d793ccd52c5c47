"""One page budget, shared out: which detector of which model has how much of it, and so how high its bar is.

A detector that alarms where its evidence reaches `A`, and begins anew then, alarms falsely at most once in `A` windows
in the mean: evidence less the windows seen is a supermartingale, so each alarm takes `A` out of what grows by one a
window. With `A` = windows a week ÷ its share of the pages a week, all detectors together page falsely at most as often
as the budget says, however they depend on each other (Shin, Ramdas and Rinaldo 2023; Dandapanthula and Ramdas 2025).

Shares follow from names and numbers that are known before a window's data are. So models may come while the job runs:
the shares of others shrink, and their bars rise. Evidence ÷ bar still grows by at most 1 ÷ bar in the mean of a window,
and only falls where the bar rises, so that the bound holds over any history of bars that rise. Where a bar falls, as a
model is taken out, evidence that was gathered towards the higher one must not count for more: the caller multiplies it
by the new bar ÷ the old one, which keeps that quotient as it was.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, log10
from types import MappingProxyType
from typing import Final

from mlvitals.decisions.finding import Detector, Source

RESERVE: Final = "reserve"

# A detector is late by windows in proportion to the logarithm of its bar. So the delay is least, in the mean over
# faults, where each share is as large as the part of faults that its detector is the first to see. Most faults are of
# single features; a whole share split over thirty of them raises each bar by one and a half decades. What all features
# together, failed requests, segments, coverage and cost would show alone is rare. The reserve is for the diagnosis; of
# a model without segments or prices it holds what their detectors would have.
DEFAULT_WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {
        Detector.VOLUME: 10.0,
        Detector.ERRORS: 5.0,
        Detector.FEATURE: 40.0,
        Detector.FEATURES: 5.0,
        Detector.PREDICTION: 10.0,
        Detector.SEGMENT: 5.0,
        Detector.COVERAGE: 5.0,
        Detector.PERFORMANCE: 10.0,
        Detector.COST: 5.0,
        RESERVE: 5.0,
    }
)

# What one window may bring is cut off at the bar to this power, so that no single one alarms: where the tails of what
# windows have in common are heavy, the bound would not hold without it.
CAP_POWER: Final = 0.6

# An alarm is evidence of at least 20 to 1, which a test at 5 % asks for: a budget so large that less would do does not
# make an alarm mean less.
_LEAST_BAR: Final = log10(20)

_LABELLED: Final = (Detector.COVERAGE, Detector.PERFORMANCE, Detector.COST)
_OF_VERSIONS: Final = (Detector.PREDICTION, Detector.SEGMENT, *_LABELLED)
# What only some models have, and is held in reserve of others.
_HELD: Final = (Detector.SEGMENT, Detector.COST)
_SEVERAL: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDemand:
    """What a model's detectors are.

    weight: its share among models. windows_per_week: how many close; calendar months count by their mean. features:
    those that are watched. versions: how many serve at a time, each of which has detectors of its own for what it
    predicts and for its cohorts. maturities: at which these are judged; none where no labels are joined. checkpoints:
    ages before the first of them at which coverage is looked at. priced: whether it is known what mistakes cost.
    segments: of which what each version predicts is watched, as `column=value`.
    """

    name: str
    weight: float
    windows_per_week: float
    features: Sequence[str]
    versions: int
    maturities: Sequence[str] = ()
    checkpoints: Sequence[str] = ()
    priced: bool = False
    segments: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one detector has of the budget. pages_per_week: exact; bar: log10 of what its evidence has to reach.

    Without pages the bar is infinite: what such a detector sees is told, and never pages.
    """

    pages_per_week: Fraction
    bar: float

    @property
    def cap(self) -> float:
        """Log10 of the most that one window may multiply the evidence by."""
        return CAP_POWER * self.bar

    @property
    def least_windows(self) -> int | None:
        """In how many windows the evidence can reach the bar, if all are as strong as they may be; None for never."""
        if self.bar == inf:
            return None
        # The evidence of w windows is at most the sum of the cap's powers from 1 to w, here in parts of the bar.
        windows, evidence = 0, 0.0
        while evidence < 1:
            windows += 1
            evidence += 10 ** (windows * self.cap - self.bar)
        return windows


@dataclass(frozen=True, slots=True, kw_only=True)
class Allotment:
    """What all detectors of one kind have: how many they are, and the share of each."""

    detector: Detector
    count: int
    each: Share

    @property
    def pages_per_week(self) -> Fraction:
        """What they have together."""
        return self.count * self.each.pages_per_week


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShares:
    """How one model's share of the budget is split; allotments and reserve add up to exactly that share."""

    demand: ModelDemand
    allotments: Mapping[Detector, Allotment]
    reserve: Fraction

    @property
    def pages_per_week(self) -> Fraction:
        """The model's share, its reserve included."""
        return sum((one.pages_per_week for one in self.allotments.values()), self.reserve)

    def of(self, source: Source, versions: int = 0) -> Share:
        """Return the share of one detector, where so many versions serve at a time.

        If they are more than were foreseen, each has so much less that they have no more together.

        Raises:
            KeyError: the model has no such detector, as was told when the budget was shared out.

        """
        subjects = {Detector.FEATURE: self.demand.features, Detector.SEGMENT: self.demand.segments}
        subjects |= dict.fromkeys(_LABELLED, self.demand.maturities)
        subjects[Detector.COVERAGE] = (*self.demand.checkpoints, *self.demand.maturities)
        if source.model != self.demand.name or source.subject not in subjects.get(source.detector, ("",)):
            raise KeyError(source)
        each = self.allotments[source.detector].each
        if source.detector not in _OF_VERSIONS or versions <= self.demand.versions:
            return each
        return _share(each.pages_per_week * self.demand.versions / versions, self.demand)

    def false_pages_per_week(self, detector: Detector) -> float:
        """Return how often all detectors of a kind page where nothing moved, at most: never above what they have.

        It is below where their bar is higher than their share asks for.
        """
        one = self.allotments[detector]
        return one.count * self.demand.windows_per_week * 10**-one.each.bar


def allocate(
    pages_per_week: float, weights: Mapping[str, float], demands: Sequence[ModelDemand]
) -> Mapping[str, ModelShares]:
    """Return who has which share of the budget, by model.

    pages_per_week: for all models together. weights: of each detector by its name, and of `reserve`. Models share by
    their weights, the detectors that a model has by theirs; those of one kind share evenly. All shares and reserves add
    up to exactly the budget, whatever the weights, unless no model has one.

    A window that is longer than a week counts as one: half a page a week must not mean two in every month's window.
    """
    total = sum((Fraction(demand.weight) for demand in demands), Fraction(0))
    budget = Fraction(pages_per_week)
    return {
        demand.name: _split(budget * Fraction(demand.weight) / total if total else Fraction(0), weights, demand)
        for demand in demands
    }


def _split(pages: Fraction, weights: Mapping[str, float], demand: ModelDemand) -> ModelShares:
    counts = dict(_counts(demand))
    held = sum((Fraction(weights[one]) for one in (RESERVE, *_HELD) if one not in counts), Fraction(0))
    total = sum((Fraction(weights[detector]) for detector in counts), held)
    unit = pages / total if total else Fraction(0)
    allotments = {
        detector: Allotment(
            detector=detector, count=count, each=_share(unit * Fraction(weights[detector]) / count, demand)
        )
        for detector, count in counts.items()
    }
    given = sum((one.pages_per_week for one in allotments.values()), Fraction(0))
    return ModelShares(demand=demand, allotments=MappingProxyType(allotments), reserve=pages - given)


def _counts(demand: ModelDemand) -> Iterator[tuple[Detector, int]]:
    """Yield the detectors that a model has, in the order in which one debugs, and how many of each."""
    yield Detector.VOLUME, 1
    yield Detector.ERRORS, 1
    if demand.features:
        yield Detector.FEATURE, len(demand.features)
    if len(demand.features) >= _SEVERAL:  # of a single one it would repeat what that one says
        yield Detector.FEATURES, 1
    yield Detector.PREDICTION, demand.versions
    if demand.segments:
        yield Detector.SEGMENT, demand.versions * len(demand.segments)
    looks = len(demand.maturities) + len(demand.checkpoints)
    if looks:
        yield Detector.COVERAGE, demand.versions * looks
    if demand.maturities:
        cohorts = demand.versions * len(demand.maturities)
        yield Detector.PERFORMANCE, cohorts
        if demand.priced:
            yield Detector.COST, cohorts


def _share(pages: Fraction, demand: ModelDemand) -> Share:
    if not pages:
        return Share(pages_per_week=pages, bar=inf)
    bar = max(Fraction(demand.windows_per_week), Fraction(1)) / pages
    # Of its parts, for the quotient may be beyond what a float holds.
    return Share(pages_per_week=pages, bar=max(log10(bar.numerator) - log10(bar.denominator), _LEAST_BAR))
