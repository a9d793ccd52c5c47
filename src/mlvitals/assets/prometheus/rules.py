"""Alerting rules: one for each monitor, or for each group of models where a monitor looks back over windows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import yaml

from mlvitals.assets.facts import ModelGroup
from mlvitals.assets.monitors import MONITORS, Bar, Monitor, Overdue, Silence
from mlvitals.assets.prometheus.promql import expression, label, silence
from mlvitals.assets.prometheus.words import annotations, attribute, labels
from mlvitals.telemetry.links import RUNBOOKS

EVERY_MODEL: Final = (ModelGroup(),)

_HEADING: Final = (
    "# Rendered by `mlvitals render`: the page budget's own alert, and those that warn. Load it with `rule_files`.\n"
)


def render_rules(groups: Sequence[ModelGroup] = EVERY_MODEL) -> bytes:
    """Return the file of rules for groups of models."""
    document = {
        "groups": [
            {"name": f"mlvitals-{severity}", "rules": list(rules)}
            for severity, rules in (
                ("page", _rules("page", groups)),
                ("warn", _rules("warn", groups)),
            )
        ]
    }
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=1_000)
    return (_HEADING + text).encode()


def alert_name(monitor: Monitor) -> str:
    """Return a monitor's name as Prometheus's users write those of alerts."""
    return "Mlvitals" + "".join(word.capitalize() for word in monitor.name.split("_"))


def _rules(severity: str, groups: Sequence[ModelGroup]) -> Iterator[dict[str, Any]]:
    for monitor in MONITORS:
        if monitor.severity.value == severity:
            yield from (_rule(monitor, group) for group in (groups if monitor.windowed else _every_model(groups)))


def _every_model(groups: Sequence[ModelGroup]) -> Sequence[ModelGroup]:
    """Return one group of every model, for what is told each telemetry interval whatever the windows are."""
    return (ModelGroup(fresh_seconds=max(group.fresh_seconds for group in groups)),)


def _rule(monitor: Monitor, group: ModelGroup) -> dict[str, Any]:
    rule: dict[str, Any] = {"alert": alert_name(monitor), "expr": condition(monitor, group)}
    if isinstance(monitor.fires, Bar) and monitor.fires.lasting:
        rule["for"] = f"{monitor.fires.lasting}s"
    rule["labels"] = {"severity": monitor.severity.value, **labels(monitor), **_group(group)}
    rule["annotations"] = {
        **annotations(monitor, "$value"),
        "board": _board(monitor),
        "runbook_url": f"{RUNBOOKS}#{monitor.name}",
    }
    return rule


def condition(monitor: Monitor, group: ModelGroup) -> str:
    """Return the expression that has a series for everything that fires, and is empty where nothing does."""
    back = f"{group.lookback_seconds}s"
    compared = "!~" if group.apart else "=~"
    matchers = [f'{label("model")}{compared}"{"|".join(map(_literal, group.models))}"'] if group.models else []
    asked = expression(monitor.alerts, lookback=back, fresh=f"{group.fresh_seconds}s", matchers=matchers)
    match monitor.fires:
        case Silence(seconds=seconds):
            return silence(monitor.alerts, f"{max(seconds, group.fresh_seconds)}s")
        case Overdue():
            return f"{asked} > {group.lookback_seconds}"
        case Bar(comparator=comparator, value=value, recovery=recovery):
            fires = f"{asked} {comparator.value} {value:g}"
            if recovery == value:
                return fires
            firing = f'ALERTS{{alertname="{alert_name(monitor)}",alertstate="firing"}}'
            on = ", ".join(map(label, monitor.alerts.by))
            return f"({fires}) or ({asked} {comparator.value} {recovery:g} and on ({on}) {firing})"


def _group(group: ModelGroup) -> Mapping[str, str]:
    """Return what tells the rules of groups apart: whose models they are, and how far they are looked back for."""
    if not group.models:
        return {}
    models = "others" if group.apart else f"{group.lookback_seconds}s"
    return {"group": models} if group.owner is None else {"group": models, "owner": group.owner}


def _board(monitor: Monitor) -> str:
    """Return the path of the board to look at first, below Grafana's address."""
    if monitor.per_model:
        return f"/d/mlvitals-model?var-environment={attribute('environment')}&var-model={attribute('model')}"
    return f"/d/mlvitals-exporter?var-environment={attribute('environment')}"


def _literal(name: str) -> str:
    """Return a model's name as a part of a regular expression in a string of PromQL."""
    return "".join(char if char.isalnum() or char in "-_" else f"\\\\{char}" for char in name)
