"""The signals of one run: ours, and those that a user has named in the configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from mlvitals.signals.derived import Derived
from mlvitals.signals.spec import MetricSpec, Statistic


@dataclass(frozen=True)
class Catalogue:
    """What is measured, in the order in which one debugs, what follows from it, what the job tells of itself.

    Names are unique.
    """

    statistics: tuple[Statistic, ...]
    derived: tuple[Derived, ...] = ()
    running: tuple[MetricSpec, ...] = ()

    @cached_property
    def specs(self) -> Mapping[str, MetricSpec]:
        """Every signal's metadata by its full name: measured ones, those that follow, those of the running job."""
        specs = [*(one.spec for one in self.statistics), *(one.spec for one in self.derived), *self.running]
        return MappingProxyType({spec.name: spec for spec in specs})

    def joined_by(self, statistics: Sequence[Statistic]) -> "Catalogue":
        """Return a catalogue with these statistics after its own."""
        return Catalogue((*self.statistics, *statistics), self.derived, self.running) if statistics else self
