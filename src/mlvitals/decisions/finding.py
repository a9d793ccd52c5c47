"""What the budgeted detectors say of a window: an alarm, or that one is over."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Detector(StrEnum):
    """What a budgeted detector watches, in the order in which one debugs.

    volume: how many predictions a window holds, silence included. errors: the share of requests that failed. feature:
    one feature's distribution and quality. features: all of a model's features together, for what moves each a little.
    prediction: what a version says. segment: what it says in a declared segment. coverage, performance, cost: a cohort
    at a maturity.
    """

    VOLUME = "volume"
    ERRORS = "errors"
    FEATURE = "feature"
    FEATURES = "features"
    PREDICTION = "prediction"
    SEGMENT = "segment"
    COVERAGE = "coverage"
    PERFORMANCE = "performance"
    COST = "cost"


class Source(NamedTuple):
    """Which detector speaks: of a model, of one version (empty for all together), of one subject.

    subject: the feature of `feature`, `column=value` of `segment`, the maturity of `coverage`, `performance` and
    `cost`; else empty.
    """

    model: str
    version: str
    detector: Detector
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A budgeted detector's evidence reached its bar: it wants to page.

    component: what of the subject moved (`location`, `spread`, `shape`, `missing`, `unseen`, `zero`, `rate`, …).
    start, end: of the window in which it was decided; onset: the start of the first window of the estimated change
    (microseconds since the epoch). effect: the estimated step since the onset, in `unit`, with its interval of 95 %.
    evidence, bar: log10 of the e-detector, and of what it has to reach.
    """

    source: Source
    component: str
    start: int
    end: int
    onset: int
    effect: float
    lower: float
    upper: float
    unit: str
    evidence: float
    bar: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What a detector alarmed of has been inside its tolerance long enough. end: of the last of these windows."""

    source: Source
    end: int
