"""The feature of a model that moved most."""

from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from typing import Final, NamedTuple

from mlvitals.signals.comparison import DRIFT, DRIFT_ROWS, LOCATION_WARNING, READ_ONLY_LEVELS, Comparison
from mlvitals.signals.derived import Derived
from mlvitals.signals.feature_drift import FEATURE_DRIFT_LOCATION, FEATURE_DRIFT_SHAPE
from mlvitals.signals.measurement import Measurement
from mlvitals.signals.spec import Export, Layer, MetricSpec, Orientation, Reading, Stage


class _Effect(NamedTuple):
    size: float
    noise: float
    measurement: Measurement


def _worst(measurements: Sequence[Measurement], _: Mapping[str, MetricSpec]) -> Iterator[Reading]:
    for comparison in DRIFT:
        name = comparison.value
        effects = list(_effects([one for one in measurements if one.attributes.get("comparison") == name]))
        enough = [effect for effect in effects if _samples(effect.measurement) >= DRIFT_ROWS]
        if not effects:
            continue
        worst = max(enough or effects, key=lambda effect: effect.size)
        yield Reading(
            value=worst.size,
            samples=worst.measurement.samples,
            attributes={"comparison": comparison.value},
            reference_samples=worst.measurement.reference_samples,
            noise=worst.noise,
            evidence={
                "feature": worst.measurement.attributes["feature"],
                "features": float(len(enough or effects)),
                "noise": worst.noise,
            },
        )


def _effects(measurements: Sequence[Measurement]) -> Iterator[_Effect]:
    """Yield each feature's effect in standard deviations: |location|, or √ω² where there is no location.

    Of all scores that its categories could be given, with variance 1 under the pooled shares p̄, the best apart moves by
    √(Σ (q - p)² ÷ p̄) standard deviations (Cauchy and Schwarz): √ω² is that shift, freed of its bias.
    """
    located = set()
    for one in measurements:
        if one.signal == FEATURE_DRIFT_LOCATION.spec.name and one.value is not None:
            located.add(one.attributes["feature"])
            yield _Effect(abs(one.value), _noise(one), one)
    for one in measurements:
        if one.signal != FEATURE_DRIFT_SHAPE.spec.name or one.value is None:
            continue
        if one.attributes["feature"] not in located:
            # Three of these are the root of three standard errors of ω², as verdicts take three.
            yield _Effect(sqrt(max(0.0, one.value)), sqrt(_noise(one) / 3), one)


def _noise(measurement: Measurement) -> float:
    noise = measurement.evidence["noise"]
    return noise if isinstance(noise, float) else 0.0


def _samples(measurement: Measurement) -> int:
    return min(measurement.samples, measurement.reference_samples or 0)


FEATURE_DRIFT_WORST: Final = Derived(
    spec=MetricSpec(
        name="mlvitals.feature.drift.worst",
        unit="{sd}",
        brief="The largest shift of a feature, whichever way: the location of a number, √ω² of a category.",
        layer=Layer.DATA,
        stage=Stage.WINDOW,
        orientation=Orientation.LOWER,
        level=Export.LEAN,
        levels=READ_ONLY_LEVELS,
        attributes=("comparison",),
        minimum_samples=DRIFT_ROWS,
        warning=LOCATION_WARNING,
        warning_where={"comparison": Comparison.OPERATING.value},
    ),
    compute=_worst,
)
