"""What the job tells of itself, beside its models: a point for every series that there can be."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Final, Self

from mlvitals.clock import DAY, MINUTE
from mlvitals.config import Config
from mlvitals.decisions.paging_rate import VERDICTS
from mlvitals.delivery import Fate
from mlvitals.events import Disposition
from mlvitals.signals.running import RUNNING
from mlvitals.telemetry import MetricPoint

# Any moment and any value would do; these have as many digits as those of today, and of a busy day.
_TIME: Final = 1_767_225_600_000_000
_VALUE: Final = 1_234_567.0


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
                attributes={"environment": environment, **dict(zip(spec.attributes, found, strict=True))},
            )
            for spec in RUNNING
            for found in product(*(values[name] for name in spec.attributes))
        ]
        return cls(points=points, times=Fraction(DAY, config.telemetry.interval.microseconds))
