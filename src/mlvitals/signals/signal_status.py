"""One number for each family of signals: whether anything in it warns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from mlvitals.signals.derived import Derived
from mlvitals.signals.measurement import Measurement
from mlvitals.signals.spec import Export, Layer, MetricSpec, Orientation, Reading, Stage, Status

STATES: Final = {
    Status.OK: 0.0,
    Status.WARNING: 1.0,
    Status.ALERT: 2.0,
    Status.INSUFFICIENT_DATA: -1.0,
    Status.NO_DATA: -2.0,
}
_BY_WEIGHT: Final = (Status.ALERT, Status.WARNING, Status.OK)


def _states(measurements: Sequence[Measurement], specs: Mapping[str, MetricSpec]) -> Iterator[Reading]:
    served = max((one.samples for one in measurements), default=0)
    for layer in Layer:
        judged = [one for one in measurements if specs[one.signal].layer is layer and one.threshold is not None]
        if not judged and not _can_warn(layer, specs.values()):
            continue
        status = family_status([one.status for one in judged], served=served > 0)
        warned = sorted({one.signal for one in judged if one.status in {Status.WARNING, Status.ALERT}})
        yield Reading(
            value=STATES[status],
            samples=max((one.samples for one in judged), default=served),
            attributes={"family": layer.value},
            verdict=status,
            evidence={"signals": ", ".join(warned)} if warned else {},
        )


def _can_warn(layer: Layer, specs: Iterable[MetricSpec]) -> bool:
    return any(spec.warning is not None and spec.stage is Stage.WINDOW and spec.layer is layer for spec in specs)


def family_status(statuses: Sequence[Status], *, served: bool) -> Status:
    """Return what the verdicts of a family say together: the gravest; where there is none, why.

    Without a verdict it is `insufficient_data` where anything was served, else `no_data`.
    """
    for status in _BY_WEIGHT:
        if status in statuses:
            return status
    return Status.INSUFFICIENT_DATA if served else Status.NO_DATA


SIGNAL_STATUS: Final = Derived(
    spec=MetricSpec(
        name="mlvitals.signal.status",
        unit="{state}",
        brief="State of a family of signals: 0 ok, 1 warning, 2 alert, -1 insufficient data, -2 no data.",
        layer=Layer.PIPELINE,
        stage=Stage.WINDOW,
        orientation=Orientation.NEITHER,
        level=Export.LEAN,
        attributes=("family",),
    ),
    compute=_states,
)
