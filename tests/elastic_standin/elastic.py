"""What a stand-in for Elasticsearch and Kibana keeps, and what it refuses: only what the Terraform module puts there.

What it knows of both was read in Elastic's descriptions of their APIs and in Kibana's sources; where that leaves a
choice it is the stricter one. As both do, it answers with more than it was given.
"""

import json
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.assets.elastic import kibana

Answer = tuple[int, Any]

# By kind of artifact: what a body may hold.
_ARTIFACTS: Final = {
    "_component_template": {"template", "version", "_meta"},
    "_index_template": {"index_patterns", "template", "composed_of", "priority", "data_stream", "version", "_meta"},
    "_ilm/policy": {"policy"},
    "_security/role": {
        "cluster",
        "indices",
        "description",
        "metadata",
        "run_as",
        "applications",
        "global",
        "remote_indices",
        "remote_cluster",
    },
}
# By type of connector: what configuration and secrets must hold, and may hold besides.
_CONNECTORS: Final[Mapping[str, tuple[set[str], set[str], set[str]]]] = {
    ".index": ({"index"}, {"refresh", "executionTimeField"}, set()),
    ".pagerduty": (set(), {"apiUrl"}, {"routingKey"}),
    ".slack": (set(), set(), {"webhookUrl"}),
    ".webhook": ({"url"}, {"method", "hasAuth", "headers", "authType", "certType", "verificationMode"}, set()),
}
_PARAMS: Final = {
    ".index": {"documents"},
    ".pagerduty": {"eventAction", "dedupKey", "severity", "summary", "source", "class", "customDetails"},
    ".slack": {"message"},
    ".webhook": {"body"},
}
_RULE: Final = {
    "name",
    "rule_type_id",
    "consumer",
    "enabled",
    "schedule",
    "tags",
    "params",
    "actions",
    "alert_delay",
    "flapping",
    "notify_when",
    "throttle",
}
_FIXED: Final = {"rule_type_id", "consumer", "enabled"}  # what a change of a rule must not name
_SAVED: Final = {"index-pattern", "search", "dashboard", "visualization"}
_NOW: Final = "2026-11-23T12:00:00.000Z"


class RefusedError(Exception):
    """Something that is refused. status: of the answer."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Elastic:
    """All that is kept. unheard: requests that it has no answer for."""

    artifacts: dict[str, dict[str, Any]] = field(default_factory=lambda: {kind: {} for kind in _ARTIFACTS})
    connectors: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    saved: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    unheard: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put_artifact(self, kind: str, name: str, body: dict[str, Any]) -> Answer:
        _only(body, _ARTIFACTS[kind], f"{kind} {name}")
        for part in body.get("composed_of", []):
            if part not in self.artifacts["_component_template"]:
                raise RefusedError(f"index template [{name}] specifies component templates [{part}] that do not exist")
        self.artifacts[kind][name] = body
        return 200, {"role": {"created": True}} if kind == "_security/role" else {"acknowledged": True}

    def artifact(self, kind: str, name: str) -> Answer:
        body = self.artifacts[kind].get(name)
        if body is None:
            return 404, {} if kind == "_security/role" else {"error": {"type": "not_found"}, "status": 404}
        return 200, _TOLD[kind](name, body)

    def delete_artifact(self, kind: str, name: str) -> Answer:
        if kind == "_component_template":
            users = [one for one, body in self.artifacts["_index_template"].items() if name in body["composed_of"]]
            if users:
                raise RefusedError(
                    f"component templates [{name}] cannot be removed as they are still in use by {users}"
                )
        del self.artifacts[kind][name]
        return 200, {"found": True} if kind == "_security/role" else {"acknowledged": True}

    def put_connector(self, body: dict[str, Any], name: str | None = None) -> Answer:
        kind = self.connectors[name]["connector_type_id"] if name in self.connectors else body["connector_type_id"]
        needed, may, secret = _CONNECTORS[kind]
        config, secrets = body.get("config") or {}, body.get("secrets") or {}
        if set(config) - needed - may or needed - set(config) or set(secrets) != secret:
            raise RefusedError(f"error validating connector type {kind}: {sorted(config)}, {sorted(secrets)}")
        name = name or str(uuid.uuid4())
        config = {"refresh": False, "executionTimeField": None, **config} if kind == ".index" else config
        self.connectors[name] = {
            "id": name,
            "name": body["name"],
            "connector_type_id": kind,
            "config": config,
            "is_deprecated": False,
            "is_missing_secrets": False,
            "is_preconfigured": False,
            "is_system_action": False,
        }
        self.secrets[name] = secrets
        return 200, self.connectors[name]

    def put_rule(self, body: dict[str, Any], name: str | None = None) -> Answer:
        known = self.rules.get(name or "")
        _only(body, _RULE - _FIXED if known else _RULE, f"rule {body.get('name')}")
        for fault in kibana.faults(body["params"]):
            raise RefusedError(f"params invalid: {fault}")
        actions = [self._action(one) for one in body.get("actions", [])]
        name = name or str(uuid.uuid4())
        fixed = {one: (known or body)[one] for one in _FIXED}
        self.rules[name] = {
            "throttle": None,
            "notify_when": None,
            **body,
            **fixed,
            "id": name,
            "actions": actions,
            "params": {"excludeHitsFromPreviousRun": True, "aggType": "count", "groupBy": "all", **body["params"]},
            "created_at": _NOW,
            "updated_at": _NOW,
            "created_by": "elastic",
            "updated_by": "elastic",
            "api_key_owner": "elastic",
            "mute_all": False,
            "muted_alert_ids": [],
            "revision": 0,
            "running": False,
            "scheduled_task_id": name,
            "execution_status": {"status": "pending", "last_execution_date": _NOW},
        }
        return 200, self.rules[name]

    def switch_rule(self, name: str, *, enabled: bool) -> Answer:
        self.rules[name]["enabled"] = enabled
        return 204, None

    def put_saved(self, content: bytes) -> Answer:
        """Take NDJSON; what refers to what is not there is an error of its own, as in Kibana."""
        lines = [json.loads(line) for line in content.splitlines() if line.strip()]
        given = {(one["type"], one["id"]) for one in lines}
        for one in lines:
            if one["type"] not in _SAVED:
                raise RefusedError(f"unsupported type {one['type']}")
            for aim in one["references"]:
                if (aim["type"], aim["id"]) not in given | set(self.saved):
                    raise RefusedError(f"{one['id']}: {aim['id']} is not there")
        self.saved.update({(one["type"], one["id"]): one for one in lines})
        results = [{"type": one["type"], "id": one["id"], "meta": {"title": one["id"], "icon": ""}} for one in lines]
        return 200, {"success": True, "successCount": len(lines), "successResults": results, "warnings": []}

    def _action(self, action: dict[str, Any]) -> dict[str, Any]:
        _only(action, {"id", "group", "params", "frequency", "uuid"}, "action")
        connector = self.connectors.get(action["id"])
        if connector is None:
            raise RefusedError(f"invalid connector ids: {action['id']}")
        if action["group"] not in {"query matched", "recovered"}:
            raise RefusedError(f"invalid action groups: {action['group']}")
        kind = connector["connector_type_id"]
        _only(action["params"], _PARAMS[kind], f"action of {kind}")
        return {"uuid": str(uuid.uuid4()), **action, "connector_type_id": kind}


def _only(body: Mapping[str, Any], known: set[str], what: str) -> None:
    if unknown := set(body) - known:
        raise RefusedError(f"{what}: definition for these keys is missing: {sorted(unknown)}")


def _settings(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a template as Elasticsearch tells it: settings below `index`, each a text."""
    told = dict(body)
    if "settings" in told:
        settings = told["settings"]
        told["settings"] = _texts(settings if "index" in settings else {"index": settings})
    return told


def _texts(told: Any) -> Any:
    if isinstance(told, dict):
        return {name: _texts(value) for name, value in told.items()}
    return told if isinstance(told, str) else json.dumps(told)


def _component(name: str, body: Mapping[str, Any]) -> Any:
    told = {**body, "template": _settings(body["template"])}
    return {"component_templates": [{"name": name, "component_template": told}]}


def _index(name: str, body: Mapping[str, Any]) -> Any:
    told = {**body, "template": _settings(body["template"])}
    if "data_stream" in told:
        told["data_stream"] = {"hidden": False, "allow_custom_routing": False}
    return {"index_templates": [{"name": name, "index_template": told}]}


def _policy(name: str, body: Mapping[str, Any]) -> Any:
    phases = {phase: {"min_age": "0ms", **told} for phase, told in body["policy"]["phases"].items()}
    if "delete" in phases:
        phases["delete"]["actions"] = {"delete": {"delete_searchable_snapshot": True}}
    used: dict[str, list[str]] = {"indices": [], "data_streams": [], "composable_templates": []}
    return {name: {"version": 1, "modified_date": _NOW, "policy": {"phases": phases}, "in_use_by": used}}


def _role(name: str, body: Mapping[str, Any]) -> Any:
    rights = [{"allow_restricted_indices": False, **one} for one in body.get("indices", [])]
    empty = {"applications": [], "run_as": [], "metadata": {}, "transient_metadata": {"enabled": True}}
    return {name: {**empty, **body, "indices": rights}}


_TOLD: Final[Mapping[str, Callable[[str, Mapping[str, Any]], Any]]] = {
    "_component_template": _component,
    "_index_template": _index,
    "_ilm/policy": _policy,
    "_security/role": _role,
}
