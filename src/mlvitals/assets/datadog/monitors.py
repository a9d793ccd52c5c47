"""Monitors as Datadog's query alerts: an alert for each group, told when it begins and when it is over.

A window looks back for points that come once a window of the model, and its greatest value counts: what fired is over
once no point of it is beyond the bar. What has no points is well, but for the heartbeat.
"""

import json
import math
from typing import Any, Final

from mlvitals.assets.datadog import messages
from mlvitals.assets.datadog.query import filters, selector
from mlvitals.assets.facts import FRESH
from mlvitals.assets.monitors import LOOKBACK, Bar, Cadence, Monitor, Overdue, Severity, Silence
from mlvitals.telemetry.links import RUNBOOKS

# Places of a query that are filled when a monitor is made; the last stands for all filters, joined by `AND`.
MINUTES: Final = "@minutes@"
BAR: Final = "@bar@"
FILTERS: Final = "@filters@"

LONGEST: Final = 10_080  # minutes that a metric monitor may look back

_TYPE: Final = "query alert"
_PRIORITIES: Final = {Severity.PAGE: 1, Severity.WARN: 3}
_LISTS: Final = "/dashboard/lists?q=Model%20vitals"


def entry(monitor: Monitor) -> dict[str, Any]:
    """Return what the Terraform module must know of a monitor, with places for what a team decides.

    bar: None where it is the lookback. recovery: None where it is over at the bar. lasting_seconds: for how long it
    must be there; silent_seconds: of a silence. windowed: whether it looks back for as long as the models' lookback.
    """
    fires = monitor.fires
    told = fires if isinstance(fires, Bar) else None
    return {
        "title": monitor.title,
        "severity": monitor.severity.value,
        "per_model": monitor.per_model,
        "windowed": monitor.cadence is Cadence.WINDOW,
        "board": "model" if monitor.per_model else "exporter",
        "name": f"mlvitals: {monitor.title}",
        "type": _TYPE,
        "query": _query(monitor),
        "filters": filters(monitor.query),
        "bar": _bar(monitor),
        "recovery": None if told is None or told.recovery == told.value else told.recovery,
        "lasting_seconds": 0 if told is None else told.lasting,
        "silent_seconds": fires.seconds if isinstance(fires, Silence) else None,
        "message": messages.message(monitor),
        "options": _options(monitor),
        "tags": ["integration:mlvitals", f"mlvitals_monitor:{monitor.name}", f"severity:{monitor.severity.value}"],
        "priority": _PRIORITIES[monitor.severity],
    }


def filled(monitor: Monitor) -> dict[str, Any]:
    """Return a monitor that may be posted as it is: every environment and model, and nobody told."""
    told = entry(monitor)
    bar = LOOKBACK if told["bar"] is None else told["bar"]
    query = told["query"].replace(FILTERS, " AND ".join(told["filters"]) or "*")
    query = query.replace(MINUTES, str(minutes(monitor))).replace(BAR, f"{bar:g}")
    thresholds = {"critical": bar} | ({} if told["recovery"] is None else {"critical_recovery": told["recovery"]})
    return {
        "name": told["name"],
        "type": told["type"],
        "query": query,
        "message": messages.fill(told["message"], board=_LISTS, runbook=RUNBOOKS, notify=""),
        "tags": told["tags"],
        "priority": told["priority"],
        "options": {**told["options"], "thresholds": thresholds},
    }


def minutes(monitor: Monitor) -> int:
    """Return how far back a monitor looks where nobody says otherwise."""
    match monitor:
        case Monitor(fires=Silence(seconds=seconds)):
            back = max(seconds, FRESH)
        case Monitor(cadence=Cadence.WINDOW):
            back = LOOKBACK
        case Monitor(fires=Bar(lasting=lasting)):
            back = max(lasting, FRESH)
        case _:
            back = FRESH
    return min(math.ceil(back / 60), LONGEST)


def _query(monitor: Monitor) -> str:
    """Return the query with its places: over all of the time that a bar must last, else wherever it was reached."""
    match monitor.fires:
        case Silence():
            over, compared = "max", "<"  # no value of it ever fires, only that there is none
        case Overdue():
            over, compared = "max", ">"
        case Bar(comparator=comparator, lasting=lasting):
            over, compared = "min" if lasting else "max", comparator.value
    asked = selector(monitor.query, FILTERS, by=("environment",))
    return f"{over}(last_{MINUTES}m):{asked} {compared} {BAR}"


def _bar(monitor: Monitor) -> float | None:
    match monitor.fires:
        case Bar(value=value):
            return value
        case Silence():
            return 0.0
        case Overdue():
            return None


def _options(monitor: Monitor) -> dict[str, Any]:
    silence = isinstance(monitor.fires, Silence)
    return {
        "include_tags": True,
        "notify_audit": False,
        "require_full_window": False,
        "new_group_delay": 0,  # an incident is a group of its own, and tells at once
        "on_missing_data": "show_and_notify_no_data" if silence else "resolve",
        "renotify_interval": 60 if silence else 0,
        **({"renotify_statuses": ["no data"]} if silence else {}),
    }


def as_text(document: Any) -> str:
    """Return a document as it is committed."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
