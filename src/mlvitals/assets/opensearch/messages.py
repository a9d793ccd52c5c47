"""What a monitor tells, and to what kind of receiver: PagerDuty's Events v2, Slack, or JSON for any other.

A template is rendered for one alert that is new or over. Of the alert itself it knows the key of its bucket; since
when, what it costs and how far stand in the buckets of the search, and every one that is listed fulfils the condition.
"""

import json
import re
from typing import Final

from mlvitals.assets.monitors import Bar, Monitor, Severity, Silence
from mlvitals.assets.opensearch import tokens
from mlvitals.signals.registry import REGISTRY

ALERTS: Final = "alerts"
VALUE: Final = "value"
SINCE: Final = "since"
COSTS: Final = "costs"

RECEIVERS: Final = ("pagerduty", "slack", "webhook")

_PAGE_AGE: Final = "mlvitals.decision.page.age"
_SEVERITIES: Final = {Severity.PAGE: "critical", Severity.WARN: "warning"}
_NEW: Final = "ctx.newAlerts"
_OVER: Final = "ctx.completedAlerts"


def templates(monitor: Monitor) -> dict[str, str]:
    """Return the message for each kind of receiver."""
    if isinstance(monitor.fires, Silence):
        return _of_silence(monitor, monitor.fires)
    what = _both("{{bucket_keys}}", "{{bucket_keys}}")
    told = {"what": what, "now": _listed(monitor), **_help(monitor)}
    summary = _both("", "Over: ") + f"{monitor.title}: {what}"
    return {
        "pagerduty": _text(
            {
                "routing_key": tokens.ROUTING_KEY,
                "event_action": _both("trigger", "resolve"),
                "dedup_key": f"mlvitals/{monitor.name}/{what}",
                "payload": _payload(monitor, summary, told),
            }
        ),
        "slack": _both(":rotating_light: ", ":white_check_mark: Over: ")
        + f"*{monitor.title}*: {what}\n{_only_new(_in_lines(told))}",
        "webhook": _text(
            {
                "monitor": monitor.name,
                "severity": monitor.severity.value,
                "state": _both("new", "over"),
                "summary": summary,
                "period_end": "{{ctx.periodEnd}}",
                **told,
            }
        ),
    }


def lists(monitor: Monitor) -> bool:
    """Return whether every bucket of a monitor's search fulfils its condition, so that a message may list them."""
    return isinstance(monitor.fires, Bar) and monitor.fires.lasting == 0


def tells_since(monitor: Monitor) -> bool:
    """Return whether a monitor's value is the time since an onset."""
    return monitor.query.metric == _PAGE_AGE


def _of_silence(monitor: Monitor, fires: Silence) -> dict[str, str]:
    """Return messages of a query-level trigger: it repeats while it lasts, and says nothing when it is over."""
    says = monitor.says.replace("{value}", f"more than {fires.seconds // 60} minutes")
    told = {"what": says, **_help(monitor)}
    return {
        "pagerduty": _text(
            {
                "routing_key": tokens.ROUTING_KEY,
                "event_action": "trigger",
                "dedup_key": f"mlvitals/{monitor.name}{tokens.GROUP}",
                "payload": _payload(monitor, f"{monitor.title}: {says}", told),
            }
        ),
        "slack": f":rotating_light: *{monitor.title}*\n{_in_lines(told)}",
        "webhook": _text(
            {
                "monitor": monitor.name,
                "severity": monitor.severity.value,
                "state": "new",
                "summary": f"{monitor.title}: {says}",
                "period_end": "{{ctx.periodEnd}}",
                **told,
            }
        ),
    }


def _payload(monitor: Monitor, summary: str, told: dict[str, str]) -> dict[str, object]:
    return {
        "summary": summary,
        "source": "mlvitals",
        "severity": _SEVERITIES[monitor.severity],
        "class": monitor.name,
        "custom_details": told,
    }


def _help(monitor: Monitor) -> dict[str, str]:
    return {
        "means": monitor.means,
        "do": " ".join(f"{turn}. {step}" for turn, step in enumerate(monitor.do, 1)),
        "board": tokens.BOARD,
        "runbook": f"{tokens.RUNBOOK}#{monitor.name}",
    }


def _listed(monitor: Monitor) -> str:
    """Return the template of what holds now, a line for each bucket; nothing where buckets hold that do not fulfil."""
    if not lists(monitor):
        return ""
    unit = REGISTRY[monitor.query.metric].unit.strip("{}")
    shown = f"{{{{{VALUE}.value}}}}" + ("" if unit == "1" else f" {unit}")
    costs = f"{{{{#{COSTS}.buckets}}}}{{{{key}}}}{{{{/{COSTS}.buckets}}}}"
    own = {VALUE: shown, COSTS: costs}
    line = re.sub(r"\{(\w+)\}", lambda match: own.get(match[1], f"{{{{key.{match[1]}}}}}"), monitor.says)
    if tells_since(monitor):
        line += f" (since {{{{{SINCE}.value_as_string}}}})"
    buckets = f"ctx.results.0.aggregations.{ALERTS}.buckets"
    return f"{{{{#{buckets}}}}}{line}. {{{{/{buckets}}}}}"


def _both(new: str, over: str) -> str:
    return f"{{{{#{_NEW}}}}}{new}{{{{/{_NEW}}}}}{{{{#{_OVER}}}}}{over}{{{{/{_OVER}}}}}"


def _only_new(text: str) -> str:
    return f"{{{{#{_NEW}}}}}{text}{{{{/{_NEW}}}}}"


def _in_lines(told: dict[str, str]) -> str:
    named = {"now": "Now", "means": "It means", "do": "Do", "board": "Board", "runbook": "Runbook"}
    return "\n".join(f"{word}: {told[name]}" for name, word in named.items() if told.get(name))


def _text(told: object) -> str:
    return json.dumps(told, ensure_ascii=False)
