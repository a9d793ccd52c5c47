"""Whether features moved: against normal production (drift) and against what the version learned on (skew)."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from mlvitals.signals.column import read_distance, read_location, read_stability
from mlvitals.signals.comparison import DRIFT_ROWS, LOCATION_WARNING, PSI_WARNING, Comparison
from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic


def _location(evidence: Evidence, comparison: Comparison) -> Iterator[Reading]:
    reference = comparison.features(evidence)
    if reference is None:
        return
    for feature in evidence.current.layout.features:
        attributes = {"feature": feature.name, "comparison": comparison.value}
        yield from read_location(evidence.current.feature(feature), reference.feature(feature), attributes)


def _score(evidence: Evidence, comparison: Comparison) -> Iterator[Reading]:
    reference = comparison.features(evidence)
    if reference is None:
        return
    for feature in evidence.current.layout.features:
        attributes = {"feature": feature.name, "comparison": comparison.value}
        columns = evidence.current.feature(feature), reference.feature(feature)
        yield from read_stability(*columns, attributes)
        yield from read_distance(*columns, attributes)


def _location_statistic(name: str, brief: str, level: Export, comparison: Comparison) -> Statistic:
    return Statistic(
        spec=MetricSpec(
            name=name,
            unit="{sd}",
            brief=brief,
            layer=Layer.DATA,
            stage=Stage.WINDOW,
            orientation=Orientation.NEITHER,
            level=level,
            attributes=("feature", "comparison"),
            minimum_samples=DRIFT_ROWS,
            warning=LOCATION_WARNING,
        ),
        compute=partial(_location, comparison=comparison),
    )


def _score_statistic(name: str, brief: str, comparison: Comparison) -> Statistic:
    return Statistic(
        spec=MetricSpec(
            name=name,
            unit="{score}",
            brief=brief,
            layer=Layer.DATA,
            stage=Stage.WINDOW,
            orientation=Orientation.LOWER,
            level=Export.FULL,
            attributes=("feature", "method", "comparison"),
            minimum_samples=DRIFT_ROWS,
            warning=PSI_WARNING,
            warning_method="psi",
        ),
        compute=partial(_score, comparison=comparison),
    )


FEATURE_DRIFT_LOCATION: Final = _location_statistic(
    "mlvitals.feature.drift.location",
    "How far a numeric feature moved from normal production, in standard deviations of its ranks.",
    Export.LEAN,
    Comparison.OPERATING,
)
FEATURE_DRIFT_SCORE: Final = _score_statistic(
    "mlvitals.feature.drift.score",
    "How much a feature's distribution differs from normal production: debiased PSI, KS distance.",
    Comparison.OPERATING,
)
# Where one reference serves both comparisons its location would be told twice at level lean.
FEATURE_SKEW_LOCATION: Final = _location_statistic(
    "mlvitals.feature.skew.location",
    "How far a numeric feature is from what the version learned on, in standard deviations of its ranks.",
    Export.STANDARD,
    Comparison.TRAINING,
)
FEATURE_SKEW_SCORE: Final = _score_statistic(
    "mlvitals.feature.skew.score",
    "How much a feature's distribution differs from what the version learned on: debiased PSI, KS distance.",
    Comparison.TRAINING,
)
