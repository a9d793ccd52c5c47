"""What a window costs by what it did not serve: known as it closes, without any label."""

from collections.abc import Iterator
from typing import Final

from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic
from mlvitals.signals.traffic import is_outage

_HOUR: Final = 3_600.0


def _downtime(evidence: Evidence) -> Iterator[Reading]:
    terms, current = evidence.costs, evidence.current
    if terms is None or not (terms.failed_request or terms.silent_hour):
        return
    asked = current.predictions + current.errors
    if not asked and not evidence.silence:  # what nobody asks a version for, another serves
        return
    told = {"failed_requests": current.errors * terms.failed_request}
    if terms.silent_hour and evidence.seconds:
        hours = _silent_hours(evidence)
        if hours is None:
            return
        told |= {"silence": hours * terms.silent_hour, "hours": hours}
    yield Reading(
        value=told["failed_requests"] + told.get("silence", 0.0),
        samples=asked,
        attributes={"currency": terms.currency},
        evidence=told,
    )


def _silent_hours(evidence: Evidence) -> float | None:
    """Return a version's share of the hours in which nobody served; None where it is not known what is usual."""
    if not evidence.silence:
        return 0.0
    if evidence.volume is None:
        return None
    return evidence.silence * evidence.seconds / _HOUR if is_outage(evidence.volume, 0) else 0.0


COST_DOWNTIME: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.cost.downtime",
        unit="{currency}",
        brief="What the window's failed requests cost, and the time in which nothing was served though some is usual.",
        layer=Layer.VALUE,
        stage=Stage.WINDOW,
        orientation=Orientation.LOWER,
        level=Export.STANDARD,
        attributes=("currency",),
    ),
    compute=_downtime,
)
