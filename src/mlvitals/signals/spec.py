"""What a signal is: its name and metadata, the evidence it is computed from, and what it reads there."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from mlvitals.signals.cost_terms import CostTerms
from mlvitals.windows.matured import Matured
from mlvitals.windows.paired import Paired
from mlvitals.windows.summary import Outcome, Summary


class Layer(StrEnum):
    """Where one looks, in the order in which one debugs."""

    PIPELINE = "pipeline"
    DATA = "data"
    MODEL = "model"
    LABEL = "label"
    VALUE = "value"


class Orientation(StrEnum):
    """Which way is better."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


class Export(StrEnum):
    """The least level at which a signal's points are exported; logs always carry every measurement."""

    LEAN = "lean"
    STANDARD = "standard"
    FULL = "full"


class Stage(StrEnum):
    """When a signal is known: as the window closes, as its cohort reaches a maturity, or while the job runs.

    What is known while the job runs is told by points only: no window has it, and no measurement.
    """

    WINDOW = "window"
    MATURITY = "maturity"
    RUNNING = "running"


class Instrument(StrEnum):
    """What a point of a metric is: the value at its time, or a total since its start that only grows."""

    GAUGE = "gauge"
    COUNTER = "counter"


class Status(StrEnum):
    """What a measurement says; only a budgeted detector says `alert`."""

    OK = "ok"
    WARNING = "warning"
    ALERT = "alert"
    INSUFFICIENT_DATA = "insufficient_data"
    NO_DATA = "no_data"


_MOVED: Final = (Status.WARNING, Status.ALERT)
_LEVELLED: Final = ("metric", "method", "comparison")
_ORDER: Final = tuple(Export)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec:
    """A metric we emit. The registry holds every one; names, units and attributes appear nowhere else.

    instrument: a counter's points are totals since their `start`; a backend without such totals gets them as gauges.
    unit: UCUM, or `{thing}` for counts. attributes: short names; a backend's spelling is telemetry's business.
    level: of the signal's points; levels: of those of one `metric`, `method` or `comparison`, where it is another;
        level_if_moved: of those that warn, where it is another.
    minimum_samples: below this many, a measurement's status is `insufficient_data`.
    warning: a plain threshold on how much worse than normal a value is, in excess of its noise (three standard errors);
        where neither way is better, on its absolute value. None: no verdict.
    warning_where: the attributes that a reading must have for `warning` to speak of it, where not all are judged.
    warning_windows: how many windows in a row must reach it; only what is known as a window closes has more than one.
    brings_limits: its readings are held against limits that they bring.
    one_sided: it means something of labels of the positive class alone, too.
    """

    name: str
    unit: str
    brief: str
    layer: Layer
    stage: Stage
    orientation: Orientation
    level: Export
    levels: Mapping[str, Export] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()
    minimum_samples: int = 0
    warning: float | None = None
    warning_where: Mapping[str, str] = field(default_factory=dict)
    warning_windows: int = 1
    brings_limits: bool = False
    one_sided: bool = False
    level_if_moved: Export | None = None
    instrument: Instrument = Instrument.GAUGE

    @property
    def warns(self) -> bool:
        """Whether readings are held against a plain threshold, the spec's or their own."""
        return self.warning is not None or self.brings_limits

    @property
    def crossing(self) -> str:
        """What it does from its threshold on, in a word: one that is no plain threshold is a detector's bar."""
        return "warns" if self.warns else "pages"

    def judges(self, attributes: Mapping[str, str]) -> bool:
        """Tell whether the warning speaks of a reading with these attributes."""
        return self.warning is not None and self.warning_where.items() <= attributes.items()

    def level_of(self, attributes: Mapping[str, str], status: Status) -> Export:
        """Return the least export level at which a point with these attributes and this status leaves."""
        if self.level_if_moved is not None and status in _MOVED:
            return self.level_if_moved
        if not self.levels:
            return self.level
        own = [attributes[key] for key in _LEVELLED if key in attributes]
        return max((self.levels[one] for one in own if one in self.levels), key=_ORDER.index, default=self.level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """How much is usually served in a window like this one.

    expected: predictions. noise: standard deviation between such windows. windows: how many of them were seen.
    """

    expected: float
    noise: float
    windows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Another version of the same window at the same maturity: the one that served most, the first by name of equals.

    paired: what both versions made of the ids that both served; None where no label speaks of such ids.
    """

    version: str
    outcome: Outcome
    paired: Paired | None = None


class DetectorState(NamedTuple):
    """How a budgeted detector stands: its evidence and the bar at which it pages, both as log10.

    detector, subject: as the decisions name them. told: what a person needs to understand it, by short names.
    """

    detector: str
    subject: str
    evidence: float
    bar: float
    status: "Status"
    told: Mapping[str, float | str]


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Evidence:
    """All that a statistic may look at.

    current: the window (or cohort). reference: normal production, None where there is none yet. training: what the
    version learned on, None where it is not known. previous: the last earlier window of the same version and segment.
    others: the other versions' predictions of the same window, added up. What has another layout is not comparable.
    outcome: the cohort's joined labels at `maturity`; None at the window stage.
    seconds: how long the window is. repeats: rows whose id had been served before, None where ids are not remembered.
    volume: what is usual, None where it is not known yet, or the cohort is not a whole model version. silence: this
    version's share in telling that no version served in the window: 0 where any did, and of a segment.
    detectors: the budgeted detectors of a whole version; none of a segment. costs: what mistakes cost,
    None where nobody said. segments: the joined labels of each segment at `maturity`, and rival: another version to be
    held against; of a whole version only. matured: how labels came of the cohorts that had matured when this one
    reached `maturity`; None at the last maturity, and of a segment. final: `maturity` is the last one; of a whole
    version only. conflicts: how many of the joined labels stand after another one of their prediction that said
    something else.
    """

    current: Summary
    reference: Summary | None = None
    training: Summary | None = None
    previous: Summary | None = None
    others: Summary | None = None
    outcome: Outcome | None = None
    maturity: str | None = None
    seconds: float = 0.0
    repeats: int | None = None
    volume: Volume | None = None
    silence: float = 0.0
    detectors: tuple[DetectorState, ...] = ()
    costs: CostTerms | None = None
    segments: Mapping[str, Outcome] = field(default_factory=dict)
    rival: Rival | None = None
    matured: Matured | None = None
    final: bool = False
    conflicts: int = 0


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One value that a statistic read, not yet judged. An undefined value is no reading at all.

    samples: the rows that the value rests on; reference_samples: those of the reference.
    lower, upper: an interval or a bound for the value. normal, noise: the value and its standard error where nothing
    changed; a normal of None is not known, so that there is no verdict. limits: at or beyond either it is a warning,
    where that follows from what is usual at that time and not from the spec. verdict: the status, where it follows from
    other measurements and not from a threshold; bar: the level at which it is that of a detector that pages.
    evidence: what a person needs to understand the value, by short names.
    """

    value: float
    samples: int
    attributes: Mapping[str, str] = msgspec.field(default_factory=dict)
    reference_samples: int | None = None
    lower: float | None = None
    upper: float | None = None
    normal: float | None = 0.0
    noise: float | None = None
    limits: tuple[float, float] | None = None
    verdict: Status | None = None
    bar: float | None = None
    evidence: Mapping[str, float | str] = msgspec.field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """A signal and how it is computed: a pure function of the evidence."""

    spec: MetricSpec
    compute: Callable[[Evidence], Iterator[Reading]]
