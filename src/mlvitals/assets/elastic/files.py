"""Everything for Elasticsearch and Kibana as files: to import by hand, and for the Terraform module."""

import json
from typing import Any, Final

from mlvitals.assets.documents import ECS
from mlvitals.assets.elastic import install, messages, rules
from mlvitals.assets.elastic.objects import saved_objects
from mlvitals.assets.monitors import MONITORS, Monitor, Overdue

_DASHBOARDS: Final = "dashboards/elastic"
_MONITORS: Final = "monitors/elastic"
_MODULE: Final = "terraform/elastic/assets"


def render() -> dict[str, bytes]:
    """Return the files by their paths from the root of the project."""
    lines = "".join(json.dumps(one.line(), ensure_ascii=False) + "\n" for one in saved_objects())
    files: dict[str, str] = {f"{folder}/mlvitals.ndjson": lines for folder in (_DASHBOARDS, _MODULE)}
    for monitor in MONITORS:
        files[f"{_MONITORS}/{monitor.name}.json"] = rules.filled(monitor)
    files[f"{_MODULE}/rules.json"] = _json({monitor.name: _entry(monitor) for monitor in MONITORS})
    files[f"{_MODULE}/templates.json"] = _json(install.templates())
    files[f"{_MODULE}/roles.json"] = _json(install.roles())
    return {path: text.encode() for path, text in files.items()}


def _entry(monitor: Monitor) -> dict[str, Any]:
    """Return what the module makes rules of: for whom, how far back, against which bar, asked and told how."""
    return {
        "title": monitor.title,
        "severity": monitor.severity.value,
        "per_model": monitor.per_model,
        "overdue": isinstance(monitor.fires, Overdue),
        "bar": rules.bar(monitor),
        "back": rules.back(monitor),
        "seconds": rules.seconds(monitor),
        "minutes": rules.minutes(monitor),
        "tags": rules.tags(monitor),
        "filters": ECS.filters(monitor.query),
        "beyond": rules.beyond(monitor),
        "params": rules.params(monitor),
        "actions": {receiver: messages.actions(monitor, receiver) for receiver in messages.RECEIVERS},
    }


def _json(told: Any) -> str:
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"
