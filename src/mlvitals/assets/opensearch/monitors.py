"""Monitors for the Alerting plugin: one alert for each bucket, told when it is new and when it is over.

Bucket-level monitors are the only ones of the plugin that say that something is over. They have no memory: what fired
is over as soon as no point of the lookback is beyond the bar, so the lookback does what `recovery` does elsewhere.
"""

import json
from typing import Any, Final

from mlvitals.assets.documents import SS4O, TIME, tokens
from mlvitals.assets.monitors import Bar, Cadence, Comparator, Monitor, Overdue, Severity, Silence
from mlvitals.assets.opensearch import messages
from mlvitals.telemetry.links import RUNBOOKS
from mlvitals.telemetry.naming import opensearch as naming

_INDICES: Final = f"{naming.metrics_alias(SS4O.schema, tokens.NAMESPACE)}-*"
_LEVELS: Final = {Severity.PAGE: "1", Severity.WARN: "3"}
_EVERY: Final = {Cadence.TELEMETRY: 1, Cadence.WINDOW: 5}  # minutes
_BUCKETS: Final = 100
_AGAIN: Final = 60  # minutes after which a silence that lasts is told again

_ALWAYS_THERE: Final = frozenset({"environment", "model", "detector", "family", "destination"})

# To the second: the time of a document is cut to milliseconds, its value is not.
_ONSET: Final = (
    f"Math.round(doc['{TIME}'].value.toInstant().toEpochMilli() / 1000.0 - doc['{naming.VALUE}'].value) * 1000"
)


def body(monitor: Monitor) -> str:
    """Return a monitor as the plugin takes it, with places for what is not known yet."""
    told = _of_silence(monitor) if isinstance(monitor.fires, Silence) else _of_buckets(monitor)
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def filled(monitor: Monitor) -> str:
    """Return a monitor that may be put as it is: all models, and JSON to the channel of its severity."""
    sent = action(monitor, "webhook", f"mlvitals-{monitor.severity.value}")
    text = json.dumps(json.loads(body(monitor)), ensure_ascii=False)
    text = text.replace(f'"{tokens.ACTIONS}"', json.dumps(sent, ensure_ascii=False))
    values = tokens.defaults(bar=bar(monitor), minutes=minutes(monitor))
    links = {tokens.BOARD: "mlvitals-fleet", tokens.RUNBOOK: RUNBOOKS}
    return json.dumps(json.loads(tokens.fill(text, {**values, **links})), ensure_ascii=False, indent=2) + "\n"


def action(monitor: Monitor, receiver: str, channel: str) -> dict[str, Any]:
    """Return the action that tells a receiver: of buckets when they come and go, of a silence each hour."""
    told: dict[str, Any] = {
        "id": f"mlvitals-{monitor.name}-tell",
        "name": "tell",
        "destination_id": channel,
        "message_template": {"source": messages.templates(monitor)[receiver], "lang": "mustache"},
    }
    if isinstance(monitor.fires, Silence):
        return {**told, "throttle_enabled": True, "throttle": {"value": _AGAIN, "unit": "MINUTES"}}
    # An alert of Opsgenie is closed at an address of its own, which a channel cannot spell.
    comes_and_goes = ["NEW"] if receiver == "opsgenie" else ["NEW", "COMPLETED"]
    scope = {"per_alert": {"actionable_alerts": comes_and_goes}}
    return {**told, "throttle_enabled": False, "action_execution_policy": {"action_execution_scope": scope}}


def bar(monitor: Monitor) -> float:
    """Return what a monitor's value is held against where nobody says otherwise; of a silence its seconds."""
    match monitor.fires:
        case Bar():
            return monitor.fires.value
        case Overdue():
            return float(tokens.defaults(bar=0.0, minutes=1)[tokens.WINDOWS])
        case Silence():
            return float(monitor.fires.seconds)


def overdue(monitor: Monitor) -> bool:
    """Return whether a monitor's bar is the lookback of the models that it is for."""
    return isinstance(monitor.fires, Overdue)


def minutes(monitor: Monitor) -> int:
    """Return how often a monitor runs."""
    return _EVERY[monitor.cadence]


def _of_buckets(monitor: Monitor) -> dict[str, Any]:
    sources = [
        {name: {"terms": {"field": SS4O.field_of(name), **({} if name in _ALWAYS_THERE else {"missing_bucket": True})}}}
        for name in monitor.incident
    ]
    alerts = {"composite": {"size": _BUCKETS, "sources": sources}, "aggregations": _metrics(monitor)}
    kept = [*_recent(monitor), *SS4O.filters(monitor.query), *_beyond(monitor), tokens.ENVIRONMENT, tokens.MUTES]
    kept += [tokens.MODELS] if monitor.per_model else []
    query = {"size": 0, "query": {"bool": {"filter": kept}}, "aggregations": {messages.ALERTS: alerts}}
    condition = {
        "buckets_path": {messages.VALUE: messages.VALUE},
        "parent_bucket_path": messages.ALERTS,
        "script": {"source": f"params.{messages.VALUE} {_comparator(monitor)} {tokens.BAR}", "lang": "painless"},
    }
    return _monitor(monitor, "bucket", query, condition)


def _of_silence(monitor: Monitor) -> dict[str, Any]:
    # How long it must last stands in the place of the bar.
    since = {"range": {TIME: {"gt": f"{{{{period_end}}}}||-{tokens.BAR}s", "format": "epoch_millis"}}}
    kept = [since, *SS4O.filters(monitor.query), tokens.ENVIRONMENT]
    query = {"size": 0, "query": {"bool": {"filter": kept}}}
    condition = {"script": {"source": "ctx.results[0].hits.total.value < 1", "lang": "painless"}}
    return _monitor(monitor, "query", query, condition)


def _monitor(monitor: Monitor, level: str, query: dict[str, Any], condition: dict[str, Any]) -> dict[str, Any]:
    trigger = {
        "id": f"mlvitals-{monitor.name}",
        "name": monitor.name,
        "severity": _LEVELS[monitor.severity],
        "condition": condition,
        "actions": [tokens.ACTIONS],
    }
    return {
        "type": "monitor",
        "name": f"mlvitals: {monitor.title}{tokens.GROUP}",
        "monitor_type": f"{level}_level_monitor",
        "enabled": tokens.ENABLED,
        "schedule": {"period": {"interval": tokens.MINUTES, "unit": "MINUTES"}},
        "inputs": [{"search": {"indices": [_INDICES], "query": query}}],
        "triggers": [{f"{level}_level_trigger": trigger}],
    }


def _metrics(monitor: Monitor) -> dict[str, Any]:
    # What must last has its least value beyond the bar.
    lasting = isinstance(monitor.fires, Bar) and monitor.fires.lasting > 0
    told: dict[str, Any] = {messages.VALUE: {"min" if lasting else "max": {"field": naming.VALUE}}}
    if monitor.tells_since:
        onset = {"script": {"source": _ONSET, "lang": "painless"}, "value_type": "date"}
        told[messages.SINCE] = {"max": {**onset, "format": "strict_date_time_no_millis"}}
        told[messages.COSTS] = {"terms": {"field": SS4O.field_of("costs"), "size": 1}}
    return told


def _recent(monitor: Monitor) -> list[dict[str, Any]]:
    back: object = tokens.RECENT
    if monitor.cadence is Cadence.WINDOW:
        back = tokens.WINDOWS
    elif isinstance(monitor.fires, Bar) and monitor.fires.lasting:
        back = monitor.fires.lasting
    ends = {"gt": f"{{{{period_end}}}}||-{back}s", "lte": "{{period_end}}", "format": "epoch_millis"}
    return [{"range": {TIME: ends}}]


def _beyond(monitor: Monitor) -> list[dict[str, Any]]:
    """Return the filter that leaves only what is beyond the bar, where a message lists what it finds."""
    if not messages.lists(monitor):
        return []
    word = "gt" if _comparator(monitor) == Comparator.ABOVE.value else "gte"
    return [{"range": {naming.VALUE: {word: tokens.BAR}}}]


def _comparator(monitor: Monitor) -> str:
    return monitor.fires.comparator.value if isinstance(monitor.fires, Bar) else Comparator.ABOVE.value
