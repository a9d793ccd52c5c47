"""All that the registered statistics read from one window or cohort."""

from collections.abc import Iterator, Sequence

from mlvitals.signals.measurement import Measurement
from mlvitals.signals.registry import DERIVED, REGISTRY, STATISTICS
from mlvitals.signals.spec import Evidence, MetricSpec, Reading, Stage, Statistic


def measure(
    evidence: Evidence, stage: Stage, statistics: Sequence[Statistic] = STATISTICS
) -> Iterator[tuple[MetricSpec, Reading]]:
    """Yield every reading that is defined at this stage, in the order of the statistics."""
    for statistic in statistics:
        if statistic.spec.stage is stage:
            for reading in statistic.compute(evidence):
                yield statistic.spec, reading


def derive(measurements: Sequence[Measurement]) -> Iterator[tuple[MetricSpec, Reading]]:
    """Yield every reading that follows from the judged measurements of a whole version's window."""
    for derived in DERIVED:
        for reading in derived.compute(measurements, REGISTRY):
            yield derived.spec, reading
