"""What a cluster gets beside boards and monitors: the sink's own templates and policies, and roles that suffice.

Templates are those that the sink installs by itself, without its mark: what carries none is somebody else's to it, and
left as it is.
"""

from typing import Any, Final

from mlvitals.assets.documents import SS4O, tokens
from mlvitals.signals.registry import REGISTRY
from mlvitals.sinks.opensearch.choices import Engine
from mlvitals.sinks.opensearch.templates import Artifact, Kind, render
from mlvitals.telemetry.naming import opensearch as naming

DAYS: Final = 90

_FOLDERS: Final = {Kind.COMPONENT: "component", Kind.INDEX: "index", Kind.ISM: "policy"}


def artifacts() -> dict[str, dict[str, dict[str, Any]]]:
    """Return the bodies of component templates, index templates and policies by their kinds and names.

    Names and patterns have a place for the namespace.
    """
    told: dict[str, dict[str, dict[str, Any]]] = {folder: {} for folder in _FOLDERS.values()}
    for artifact in render(REGISTRY, SS4O.schema, tokens.NAMESPACE, Engine.OPENSEARCH, delete_after=DAYS):
        told[_FOLDERS[artifact.kind]][artifact.name] = _unmarked(artifact)
    return told


def roles() -> dict[str, dict[str, Any]]:
    """Return two roles of the Security plugin: of who writes, which is the sink, and of who reads, as boards do."""
    metrics = f"{naming.metrics_alias(SS4O.schema, tokens.NAMESPACE)}*"
    logs = f"{naming.logs_stream(SS4O.schema, tokens.NAMESPACE)}*"
    write = [
        "indices:data/write/bulk*",
        "indices:data/write/index",
        "indices:admin/create",
        "indices:admin/mapping/put",
    ]
    read = ["indices:data/read/*", "indices:admin/mappings/get", "indices:admin/resolve/index"]
    return {
        "mlvitals_writer": {
            "description": "What the exporter needs: to write documents, and to see which templates there are.",
            "cluster_permissions": [
                "cluster:monitor/main",
                "indices:data/write/bulk",
                "cluster:admin/component_template/get",
                "indices:admin/index_template/get",
            ],
            "index_permissions": [{"index_patterns": [metrics, logs], "allowed_actions": write}],
        },
        "mlvitals_reader": {
            "description": "What boards and monitors need: to read.",
            "cluster_permissions": ["indices:data/read/msearch", "indices:data/read/search"],
            "index_permissions": [{"index_patterns": [metrics, logs], "allowed_actions": read}],
        },
    }


def _unmarked(artifact: Artifact) -> dict[str, Any]:
    body = {name: value for name, value in artifact.body.items() if name != "_meta"}
    if "data_stream" in body:
        # As the cluster tells it back: a plan would take what it adds for a change.
        body["data_stream"] = {"timestamp_field": {"name": naming.TIME}}
    if artifact.kind is Kind.ISM:
        body["policy"] = {**body["policy"], "description": "How long documents of mlvitals are kept."}
    return body
