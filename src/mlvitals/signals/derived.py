"""A signal that follows from the measurements of a window, not from its counts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mlvitals.signals.measurement import Measurement
from mlvitals.signals.spec import MetricSpec, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """A signal and how it follows: a pure function of a version's judged measurements and of all specs by name."""

    spec: MetricSpec
    compute: Callable[[Sequence[Measurement], Mapping[str, MetricSpec]], Iterator[Reading]]
