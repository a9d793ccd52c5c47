"""What the job tells of itself, beside its models: a point for every series that there can be."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Final, Self

from mlvitals.clock import DAY, MINUTE
from mlvitals.config import Config
from mlvitals.decisions.paging_rate import VERDICTS
from mlvitals.delivery import Fate
from mlvitals.events import Disposition
from mlvitals.signals.running import DECISION_PAGE_AGE, PAGES_TOLD, RUNNING
from mlvitals.signals.spec import MetricSpec
from mlvitals.telemetry import MetricPoint

# Any moment and any value would do; these have as many digits as those of today, and of a busy day.
_TIME: Final = 1_767_225_600_000_000
_VALUE: Final = 1_234_567.0
_PAGE: Final = "mistakes are expected to cost 1,234,567 EUR a day, usually 123,456"  # as long as what a page tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The points that the job tells of itself, and how many times a day it does."""

    points: Sequence[MetricPoint]
    times: Fraction

    @classmethod
    def of(cls, config: Config, models: Sequence[str]) -> Self:
        """Return what the job of a configuration may tell with these models: more of them are more of its points."""
        values: dict[str, Sequence[str]] = {
            "outcome": list(Disposition),
            "fate": list(Fate),
            "model": models,
            "verdict": VERDICTS,
            "destination": [sink.name for sink in config.sinks],
        }
        environment = config.service.environment
        points = [
            MetricPoint(
                name=spec.name,
                unit=spec.unit,
                value=_VALUE,
                time=_TIME,
                start=_TIME - MINUTE,
                attributes={"environment": environment, **found},
            )
            for spec in RUNNING
            for found in _told(spec, values)
        ]
        return cls(points=points, times=Fraction(DAY, config.telemetry.interval.microseconds))


def _told(spec: MetricSpec, values: Mapping[str, Sequence[str]]) -> Iterator[Mapping[str, str]]:
    """Yield the attributes of every series that a metric may have at a time."""
    if spec is DECISION_PAGE_AGE:
        yield from ({"model": model} for model in values["model"])
        for place in range(PAGES_TOLD if values["model"] else 0):
            yield {"model": values["model"][0], **dict.fromkeys(spec.attributes[1:], f"{_PAGE} {place}")}
        return
    for found in product(*(values[name] for name in spec.attributes)):
        yield dict(zip(spec.attributes, found, strict=True))
