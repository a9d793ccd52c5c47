"""What a panel or a monitor asks for: series of a metric of the registry, in no backend's words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from mlvitals.signals.spec import Instrument, MetricSpec, Stage

MEASURED: Final = ("environment", "model", "model_version")
RUNNING: Final = ("environment",)
ELSEWHERE: Final = ("segment", "bound")  # attributes that any measured series may have besides those of its metric


# What a board's variables choose, or what follows from the model: lines that differ in it are no mixture.
_FOLLOWING: Final = frozenset({"model", "owner", "currency"})


class Aggregate(StrEnum):
    """What becomes of the series that a query does not split by; of one series it is its value, whichever is taken."""

    MAX = "max"
    MIN = "min"
    SUM = "sum"
    MEAN = "mean"


class Reading(StrEnum):
    """What is taken of a series: its newest value, or of a total how much it grew."""

    VALUE = "value"
    GROWTH = "growth"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Series of one metric.

    metric: its full name in the registry. where: short attribute names and the value that each must have. by: those
    that lines are split by. Every attribute of the metric stands in one of the two, so that no two meanings are mixed;
    what a board's variables choose is filtered besides. Series of a segment or of an interval's bound are left out,
    unless `segment` or `bound` stands in either. aggregate: over what is not split by.
    label: what the lines are called where a board has several queries in one panel.
    """

    metric: str
    where: Mapping[str, str] = field(default_factory=dict)
    by: tuple[str, ...] = ()
    aggregate: Aggregate = Aggregate.MAX
    reading: Reading = Reading.VALUE
    label: str = ""

    @property
    def absent(self) -> tuple[str, ...]:
        """Attributes that its series must not have."""
        return tuple(name for name in ELSEWHERE if name not in self.where and name not in self.by)


def carried(spec: MetricSpec) -> tuple[str, ...]:
    """Return the short names of all attributes that a metric's series carry, but for those of `ELSEWHERE`."""
    own = RUNNING if spec.stage is Stage.RUNNING else MEASURED
    return (*own, *(name for name in spec.attributes if name not in own))


def broken_rules(query: Query, spec: MetricSpec) -> Iterator[str]:
    """Yield, a sentence each, what is wrong with a query of a metric."""
    known = {*carried(spec), *(ELSEWHERE if spec.stage is not Stage.RUNNING else ())}
    for name in (*query.where, *query.by):
        if name not in known:
            yield f"`{query.metric}` has no attribute `{name}`"
    for name in spec.attributes:
        if name not in query.where and name not in query.by and name not in _FOLLOWING:
            yield f"`{query.metric}` mixes every `{name}`: filter or split by it"
    if set(query.where) & set(query.by):
        yield f"`{query.metric}` is filtered and split by the same attribute"
    if query.reading is Reading.GROWTH and spec.instrument is not Instrument.COUNTER:
        yield f"`{query.metric}` is no total: it does not grow"
