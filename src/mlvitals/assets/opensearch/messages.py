"""What a monitor tells, and to what kind of receiver: PagerDuty's Events v2, Slack, Opsgenie, JSON for any other.

A template is rendered for one alert that is new or over. Of the alert itself it knows the key of its bucket; since
when, what it costs and how far stand in the buckets of the search, and every one that is listed fulfils the condition.
Where a search fails, the plugin renders templates without any alert: then nothing is left of them, and nothing is sent.
"""

import json
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from mlvitals.assets.documents import tokens
from mlvitals.assets.monitors import Bar, Monitor, Severity, Silence
from mlvitals.assets.monitors.words import steps
from mlvitals.signals.registry import REGISTRY

ALERTS: Final = "alerts"
VALUE: Final = "value"
SINCE: Final = "since"
COSTS: Final = "costs"

_SEVERITIES: Final = {Severity.PAGE: "critical", Severity.WARN: "warning"}
_PRIORITIES: Final = {Severity.PAGE: "P1", Severity.WARN: "P3"}


class _Phase(StrEnum):
    """What became of an alert, by the section of a template that is rendered for it."""

    NEW = "ctx.newAlerts"
    OVER = "ctx.completedAlerts"


def templates(monitor: Monitor) -> dict[str, str]:
    """Return the message for each kind of receiver."""
    if isinstance(monitor.fires, Silence):
        # Of a query-level trigger: it is repeated while it lasts, and nothing is said when it is over.
        what = monitor.says.replace("{value}", f"more than {monitor.fires.seconds // 60} minutes")
        return {name: tell(monitor, _Phase.NEW, what, "") for name, tell in _RECEIVERS.items()}
    return {
        name: "".join(
            f"{{{{#{phase}}}}}{tell(monitor, phase, '{{bucket_keys}}', '/{{bucket_keys}}')}{{{{/{phase}}}}}"
            for phase in _Phase
        )
        for name, tell in _RECEIVERS.items()
    }


def lists(monitor: Monitor) -> bool:
    """Return whether every bucket of a monitor's search fulfils its condition, so that a message may list them."""
    return isinstance(monitor.fires, Bar) and monitor.fires.lasting == 0


def _pagerduty(monitor: Monitor, phase: _Phase, what: str, key: str) -> str:
    payload = {
        "summary": _summary(monitor, phase, what),
        "source": "mlvitals",
        "severity": _SEVERITIES[monitor.severity],
        "class": monitor.name,
        "custom_details": _details(monitor, phase, what),
    }
    return _text(
        {
            "routing_key": tokens.ROUTING_KEY,
            "event_action": "trigger" if phase is _Phase.NEW else "resolve",
            "dedup_key": f"mlvitals/{monitor.name}{key}",
            "payload": payload,
        }
    )


def _slack(monitor: Monitor, phase: _Phase, what: str, key: str) -> str:
    del key  # a line in a conversation has none
    if phase is _Phase.OVER:
        return f":white_check_mark: {_summary(monitor, phase, what)}"
    named = {"now": "Now", "means": "It means", "do": "Do", "board": "Board", "runbook": "Runbook"}
    told = _details(monitor, phase, what)
    lines = [f":rotating_light: *{monitor.title}*: {what}"]
    return "\n".join([*lines, *(f"{word}: {told[name]}" for name, word in named.items() if told.get(name))])


def _opsgenie(monitor: Monitor, phase: _Phase, what: str, key: str) -> str:
    if phase is _Phase.OVER:
        return ""  # it is closed at an address of its own
    return _text(
        {
            "message": _summary(monitor, phase, what),
            "alias": f"mlvitals/{monitor.name}{key}",
            "priority": _PRIORITIES[monitor.severity],
            "source": "mlvitals",
            "details": _details(monitor, phase, what),
        }
    )


def _webhook(monitor: Monitor, phase: _Phase, what: str, key: str) -> str:
    return _text(
        {
            "monitor": monitor.name,
            "severity": monitor.severity.value,
            "state": "new" if phase is _Phase.NEW else "over",
            "key": f"mlvitals/{monitor.name}{key}",
            "summary": _summary(monitor, phase, what),
            "period_end": "{{ctx.periodEnd}}",
            **_details(monitor, phase, what),
        }
    )


_RECEIVERS: Final[dict[str, Callable[[Monitor, _Phase, str, str], str]]] = {
    "pagerduty": _pagerduty,
    "slack": _slack,
    "opsgenie": _opsgenie,
    "webhook": _webhook,
}
RECEIVERS: Final = tuple(_RECEIVERS)


def _summary(monitor: Monitor, phase: _Phase, what: str) -> str:
    return f"{'Over: ' if phase is _Phase.OVER else ''}{monitor.title}: {what}"


def _details(monitor: Monitor, phase: _Phase, what: str) -> dict[str, str]:
    told = {"what": what, "runbook": f"{tokens.RUNBOOK}#{monitor.name}", "board": tokens.BOARD}
    if phase is _Phase.OVER:
        return told
    return {**told, "now": _listed(monitor), "means": monitor.means, "do": steps(monitor, " ")}


def _listed(monitor: Monitor) -> str:
    """Return the template of what holds now, a line for each bucket; nothing where buckets hold that do not fulfil."""
    if not lists(monitor):
        return ""
    unit = REGISTRY[monitor.query.metric].unit
    # What is counted stands in the sentence.
    shown = f"{{{{{VALUE}.value}}}}" + ("" if unit == "1" or unit.startswith("{") else f" {unit}")
    # Where a model has no price, nothing stands in the place of the cost, nor what leads to it.
    says = monitor.says.replace(f"; {{{COSTS}}}", f"{{{{#{COSTS}.buckets}}}}; {{{{key}}}}{{{{/{COSTS}.buckets}}}}")
    own = {VALUE: shown}
    line = re.sub(r"(?<!\{)\{(\w+)\}", lambda match: own.get(match[1], f"{{{{key.{match[1]}}}}}"), says)
    if monitor.tells_since:
        line += f" (since {{{{{SINCE}.value_as_string}}}})"
    buckets = f"ctx.results.0.aggregations.{ALERTS}.buckets"
    return f"{{{{#{buckets}}}}}{line}. {{{{/{buckets}}}}}"


def _text(told: object) -> str:
    return json.dumps(told, ensure_ascii=False)
