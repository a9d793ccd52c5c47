"""All that the statistics of a catalogue read from one window or cohort."""

from collections.abc import Iterator, Sequence

from mlvitals.signals.catalogue import Catalogue
from mlvitals.signals.measurement import Measurement
from mlvitals.signals.registry import CATALOGUE
from mlvitals.signals.spec import Evidence, MetricSpec, Reading, Stage


def measure(evidence: Evidence, stage: Stage, signals: Catalogue = CATALOGUE) -> Iterator[tuple[MetricSpec, Reading]]:
    """Yield every reading that is defined at this stage, in the order of the statistics."""
    for statistic in signals.statistics:
        if statistic.spec.stage is stage:
            for reading in statistic.compute(evidence):
                yield statistic.spec, reading


def derive(measurements: Sequence[Measurement], signals: Catalogue = CATALOGUE) -> Iterator[tuple[MetricSpec, Reading]]:
    """Yield every reading that follows from the judged measurements of a whole version's window."""
    for derived in signals.derived:
        for reading in derived.compute(measurements, signals.specs):
            yield derived.spec, reading
