"""What a cluster gets beside boards and rules: the sink's own templates and policies, and roles that suffice.

Templates are those that the sink installs by itself, without its mark: what carries none is somebody else's to it, and
left as it is.
"""

from typing import Any, Final

from mlvitals.assets.documents import ECS, tokens
from mlvitals.signals.registry import REGISTRY
from mlvitals.sinks.opensearch.choices import Engine
from mlvitals.sinks.opensearch.templates import Artifact, Kind, render
from mlvitals.telemetry.naming import opensearch as naming

DAYS: Final = 90
ALERTS: Final = f"mlvitals-alerts-{tokens.NAMESPACE}"

_FOLDERS: Final = {Kind.COMPONENT: "component", Kind.INDEX: "index", Kind.ILM: "policy"}
_WORDS: Final = ("monitor", "severity", "state", "key")
_SENTENCES: Final = ("summary", "means", "do", "runbook", "board", "since")


def templates() -> dict[str, dict[str, dict[str, Any]]]:
    """Return the bodies of component templates, index templates and policies by their kinds and names.

    Names and patterns have a place for the namespace. One template is of the index into which rules write their alerts
    where the licence has no other connectors.
    """
    told: dict[str, dict[str, dict[str, Any]]] = {folder: {} for folder in _FOLDERS.values()}
    # Without lifecycles in the templates: where documents are to be deleted, the module names the policies in them.
    for artifact in render(REGISTRY, ECS.schema, tokens.NAMESPACE, Engine.ELASTICSEARCH):
        told[_FOLDERS[artifact.kind]][artifact.name] = _unmarked(artifact)
    for artifact in render(REGISTRY, ECS.schema, tokens.NAMESPACE, Engine.ELASTICSEARCH, delete_after=DAYS):
        if artifact.kind is Kind.ILM:
            phases = artifact.body["policy"]["phases"]
            told["policy"][artifact.name] = {"rollover": phases["hot"]["actions"].get("rollover")}
    told["index"][ALERTS] = _of_alerts()
    return told


def roles() -> dict[str, dict[str, Any]]:
    """Return two roles: of who writes, which is the sink, and of who reads, as boards and rules do."""
    metrics = f"{naming.metrics_alias(ECS.schema, tokens.NAMESPACE)}-*"
    logs = naming.logs_stream(ECS.schema, tokens.NAMESPACE)
    return {
        "mlvitals_writer": {
            "description": "What the exporter needs: to write documents, and to see which templates there are.",
            "cluster": ["monitor", "manage_index_templates"],
            "indices": [
                {"names": [metrics], "privileges": ["auto_configure", "index"]},
                {"names": [logs], "privileges": ["auto_configure", "create_doc"]},
            ],
        },
        "mlvitals_reader": {
            "description": "What boards and rules need: to read.",
            "cluster": [],
            "indices": [{"names": [metrics, logs, ALERTS], "privileges": ["read", "view_index_metadata"]}],
        },
    }


def _of_alerts() -> dict[str, Any]:
    fields: dict[str, Any] = {naming.TIME: {"type": "date"}}
    fields |= {name: {"type": "keyword", "ignore_above": 1_024} for name in _WORDS}
    fields |= {name: {"type": "text"} for name in _SENTENCES}
    return {
        "index_patterns": [ALERTS],
        "priority": 1_000,
        "composed_of": [],
        "template": {
            "settings": {"index": {"auto_expand_replicas": "0-1"}},
            "mappings": {"dynamic": False, "properties": fields},
        },
    }


def _unmarked(artifact: Artifact) -> dict[str, Any]:
    return {name: value for name, value in artifact.body.items() if name != "_meta"}
