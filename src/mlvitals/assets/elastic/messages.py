"""What a rule tells, and to what kind of connector: PagerDuty, Slack, any address, or an index.

A message is rendered for one alert when it is new and when it is over. Of an alert that is new a document of its group
is at hand, of one that is over its identifier alone: the values of the group, with commas between.
"""

import json
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

from mlvitals.assets.documents import ECS, tokens
from mlvitals.assets.monitors import Monitor, Severity, Silence
from mlvitals.assets.monitors.words import heading, steps
from mlvitals.signals.registry import REGISTRY

_SEVERITIES: Final = {Severity.PAGE: "critical", Severity.WARN: "warning"}
_ONCE: Final = {"summary": False, "notify_when": "onActionGroupChange", "throttle": None}
# Kibana tries a message a few times and then never again. By its key PagerDuty knows what it has heard before.
_AGAIN: Final = {"summary": False, "notify_when": "onThrottleInterval", "throttle": "1h"}


class Phase(StrEnum):
    """What became of an alert, by the group of actions that is run for it."""

    NEW = "query matched"
    OVER = "recovered"


# By the licences that the kinds of connectors need, the least first.
CONNECTORS: Final = {"index": ".index", "pagerduty": ".pagerduty", "slack": ".slack", "webhook": ".webhook"}


def actions(monitor: Monitor, receiver: str) -> list[dict[str, Any]]:
    """Return the actions that tell a receiver, but for the connector, which has a name of its own."""
    repeated = {(Phase.NEW, "pagerduty"): _AGAIN}
    return [
        {
            "group": phase.value,
            "frequency": repeated.get((phase, receiver), _ONCE),
            "params": _RECEIVERS[receiver](monitor, phase),
        }
        for phase in Phase
    ]


def _pagerduty(monitor: Monitor, phase: Phase) -> dict[str, Any]:
    if phase is Phase.OVER:
        return {"eventAction": "resolve", "dedupKey": _key(monitor)}
    return {
        "eventAction": "trigger",
        "dedupKey": _key(monitor),
        "severity": _SEVERITIES[monitor.severity],
        "summary": _summary(monitor, phase),
        "source": "mlvitals",
        "class": monitor.name,
        "customDetails": _details(monitor, phase),
    }


def _slack(monitor: Monitor, phase: Phase) -> dict[str, Any]:
    if phase is Phase.OVER:
        return {"message": f":white_check_mark: {_summary(monitor, phase)}"}
    named = {"means": "It means", "do": "Do", "board": "Board", "runbook": "Runbook"}
    told = _details(monitor, phase)
    lines = [f":rotating_light: {_summary(monitor, phase)}", *(f"{word}: {told[one]}" for one, word in named.items())]
    return {"message": "\n".join(lines)}


def _webhook(monitor: Monitor, phase: Phase) -> dict[str, Any]:
    return {"body": json.dumps(_document(monitor, phase), ensure_ascii=False)}


def _index(monitor: Monitor, phase: Phase) -> dict[str, Any]:
    return {"documents": [{"@timestamp": "{{date}}", **_document(monitor, phase)}]}


_RECEIVERS: Final[dict[str, Callable[[Monitor, Phase], dict[str, Any]]]] = {
    "index": _index,
    "pagerduty": _pagerduty,
    "slack": _slack,
    "webhook": _webhook,
}
RECEIVERS: Final = tuple(_RECEIVERS)


def _document(monitor: Monitor, phase: Phase) -> dict[str, str]:
    return {
        "monitor": monitor.name,
        "severity": monitor.severity.value,
        "state": "new" if phase is Phase.NEW else "over",
        "key": _key(monitor),
        "summary": _summary(monitor, phase),
        **_details(monitor, phase),
    }


def _key(monitor: Monitor) -> str:
    """Return what an incident is known by, the same when it is over."""
    return f"mlvitals/{monitor.name}" + ("" if isinstance(monitor.fires, Silence) else "/{{alert.id}}")


def _summary(monitor: Monitor, phase: Phase) -> str:
    if isinstance(monitor.fires, Silence):
        return f"{'Over: ' if phase is Phase.OVER else ''}{monitor.title}: {heading(monitor, str)}"
    if phase is Phase.OVER:
        return f"Over: {monitor.title}: {{{{alert.id}}}}"
    unit = REGISTRY[monitor.query.metric].unit
    # What is counted stands in the sentence.
    shown = "{{context.value}}" + ("" if unit == "1" or unit.startswith("{") else f" {unit}")
    says = heading(monitor, lambda name: shown if name == "value" else _attribute(name))
    return f"{{{{#context.hits}}}}{_attribute('environment')}: {says}{{{{/context.hits}}}}"


def _details(monitor: Monitor, phase: Phase) -> dict[str, str]:
    told = {"runbook": f"{tokens.RUNBOOK}#{monitor.name}", "board": tokens.BOARD}
    if phase is Phase.OVER:
        return told
    since = {"since": "{{context.value}} s before {{context.date}}"} if monitor.tells_since else {}
    return {**told, **since, "means": monitor.means, "do": steps(monitor, " ")}


def _attribute(short: str) -> str:
    """Return the place of an attribute, of the document that stands for the group."""
    return f"{{{{_source.{ECS.field_of(short)}}}}}"
