"""How many features of a model are in alert."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from mlvitals.signals.derived import Derived
from mlvitals.signals.measurement import Measurement
from mlvitals.signals.spec import Export, Layer, MetricSpec, Orientation, Reading, Stage, Status

_NAMED: Final = 20


def _count(measurements: Sequence[Measurement], _: Mapping[str, MetricSpec]) -> Iterator[Reading]:
    judged = [
        one
        for one in measurements
        if "feature" in one.attributes and one.threshold is not None and one.status is not Status.INSUFFICIENT_DATA
    ]
    if not judged:
        return
    moved = sorted({one.attributes["feature"] for one in judged if one.status in {Status.WARNING, Status.ALERT}})
    names = {"names": ", ".join(moved[:_NAMED])} if moved else {}
    yield Reading(
        value=float(len(moved)),
        samples=max(one.samples for one in judged),
        evidence={**names, "features": float(len({one.attributes["feature"] for one in judged}))},
    )


FEATURE_ALERT_COUNT: Final = Derived(
    spec=MetricSpec(
        name="mlvitals.feature.alert.count",
        unit="{feature}",
        brief="Features with a warning or an alert in this window.",
        layer=Layer.DATA,
        stage=Stage.WINDOW,
        orientation=Orientation.LOWER,
        level=Export.LEAN,
    ),
    compute=_count,
)
