"""Index templates and lifecycle policies, rendered from the registry: pure, the same for the same signals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from mlvitals.hashing import content_hash
from mlvitals.signals.spec import MetricSpec
from mlvitals.sinks.opensearch.choices import Engine
from mlvitals.sinks.opensearch.documents import ENCODER
from mlvitals.telemetry.naming import opensearch as naming
from mlvitals.telemetry.naming.opensearch import Schema

# Raise it with every change of what is rendered; a cluster's newer templates are left as they are.
VERSION: Final = 1
OWNER: Final = "mlvitals"

# Above SS4O's own (900) and those of Elasticsearch (100) and its integrations (up to 500).
_PRIORITY: Final = 1_000
_POLICY_PRIORITY: Final = 100
_FIELDS: Final = 500
_LONGEST_KEYWORD: Final = 1_024

# An index holds a month and ages from its first document on: so long a document of its last day must wait for it.
_MONTH_DAYS: Final = 31
_ROLLOVER: Final = {"age": "30d", "size": "20gb"}

_KEYWORD: Final = {"type": "keyword", "ignore_above": _LONGEST_KEYWORD}
_UNSEARCHED: Final = {"type": "object", "enabled": False}
_ALWAYS: Final = ("model", "model_version", "environment", "owner")


class Kind(StrEnum):
    """What an artifact is, which says where it is put."""

    COMPONENT = "component template"
    INDEX = "index template"
    ISM = "lifecycle policy (ISM)"
    ILM = "lifecycle policy (ILM)"


PATHS: Final = {
    Kind.COMPONENT: "/_component_template/",
    Kind.INDEX: "/_index_template/",
    Kind.ISM: "/_plugins/_ism/policies/",
    Kind.ILM: "/_ilm/policy/",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One thing that a cluster must have before documents come: its name, and the body to put there."""

    kind: Kind
    name: str
    body: Mapping[str, Any]

    @property
    def path(self) -> str:
        """Where it is got and put."""
        return PATHS[self.kind] + self.name


def render(
    specs: Mapping[str, MetricSpec],
    schema: Schema,
    namespace: str,
    engine: Engine,
    *,
    delete_after: int | None = None,
    replicas: int | None = None,
) -> list[Artifact]:
    """Return what to put, in order: policies, then what both kinds of documents share, then each kind's template.

    delete_after: days, at least, that a document is kept; None for ever. replicas: of each shard; None for one where
    there is a second node to hold it.
    """
    policies = [] if delete_after is None else _policies(schema, namespace, engine, delete_after)
    settled = delete_after is not None and engine is Engine.ELASTICSEARCH
    common = _name(schema)
    metrics, logs = _name(schema, "metrics", namespace), _name(schema, "logs", namespace)
    alias, stream = naming.metrics_alias(schema, namespace), naming.logs_stream(schema, namespace)
    shared = {"priority": _PRIORITY, "composed_of": [common]}
    of_months = _settings(metrics if settled else None, replicas) | {
        "aliases": {alias: {}},
        "mappings": {"properties": _metric_fields(schema)},
    }
    of_stream = _settings(logs if settled else None, replicas) | {
        "mappings": {"properties": _log_fields(schema, namespace)}
    }
    return [
        *policies,
        _marked(Kind.COMPONENT, common, {"template": _common(specs, schema)}),
        _marked(Kind.INDEX, metrics, {"index_patterns": [f"{alias}-*"], **shared, "template": of_months}),
        _marked(Kind.INDEX, logs, {"index_patterns": [stream], "data_stream": {}, **shared, "template": of_stream}),
    ]


def _name(schema: Schema, *parts: str) -> str:
    return "-".join((OWNER, schema.value, *parts))


def _marked(kind: Kind, name: str, body: Mapping[str, Any]) -> Artifact:
    return Artifact(kind=kind, name=name, body={**body, "_meta": _mark(body)})


def _mark(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"managed_by": OWNER, "version": VERSION, "content": content_hash(ENCODER.encode(body))}


def _common(specs: Mapping[str, MetricSpec], schema: Schema) -> dict[str, Any]:
    return {
        "settings": {
            "index": {
                "number_of_shards": 1,
                "refresh_interval": "10s",
                "codec": "best_compression",
                "mapping": {"total_fields": {"limit": _FIELDS}},
            }
        },
        "mappings": {
            # A field that nobody knows must not become one of the index; labels and attributes are bounded and texts.
            "dynamic": False,
            "date_detection": False,
            "dynamic_templates": [_texts("labels"), _texts(_attributes_root(schema))],
            "properties": _common_fields(specs.values(), schema),
        },
    }


def _texts(root: str) -> dict[str, Any]:
    return {
        root.replace(".", "_"): {"path_match": f"{root}.*", "match_mapping_type": "string", "mapping": dict(_KEYWORD)}
    }


def _attributes_root(schema: Schema) -> str:
    return naming.attribute_field("any", schema).rpartition(".")[0]


def _common_fields(specs: Iterable[MetricSpec], schema: Schema) -> dict[str, Any]:
    fields: dict[str, Any] = {naming.TIME: {"type": "date"}, "labels": {"type": "object", "dynamic": True}}
    for short in sorted({name for spec in specs for name in spec.attributes}.union(_ALWAYS)):
        _place(fields, naming.attribute_field(short, schema), dict(_KEYWORD))
    _inner(fields, _attributes_root(schema))["dynamic"] = True
    if schema is Schema.SS4O:
        fields["serviceName"] = dict(_KEYWORD)
        for part in ("type", "dataset", "namespace"):
            _place(fields, f"attributes.data_stream.{part}", dict(_KEYWORD))
        return fields
    for path in ("service.name", "service.environment", "ecs.version", "event.module", "event.dataset", "event.kind"):
        _place(fields, path, dict(_KEYWORD))
    return fields


def _metric_fields(schema: Schema) -> dict[str, Any]:
    numbers = {key: {"type": "double"} for key in ("value", "lower", "upper", "threshold")}
    counts = {key: {"type": "long"} for key in ("samples", "reference_samples")}
    named = (naming.SIGNAL, "unit", "kind", "status", "reference_hash", "aggregationTemporality")
    words = {key: dict(_KEYWORD) for key in named}
    times = {key: {"type": "date"} for key in ("window_start", "window_end", "startTime")}
    own = {"revision": {"type": "integer"}, "monotonic": {"type": "boolean"}, "evidence": dict(_UNSEARCHED)}
    doubled = {naming.SS4O_VALUE: {"type": "double"}} if schema is Schema.SS4O else {}
    return {**words, **numbers, **doubled, **counts, **times, **own}


def _log_fields(schema: Schema, namespace: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"details": dict(_UNSEARCHED)}
    if schema is Schema.SS4O:
        fields |= {"observedTimestamp": {"type": "date"}, "body": {"type": "text"}}
        _place(fields, "severity.number", {"type": "long"})
        _place(fields, "severity.text", dict(_KEYWORD))
        for part in ("domain", "name"):
            _place(fields, f"event.{part}", dict(_KEYWORD))
        return fields
    fields |= {"message": {"type": "text"}}
    _place(fields, "log.level", dict(_KEYWORD))
    _place(fields, "event.action", dict(_KEYWORD))
    for part, value in (("type", "logs"), ("dataset", naming.LOG_DATASET), ("namespace", namespace)):
        _place(fields, f"data_stream.{part}", {"type": "constant_keyword", "value": value})
    return fields


def _place(fields: dict[str, Any], path: str, mapping: Mapping[str, Any]) -> None:
    parent, _, leaf = path.rpartition(".")
    inner = _inner(fields, parent).setdefault("properties", {}) if parent else fields
    inner[leaf] = mapping


def _inner(fields: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the object at a path, made where it is not there."""
    first, *rest = path.split(".")
    inner: dict[str, Any] = fields.setdefault(first, {})
    for step in rest:
        inner = inner.setdefault("properties", {}).setdefault(step, {})
    return inner


def _settings(policy: str | None, replicas: int | None) -> dict[str, Any]:
    copies = {"auto_expand_replicas": "0-1"} if replicas is None else {"number_of_replicas": replicas}
    lifecycle = {} if policy is None else {"lifecycle": {"name": policy}}
    return {"settings": {"index": copies | lifecycle}}


def _policies(schema: Schema, namespace: str, engine: Engine, days: int) -> list[Artifact]:
    metrics, logs = _name(schema, "metrics", namespace), _name(schema, "logs", namespace)
    if engine is Engine.ELASTICSEARCH:
        rollover = {"rollover": {"max_age": _ROLLOVER["age"], "max_primary_shard_size": _ROLLOVER["size"]}}
        return [_ilm(metrics, {}, days + _MONTH_DAYS), _ilm(logs, rollover, days)]
    month, stream = f"{naming.metrics_alias(schema, namespace)}-*", naming.logs_stream(schema, namespace)
    rollover = {"rollover": {"min_index_age": _ROLLOVER["age"], "min_primary_shard_size": _ROLLOVER["size"]}}
    return [
        _ism(metrics, month, [], {"min_index_age": f"{days + _MONTH_DAYS}d"}),
        _ism(logs, stream, [rollover], {"min_rollover_age": f"{days}d"}),
    ]


def _ilm(name: str, actions: Mapping[str, Any], days: int) -> Artifact:
    phases = {"hot": {"actions": actions}, "delete": {"min_age": f"{days}d", "actions": {"delete": {}}}}
    return Artifact(kind=Kind.ILM, name=name, body={"policy": {"phases": phases, "_meta": _mark(phases)}})


def _ism(name: str, pattern: str, actions: list[Any], conditions: Mapping[str, str]) -> Artifact:
    policy = {
        "default_state": "hot",
        "states": [
            {
                "name": "hot",
                "actions": actions,
                "transitions": [{"state_name": "delete", "conditions": conditions}],
            },
            {"name": "delete", "actions": [{"delete": {}}], "transitions": []},
        ],
        "ism_template": [{"index_patterns": [pattern], "priority": _POLICY_PRIORITY}],
    }
    # A policy has no `_meta`: its description carries the mark.
    return Artifact(kind=Kind.ISM, name=name, body={"policy": {"description": spell_mark(_mark(policy)), **policy}})


def spell_mark(mark: Mapping[str, Any]) -> str:
    """Return a mark as text, `managed by OWNER, version N, content HASH`."""
    return f"managed by {mark['managed_by']}, version {mark['version']}, content {mark['content']}"
