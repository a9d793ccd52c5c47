"""From a cohort to its measurements: what the statistics read, judged."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from mlvitals.clock import SECOND, format_time
from mlvitals.config import DecisionsConfig
from mlvitals.decisions.episode import Harm
from mlvitals.decisions.thresholds import Judgement, judge
from mlvitals.engines.companions import NOBODY, Companions
from mlvitals.engines.feature_groups import FeatureGroups
from mlvitals.engines.harm import expected_harm, known_harm, outage_harm
from mlvitals.engines.layouts import References
from mlvitals.engines.standings import Standing, series_of
from mlvitals.engines.surroundings import Surroundings
from mlvitals.hashing import content_hash
from mlvitals.signals.catalogue import Catalogue
from mlvitals.signals.comparison import Comparison
from mlvitals.signals.cost import Mistakes, known_mistakes
from mlvitals.signals.cost_terms import CostTerms
from mlvitals.signals.evidence import OF_COHORTS
from mlvitals.signals.measure import derive, measure
from mlvitals.signals.measurement import Measurement
from mlvitals.signals.registry import CATALOGUE
from mlvitals.signals.spec import DetectorState, Evidence, MetricSpec, Reading, Stage, Status
from mlvitals.windows.cohorts import Cohort, CohortKey
from mlvitals.windows.groups import ALL
from mlvitals.windows.summary import Summary

OUTSIDE_BUDGET: Final = "outside of the budget"


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
    signals: what is measured. decisions: says which plain thresholds page. costs: what mistakes cost.
    one_sided: labels are of the positive class alone until the last maturity.
    """

    model: str
    environment: str
    references: References
    metrics: frozenset[str]
    sensitive: frozenset[str] = frozenset()
    groups: FeatureGroups = field(default_factory=lambda: FeatureGroups({}))
    signals: Catalogue = CATALOGUE
    decisions: DecisionsConfig = field(default_factory=DecisionsConfig)
    costs: CostTerms | None = None
    one_sided: bool = False

    def window(
        self,
        cohort: Cohort,
        surroundings: Surroundings,
        detectors: tuple[DetectorState, ...] = (),
        standing: Standing | None = None,
    ) -> tuple[Measurement, ...]:
        """Return what is known as a window closes.

        detectors: how the budgeted ones stand. standing: how the version's series stood against their thresholds in the
        window before; it is brought up to this one.
        """
        tell = self._tell(cohort, 0, {} if standing is None else standing)
        measured = tuple(
            tell(*one) for one in self._measure(self._evidence(cohort, surroundings, detectors), Stage.WINDOW)
        )
        if cohort.key.segment != ALL:
            return measured
        return measured + tuple(tell(*one) for one in derive(measured, self.signals))

    def maturity(
        self, cohort: Cohort, bucket: int, maturity: str, revision: int = 0, companions: Companions = NOBODY
    ) -> tuple[Measurement, ...]:
        """Return what is known of a cohort at the maturity that closes an age bucket, and of who stands beside it.

        It follows from counts alone: a revision must come out the same, whatever was told of others meanwhile.
        """
        reference, training = self._references_of(cohort.key)
        evidence = Evidence(
            current=cohort.summary,
            reference=reference,
            training=training,
            outcome=cohort.summary.outcome(bucket),
            maturity=maturity,
            costs=self.costs,
            segments=companions.segments,
            rival=companions.rival,
            matured=companions.matured,
            final=companions.final,
            conflicts=companions.conflicts,
        )
        tell = self._tell(cohort, revision, {})
        one_sided = self._is_one_sided(cohort, bucket)
        measured = self._measure(evidence, Stage.MATURITY)
        return tuple(tell(spec, reading) for spec, reading in measured if spec.one_sided or not one_sided)

    def expected_harm(self, cohorts: Sequence[Cohort]) -> Harm | None:
        """Return what a window's versions are expected to cost a day, before any label has come.

        Where nobody served it is what that costs.
        """
        if self.costs is None:
            return None
        if not any(cohort.summary.predictions for cohort in cohorts):
            return outage_harm(self.costs)
        return expected_harm(map(self._priced, cohorts))

    def known_harm(self, cohort: Cohort, bucket: int, maturity: str) -> Harm | None:
        """Return what a cohort's mistakes that are known at a maturity cost a day."""
        return known_harm(self._labelled(cohort, bucket, maturity))

    def mistakes(self, cohort: Cohort, bucket: int, maturity: str) -> Mistakes | None:
        """Return what a cohort's mistakes that are known at a maturity cost; None where that has no price yet."""
        if self.costs is None or self._is_one_sided(cohort, bucket):
            return None
        return known_mistakes(self._labelled(cohort, bucket, maturity))

    def _is_one_sided(self, cohort: Cohort, bucket: int) -> bool:
        return self.one_sided and bucket < len(cohort.summary.outcomes) - 1

    def _labelled(self, cohort: Cohort, bucket: int, maturity: str) -> Evidence:
        return replace(self._priced(cohort), outcome=cohort.summary.outcome(bucket), maturity=maturity)

    def _priced(self, cohort: Cohort) -> Evidence:
        reference, training = self._references_of(cohort.key)
        seconds = (cohort.end - cohort.key.start) / SECOND
        return Evidence(
            current=cohort.summary, reference=reference, training=training, seconds=seconds, costs=self.costs
        )

    def decided(self, cohort: Cohort, maturity: str, detectors: tuple[DetectorState, ...]) -> tuple[Measurement, ...]:
        """Return how the detectors of a cohort's maturity stand after it: told once, and never revised."""
        evidence = Evidence(current=cohort.summary, detectors=detectors, maturity=maturity)
        tell = self._tell(cohort, 0, {})
        return tuple(tell(one.spec, reading) for one in OF_COHORTS for reading in one.compute(evidence))

    def _evidence(self, cohort: Cohort, surroundings: Surroundings, detectors: tuple[DetectorState, ...]) -> Evidence:
        reference, training = self._references_of(cohort.key)
        return Evidence(
            current=cohort.summary,
            reference=reference,
            training=training,
            previous=surroundings.previous,
            others=surroundings.others,
            seconds=(cohort.end - cohort.key.start) / SECOND,
            repeats=surroundings.repeats,
            volume=surroundings.volume,
            silence=surroundings.silence,
            detectors=detectors,
            costs=self.costs,
        )

    def _references_of(self, key: CohortKey) -> tuple[Summary | None, Summary | None]:
        """Return normal production, and what a version was trained on: of a segment what both hold of that segment.

        Held against the whole, a segment that is as ever would drift for being a segment.
        """
        operating, training = self.references.operating, self.references.training.get(key.version)
        return (
            None if operating is None else operating.of_segment(key.segment),
            None if training is None else training.of_segment(key.segment),
        )

    def _measure(self, evidence: Evidence, stage: Stage) -> Iterator[tuple[MetricSpec, Reading]]:
        for spec, reading in measure(evidence, stage, self.signals):
            metric = reading.attributes.get("metric")
            if metric is None or not self.metrics or metric in self.metrics:
                yield spec, reading

    def _tell(self, cohort: Cohort, revision: int, standing: Standing) -> Callable[[MetricSpec, Reading], Measurement]:
        """Return what makes a measurement of this cohort of a reading; what all share is made once."""
        version, model, environment = cohort.key.version, self.model, self.environment
        start, end = format_time(cohort.key.start), format_time(cohort.end)
        segment = {} if cohort.key.segment == ALL else {"segment": cohort.key.segment}
        hashes = self._reference_hashes(version)

        def tell(spec: MetricSpec, reading: Reading) -> Measurement:
            attributes = {**reading.attributes, **segment}
            judgement = _judged(spec, reading, standing)
            evidence = self._open_evidence(reading, attributes.get("feature"))
            status = judgement.status
            if judgement.lasts is not None:
                evidence["lasts_to"] = judgement.lasts
            if status is Status.WARNING and self.decisions.pages(model, spec.name, attributes):
                status = Status.ALERT
                evidence["page"] = OUTSIDE_BUDGET
            return Measurement(
                signal=spec.name,
                value=reading.value,
                unit=spec.unit,
                model=model,
                model_version=version,
                environment=environment,
                window_start=start,
                window_end=end,
                attributes=attributes,
                samples=reading.samples,
                reference_samples=reading.reference_samples,
                lower=reading.lower,
                upper=reading.upper,
                status=status,
                threshold=judgement.threshold,
                evidence=evidence,
                revision=revision,
                reference_hash=hashes.get(attributes.get("comparison", "")),
            )

        return tell

    def _open_evidence(self, reading: Reading, feature: str | None) -> dict[str, float | str]:
        evidence = reading.evidence
        if feature in self.sensitive:
            evidence = {name: value for name, value in evidence.items() if not isinstance(value, str)}
        return {**evidence, **self.groups.told(feature)}

    def _reference_hashes(self, version: str) -> Mapping[str, str]:
        references = {
            Comparison.OPERATING.value: self.references.operating,
            Comparison.TRAINING.value: self.references.training.get(version),
        }
        return {name: reference.hash for name, reference in references.items() if reference is not None}


def _judged(spec: MetricSpec, reading: Reading, standing: Standing) -> Judgement:
    """Return what a reading is worth, and note how its series stands now."""
    if not spec.warns:
        return judge(spec, reading)
    series = series_of(spec.name, reading.attributes)
    judgement = judge(spec, reading, standing.pop(series, 0))
    if judgement.standing:
        standing[series] = judgement.standing
    return judgement


def digest(measurements: tuple[Measurement, ...]) -> str:
    """Return a name for what the measurements say, whatever their revision."""
    plain = [msgspec.structs.replace(one, revision=0) for one in measurements]
    return content_hash(msgspec.json.encode(plain, order="deterministic"))
