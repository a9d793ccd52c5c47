"""The self-check of a reference: made once as it is built, kept in its provenance, told with every window."""

from dataclasses import replace
from typing import Final

import msgspec

from mlvitals.config import DecisionsConfig
from mlvitals.decisions.allocation import ModelDemand, allocate
from mlvitals.decisions.ensemble import Rule
from mlvitals.decisions.selfcheck import SelfCheck, check_itself
from mlvitals.signals.evidence import SELFCHECK
from mlvitals.signals.spec import DetectorState, Status
from mlvitals.windows.reference import Reference
from mlvitals.windows.window import WindowSize

PROVENANCE: Final = "self-check"


def with_selfcheck(reference: Reference) -> Reference:
    """Return a reference with what its self-check found, as it is where it is too short for one.

    It is made under the default budget, the model's own: so that it follows from the reference alone, and says the same
    wherever that is used.
    """
    config, size = DecisionsConfig(), WindowSize.parse(reference.window)
    demand = ModelDemand(
        name=reference.model,
        weight=1.0,
        windows_per_week=float(size.per_week),
        features=[feature.name for feature in reference.layout.features],
        versions=1,
    )
    shares = allocate(config.pages_per_week, config.weights.by_name, [demand])[reference.model]
    rule = Rule(size=size, tolerance=config.tolerance, min_effect=config.min_effect)
    found = check_itself(reference, shares, rule)
    if found is None:
        return reference
    kept = msgspec.json.encode(found, order="deterministic").decode()
    return replace(reference, provenance={**reference.provenance, PROVENANCE: kept})


def selfcheck_of(reference: Reference) -> SelfCheck | None:
    """Return what a reference's self-check found; None where it was too short, or built before there was one."""
    kept = reference.provenance.get(PROVENANCE)
    return None if kept is None else msgspec.json.decode(kept, type=SelfCheck)


def selfcheck_state(reference: Reference) -> tuple[DetectorState, ...]:
    """Return what is told with every window of a reference's self-check, nothing where it has none."""
    found = selfcheck_of(reference)
    if found is None:
        return ()
    lower, upper = found.interval
    told: dict[str, float | str] = {
        "weeks": round(found.weeks, 1),
        "alarms": found.alarms,
        "promised": found.promised,
        "weekly_at_least": lower,
        "weekly_at_most": upper,
        "detector": found.worst,
    }
    status = Status.WARNING if found.refuted else Status.OK
    return (DetectorState(SELFCHECK, "", found.detectors[found.worst].excess, 0.0, status, told),)
