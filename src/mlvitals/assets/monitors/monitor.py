"""What a monitor is, in no backend's words: a query, a bar, and what it says to whom."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from mlvitals.assets.query import Query
from mlvitals.signals.running import DECISION_PAGE_AGE

# Seconds: what `facts.lookback` gives for windows of an hour with the defaults. Rendered for a configuration, it is
# that of its models.
LOOKBACK: Final = 8_520


# Seconds between two points of what the job tells of itself, by default, and how many of these may be missing before
# it counts as silent.
TELEMETRY_INTERVAL: Final = 60
INTERVALS: Final = 5

# They tell more of an alert and are no part of what it is: one that changes them is the same incident.
_TOLD_BESIDES: Final = frozenset({"owner", "costs"})


class Severity(StrEnum):
    """Whom it reaches: `page` wakes a person, `warn` waits until one is at work."""

    PAGE = "page"
    WARN = "warn"


class Cadence(StrEnum):
    """How often its metric has a point, and so how far back a monitor must look for the newest.

    telemetry: each telemetry interval while the job runs. window: as windows close, or as cohorts mature: the
    `lookback_seconds` of the models.
    """

    TELEMETRY = "telemetry"
    WINDOW = "window"


class Comparator(StrEnum):
    """On which side of the bar it fires."""

    ABOVE = ">"
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """When it fires and when it is over.

    value: it fires where the query is above it, or at least it. recovery: it is over only where the query is below, at
    most the bar. lasting: seconds for which the query must be there, 0 for at once.
    """

    comparator: Comparator
    value: float
    recovery: float
    lasting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """It fires where the query has had no point for so many seconds, and is over with the first that comes."""

    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """It fires where the query, a time in seconds, is above the lookback of the models that it is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """One alerting object of a backend, of which each has one for every group of models that it is for.

    name: of its file, its key and its section in the runbooks, lower-case words. query: `by` is what it tells apart
    besides environments, each with an alert of its own. fires: without a point of the query it says nothing, unless it
    is a `Silence`. means: one sentence, what it is when it fires. do: first steps, a sentence each. says: the heading
    of its message; `{attribute}` stands for an attribute of `by`, `{value}` for the query's value, in `unit` of the
    metric.
    """

    name: str
    title: str
    severity: Severity
    cadence: Cadence
    query: Query
    fires: Bar | Overdue | Silence
    says: str
    means: str
    do: tuple[str, ...]

    @property
    def alerts(self) -> Query:
        """The query with a line for each alert: environments are told apart too."""
        return replace(self.query, by=("environment", *self.query.by))

    @property
    def incident(self) -> tuple[str, ...]:
        """The attributes that one incident differs from another in: its alerts are told as one."""
        return tuple(name for name in self.alerts.by if name not in _TOLD_BESIDES)

    @property
    def per_model(self) -> bool:
        """Whether it tells models apart, so that each alert goes to the model's owner."""
        return "model" in self.query.by

    @property
    def windowed(self) -> bool:
        """Whether it hangs on the lookback of the models that it is for."""
        return self.cadence is Cadence.WINDOW or isinstance(self.fires, Overdue)

    @property
    def tells_since(self) -> bool:
        """Whether its value is the time since an onset, so that its message can tell since when."""
        return self.query.metric == DECISION_PAGE_AGE.name
