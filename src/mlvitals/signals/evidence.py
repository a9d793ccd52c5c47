"""How much evidence the budgeted detectors hold, beside the signals that they watch."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic

# The names of detectors, as `decisions.finding.Detector` spells them.
SELFCHECK: Final = "selfcheck"
COVERAGE: Final = "coverage"
COST: Final = "cost"
# What the detector of coverage tells beside its evidence: the share that it has come to expect.
EXPECTED: Final = "expected"
# What that of segments tells: which one has most evidence.
WORST_SEGMENT: Final = "worst_segment"
_SUBJECT: Final = {"feature": "feature", COVERAGE: "maturity", "performance": "maturity", COST: "maturity"}


def _read(evidence: Evidence, detector: str) -> Iterator[Reading]:
    for one in evidence.detectors:
        if one.detector == detector:
            yield Reading(
                value=one.evidence,
                samples=evidence.current.predictions,
                attributes={_SUBJECT[detector]: one.subject} if detector in _SUBJECT else {},
                normal=None,
                verdict=one.status,
                bar=one.bar,
                evidence=one.told,
            )


def _statistic(name: str, detector: str, brief: str, layer: Layer) -> Statistic:
    return Statistic(
        spec=MetricSpec(
            name=name,
            unit="{decade}",
            brief=brief,
            layer=layer,
            stage=Stage.MATURITY if _SUBJECT.get(detector) == "maturity" else Stage.WINDOW,
            orientation=Orientation.LOWER,
            level=Export.FULL if detector == "feature" else Export.STANDARD,
            level_if_moved=Export.LEAN,
            attributes=(_SUBJECT[detector],) if detector in _SUBJECT else (),
        ),
        compute=partial(_read, detector=detector),
    )


PREDICTION_VOLUME_EVIDENCE: Final = _statistic(
    "mlvitals.prediction.volume.evidence",
    "volume",
    "Evidence, as log10, that the volume changed against its season; it pages at its bar.",
    Layer.PIPELINE,
)
REQUEST_ERROR_EVIDENCE: Final = _statistic(
    "mlvitals.request.error.evidence",
    "errors",
    "Evidence, as log10, that the share of failed requests changed; it pages at its bar.",
    Layer.PIPELINE,
)
FEATURE_DRIFT_EVIDENCE: Final = _statistic(
    "mlvitals.feature.drift.evidence",
    "feature",
    "Evidence, as log10 of the running e-detector, that a feature left its tolerance; it pages at its bar.",
    Layer.DATA,
)
FEATURE_JOINT_EVIDENCE: Final = _statistic(
    "mlvitals.feature.joint.evidence",
    "features",
    "Evidence, as log10, that a model's features moved together, each a little; it pages at its bar.",
    Layer.DATA,
)
PREDICTION_DRIFT_EVIDENCE: Final = _statistic(
    "mlvitals.prediction.drift.evidence",
    "prediction",
    "Evidence, as log10, that the distribution of what a version predicts changed; it pages at its bar.",
    Layer.MODEL,
)
SEGMENT_EVIDENCE: Final = _statistic(
    "mlvitals.segment.evidence",
    "segment",
    "Most evidence, as log10, that what a version predicts in one declared segment changed; it pages at its bar.",
    Layer.MODEL,
)
LABEL_COVERAGE_EVIDENCE: Final = _statistic(
    "mlvitals.label.coverage.evidence",
    COVERAGE,
    "Evidence, as log10, that the share of predictions labelled by a maturity changed; it pages at its bar.",
    Layer.LABEL,
)
PERFORMANCE_EVIDENCE: Final = _statistic(
    "mlvitals.performance.evidence",
    "performance",
    "Evidence, as log10, that performance at a maturity changed; it pages at its bar.",
    Layer.MODEL,
)
COST_EVIDENCE: Final = _statistic(
    "mlvitals.cost.evidence",
    COST,
    "Evidence, as log10, that what known mistakes cost at a maturity changed; it pages at its bar.",
    Layer.VALUE,
)

# By the name of a detector, the signal in which its evidence is told.
SIGNAL_OF_DETECTOR: Final[Mapping[str, str]] = {
    "volume": PREDICTION_VOLUME_EVIDENCE.spec.name,
    "errors": REQUEST_ERROR_EVIDENCE.spec.name,
    "feature": FEATURE_DRIFT_EVIDENCE.spec.name,
    "features": FEATURE_JOINT_EVIDENCE.spec.name,
    "prediction": PREDICTION_DRIFT_EVIDENCE.spec.name,
    "segment": SEGMENT_EVIDENCE.spec.name,
    COVERAGE: LABEL_COVERAGE_EVIDENCE.spec.name,
    "performance": PERFORMANCE_EVIDENCE.spec.name,
    COST: COST_EVIDENCE.spec.name,
}


def _read_selfcheck(evidence: Evidence) -> Iterator[Reading]:
    for one in evidence.detectors:
        if one.detector == SELFCHECK:
            rows = 0 if evidence.reference is None else evidence.reference.predictions
            yield Reading(value=one.evidence, samples=rows, normal=None, verdict=one.status, evidence=one.told)


DECISION_SELFCHECK: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.decision.selfcheck",
        unit="{decade}",
        brief="Most evidence ÷ bar, as log10, over the reference itself, each stretch judged by what the others teach.",
        layer=Layer.PIPELINE,
        stage=Stage.WINDOW,
        orientation=Orientation.LOWER,
        level=Export.STANDARD,
        level_if_moved=Export.LEAN,
    ),
    compute=_read_selfcheck,
)


def _read_expected(evidence: Evidence) -> Iterator[Reading]:
    for one in evidence.detectors:
        expected = one.told.get(EXPECTED)
        if one.detector == COVERAGE and isinstance(expected, float):
            attributes = {"maturity": one.subject}
            yield Reading(value=expected, samples=evidence.current.predictions, attributes=attributes, normal=None)


LABEL_COVERAGE_EXPECTED: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.label.coverage.expected",
        unit="{share}",
        brief="Share of the cohort's predictions that is usually labelled by the maturity.",
        layer=Layer.LABEL,
        stage=Stage.MATURITY,
        orientation=Orientation.NEITHER,
        level=Export.STANDARD,
        attributes=("maturity",),
    ),
    compute=_read_expected,
)

EVIDENCE: Final = (
    DECISION_SELFCHECK,
    PREDICTION_VOLUME_EVIDENCE,
    REQUEST_ERROR_EVIDENCE,
    FEATURE_DRIFT_EVIDENCE,
    FEATURE_JOINT_EVIDENCE,
    PREDICTION_DRIFT_EVIDENCE,
    SEGMENT_EVIDENCE,
    LABEL_COVERAGE_EVIDENCE,
    PERFORMANCE_EVIDENCE,
    COST_EVIDENCE,
)

# What the detectors of a cohort at a maturity tell: once, since it follows from what was there before.
OF_COHORTS: Final = (LABEL_COVERAGE_EXPECTED, LABEL_COVERAGE_EVIDENCE, PERFORMANCE_EVIDENCE, COST_EVIDENCE)
