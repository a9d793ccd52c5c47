"""Monitors as rules of Kibana's type `.es-query`: a search in the query DSL, one alert for each group it finds.

A group is an incident: Kibana remembers it as long as it is found, tells it once when it is new and once when it is not
found any more. As for OpenSearch there is no bar for recovery: the lookback does what `recovery` does elsewhere.
"""

import json
from typing import Any, Final

from mlvitals.assets.documents import ECS, TIME, tokens
from mlvitals.assets.elastic import messages
from mlvitals.assets.monitors import Bar, Cadence, Comparator, Monitor, Overdue, Silence
from mlvitals.telemetry.links import RUNBOOKS
from mlvitals.telemetry.naming import opensearch as naming

TYPE: Final = ".es-query"
CONSUMER: Final = "stackAlerts"
CONNECTOR: Final = "mlvitals-alerts"

_EVERY: Final = {Cadence.TELEMETRY: 1, Cadence.WINDOW: 5}  # minutes
_GROUPS: Final = 1_000  # the most that the type takes
# What comes and goes is decided before it is told here: that an alert changes in 20 runs of 20 is never the case.
FLAPPING: Final = {"look_back_window": 20, "status_change_threshold": 20}


def params(monitor: Monitor) -> dict[str, Any]:
    """Return what the type is told, but for the indices, the search and what a module overrides."""
    told: dict[str, Any] = {
        "searchType": "esQuery",
        "timeField": TIME,
        "timeWindowUnit": "s",
        "size": 1,
        # Of every run the same is asked: what was found before is found again for as long as it is there.
        "excludeHitsFromPreviousRun": False,
    }
    if isinstance(monitor.fires, Silence):
        return {**told, "thresholdComparator": "<", "threshold": [1], "aggType": "count", "groupBy": "all"}
    fields = [ECS.field_of(name) for name in monitor.incident]
    return {
        **told,
        "thresholdComparator": _comparator(monitor),
        # What must last has its least value beyond the bar.
        "aggType": "min" if _lasting(monitor) else "max",
        "aggField": naming.VALUE,
        "groupBy": "top",
        "termField": fields if len(fields) > 1 else fields[0],
        "termSize": _GROUPS,
    }


def back(monitor: Monitor) -> str:
    """Return which time a rule looks back: `recent`, `lookback`, or its own of `seconds`."""
    if isinstance(monitor.fires, Silence) or _lasting(monitor):
        return "seconds"
    return "lookback" if monitor.cadence is Cadence.WINDOW else "recent"


def seconds(monitor: Monitor) -> int:
    """Return how far a rule looks back where nobody says otherwise."""
    if isinstance(monitor.fires, Silence):
        return monitor.fires.seconds
    told = tokens.defaults(bar=0.0, minutes=1)
    where = {"recent": int(told[tokens.RECENT]), "lookback": int(told[tokens.WINDOWS]), "seconds": _lasting(monitor)}
    return where[back(monitor)]


def bar(monitor: Monitor) -> float | None:
    """Return what a rule's value is held against where nobody says otherwise; None for the lookback, or a silence."""
    return monitor.fires.value if isinstance(monitor.fires, Bar) else None


def beyond(monitor: Monitor) -> str | None:
    """Return the word for what a document's value must be to the bar; None where any document counts.

    Only groups that fire are found then, so that no number of others can hide one.
    """
    if isinstance(monitor.fires, Silence) or _lasting(monitor):
        return None
    return "gt" if _comparator(monitor) == Comparator.ABOVE.value else "gte"


def minutes(monitor: Monitor) -> int:
    """Return how often a rule runs."""
    return _EVERY[monitor.cadence]


def filled(monitor: Monitor) -> str:
    """Return a rule that may be put as it is: all models, and its alerts into an index, as every licence allows."""
    held = float(seconds(monitor)) if bar(monitor) is None else bar(monitor)
    if isinstance(monitor.fires, Overdue):
        held = float(tokens.defaults(bar=0.0, minutes=1)[tokens.WINDOWS])
    word = beyond(monitor)
    kept = ECS.filters(monitor.query) + ([{"range": {naming.VALUE: {word: held}}}] if word else [])
    asked = {
        **params(monitor),
        "index": [ECS.metrics],
        "timeWindowSize": seconds(monitor),
        "esQuery": json.dumps({"query": {"bool": {"filter": kept}}}, ensure_ascii=False),
    }
    if not isinstance(monitor.fires, Silence):
        asked["threshold"] = [held]
    told = {
        "name": f"mlvitals: {monitor.title}",
        "rule_type_id": TYPE,
        "consumer": CONSUMER,
        "enabled": True,
        "schedule": {"interval": f"{minutes(monitor)}m"},
        "tags": tags(monitor),
        "params": asked,
        "alert_delay": {"active": 1},
        "flapping": FLAPPING,
        "actions": [{"id": CONNECTOR, **one} for one in messages.actions(monitor, "index")],
    }
    text = json.dumps(told, ensure_ascii=False, indent=2)
    for place, value in {tokens.BOARD: "mlvitals-fleet", tokens.RUNBOOK: RUNBOOKS}.items():
        text = text.replace(place, value)
    return text + "\n"


def tags(monitor: Monitor) -> list[str]:
    """Return what rules are found by in Kibana."""
    return ["mlvitals", f"monitor:{monitor.name}", f"severity:{monitor.severity.value}"]


def _lasting(monitor: Monitor) -> int:
    return monitor.fires.lasting if isinstance(monitor.fires, Bar) else 0


def _comparator(monitor: Monitor) -> str:
    return monitor.fires.comparator.value if isinstance(monitor.fires, Bar) else Comparator.ABOVE.value
