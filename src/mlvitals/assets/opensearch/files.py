"""Everything for OpenSearch as files: to import by hand, and for the Terraform module."""

import json
from typing import Any, Final

from mlvitals.assets.monitors import MONITORS, Monitor
from mlvitals.assets.opensearch import install, messages, monitors
from mlvitals.assets.opensearch.objects import saved_objects

_DASHBOARDS: Final = "dashboards/opensearch"
_MONITORS: Final = "monitors/opensearch"
_MODULE: Final = "terraform/opensearch/assets"


def render() -> dict[str, bytes]:
    """Return the files by their paths from the root of the project."""
    objects = saved_objects()
    lines = "".join(json.dumps(one.line(), ensure_ascii=False) + "\n" for one in objects)
    files: dict[str, str] = {f"{_DASHBOARDS}/mlvitals.ndjson": lines}
    files[f"{_MODULE}/objects.json"] = _json({f"{one.kind}:{one.id}": one.document() for one in objects})
    for monitor in MONITORS:
        files[f"{_MONITORS}/{monitor.name}.json"] = monitors.filled(monitor)
        files[f"{_MODULE}/monitors/{monitor.name}.json"] = monitors.body(monitor)
    files[f"{_MODULE}/catalogue.json"] = _json({monitor.name: _entry(monitor) for monitor in MONITORS})
    files[f"{_MODULE}/templates.json"] = _json(install.artifacts())
    files[f"{_MODULE}/roles.json"] = _json(install.roles())
    return {path: text.encode() for path, text in files.items()}


def _entry(monitor: Monitor) -> dict[str, Any]:
    """Return what the module must know of a monitor beside its body: for whom it is, its bar, its actions."""
    return {
        "title": monitor.title,
        "severity": monitor.severity.value,
        "per_model": monitor.per_model,
        "bar": None if monitors.overdue(monitor) else monitors.bar(monitor),
        "minutes": monitors.minutes(monitor),
        "actions": {receiver: monitors.action(monitor, receiver, "@channel@") for receiver in messages.RECEIVERS},
    }


def _json(told: Any) -> str:
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"
