"""From a cohort to its measurements: what the statistics read, judged."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from mlvitals.clock import SECOND, format_time
from mlvitals.decisions.thresholds import judge
from mlvitals.engines.feature_groups import FeatureGroups
from mlvitals.engines.layouts import References
from mlvitals.engines.surroundings import Surroundings
from mlvitals.hashing import content_hash
from mlvitals.signals.catalogue import Catalogue
from mlvitals.signals.comparison import Comparison
from mlvitals.signals.measure import derive, measure
from mlvitals.signals.measurement import Measurement
from mlvitals.signals.registry import CATALOGUE
from mlvitals.signals.spec import Evidence, MetricSpec, Reading, Stage
from mlvitals.windows.cohorts import Cohort
from mlvitals.windows.groups import ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Emission:
    """The measurements of one window, or of one cohort at one maturity.

    stamp: where a point of them is plotted; start: the window's start (microseconds since the epoch).
    revised: they were plotted before; only their documents change.
    """

    model: str
    measurements: tuple[Measurement, ...]
    stamp: int
    start: int
    revised: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Measures the cohorts of one model.

    metrics: the performance metrics that were asked for; empty for all that are defined.
    sensitive: features whose values must not leave, not even as a bin's name. groups: where features come from.
    signals: what is measured.
    """

    model: str
    environment: str
    references: References
    metrics: frozenset[str]
    sensitive: frozenset[str] = frozenset()
    groups: FeatureGroups = field(default_factory=lambda: FeatureGroups({}))
    signals: Catalogue = CATALOGUE

    def window(self, cohort: Cohort, surroundings: Surroundings) -> tuple[Measurement, ...]:
        """Return what is known as a window closes."""
        measured = tuple(self._measure(cohort, self._evidence(cohort, surroundings), Stage.WINDOW, 0))
        if cohort.key.segment != ALL:
            return measured
        derived = derive(measured, self.signals)
        return measured + tuple(self._judge(cohort, spec, reading, 0) for spec, reading in derived)

    def maturity(self, cohort: Cohort, bucket: int, maturity: str, revision: int = 0) -> tuple[Measurement, ...]:
        """Return what is known of a cohort at the maturity that closes an age bucket."""
        evidence = Evidence(
            current=cohort.summary,
            reference=None,
            outcome=cohort.summary.outcome(bucket),
            maturity=maturity,
        )
        return tuple(self._measure(cohort, evidence, Stage.MATURITY, revision))

    def _evidence(self, cohort: Cohort, surroundings: Surroundings) -> Evidence:
        operating = self.references.operating
        training = self.references.training.get(cohort.key.version)
        return Evidence(
            current=cohort.summary,
            reference=None if operating is None else operating.summary,
            training=None if training is None else training.summary,
            previous=surroundings.previous,
            others=surroundings.others,
            seconds=(cohort.end - cohort.key.start) / SECOND,
            repeats=surroundings.repeats,
            volume=surroundings.volume,
        )

    def _measure(self, cohort: Cohort, evidence: Evidence, stage: Stage, revision: int) -> Iterator[Measurement]:
        for spec, reading in measure(evidence, stage, self.signals):
            metric = reading.attributes.get("metric")
            if metric is None or not self.metrics or metric in self.metrics:
                yield self._judge(cohort, spec, reading, revision)

    def _judge(self, cohort: Cohort, spec: MetricSpec, reading: Reading, revision: int) -> Measurement:
        status, threshold = judge(spec, reading)
        segment: Mapping[str, str] = {} if cohort.key.segment == ALL else {"segment": cohort.key.segment}
        return Measurement(
            signal=spec.name,
            value=reading.value,
            unit=spec.unit,
            model=self.model,
            model_version=cohort.key.version,
            environment=self.environment,
            window_start=format_time(cohort.key.start),
            window_end=format_time(cohort.end),
            attributes={**reading.attributes, **segment},
            samples=reading.samples,
            reference_samples=reading.reference_samples,
            lower=reading.lower,
            upper=reading.upper,
            status=status,
            threshold=threshold,
            evidence={**self._open_evidence(reading), **self.groups.told(reading.attributes.get("feature"))},
            revision=revision,
            reference_hash=self._reference_hash(cohort, reading.attributes.get("comparison")),
        )

    def _open_evidence(self, reading: Reading) -> Mapping[str, float | str]:
        if reading.attributes.get("feature") not in self.sensitive:
            return reading.evidence
        return {name: value for name, value in reading.evidence.items() if not isinstance(value, str)}

    def _reference_hash(self, cohort: Cohort, comparison: str | None) -> str | None:
        references = {
            Comparison.OPERATING.value: self.references.operating,
            Comparison.TRAINING.value: self.references.training.get(cohort.key.version),
        }
        reference = references.get(comparison or "")
        return None if reference is None else reference.hash


def digest(measurements: tuple[Measurement, ...]) -> str:
    """Return a name for what the measurements say, whatever their revision."""
    plain = [msgspec.structs.replace(one, revision=0) for one in measurements]
    return content_hash(msgspec.json.encode(plain, order="deterministic"))
