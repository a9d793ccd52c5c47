"""How OpenSearch and Elasticsearch spell names: indices, streams and fields, by one of two schemas.

Measurements stand in plain indices, one a month, because a later label revises them; data streams take no revisions.
Both engines bring templates that make a data stream of `metrics-*-*`, and SS4O's makes one of `ss4o_metrics-*-*`:

- `ss4o`: `ss4o_metrics-mlvitals-NAMESPACE-YYYY.MM`. That SS4O's readers find it is what the name is for; our own
  template, narrower and of higher priority, keeps it a plain index.
- `ecs`: `mlvitals-metrics-NAMESPACE-YYYY.MM`, which no template of Elasticsearch's matches.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from mlvitals.clock import format_time
from mlvitals.telemetry.naming.otel import attribute_name, short_name

SIGNAL: Final = "name"
TIME: Final = "@timestamp"
VALUE: Final = "value"
SS4O_VALUE: Final = "value@double"

DATASET: Final = "mlvitals"
LOG_DATASET: Final = "mlvitals.signals"

_MONTH: Final = len("2026-11")


class Schema(StrEnum):
    """By whose conventions documents are laid out: OpenSearch's (Simple Schema for Observability), or Elastic's."""

    SS4O = "ss4o"
    ECS = "ecs"


_METRICS: Final = {Schema.SS4O: f"ss4o_metrics-{DATASET}", Schema.ECS: f"{DATASET}-metrics"}
_LOGS: Final = {Schema.SS4O: f"ss4o_logs-{LOG_DATASET}", Schema.ECS: f"logs-{LOG_DATASET}"}
_ATTRIBUTES: Final = {Schema.SS4O: "attributes.", Schema.ECS: ""}


def metrics_alias(schema: Schema, namespace: str) -> str:
    """Return the name by which all months of measurements are read."""
    return f"{_METRICS[schema]}-{namespace}"


def metrics_index(schema: Schema, namespace: str, moment: int) -> str:
    """Return the index of the month of a moment (microseconds since the epoch; a window's end)."""
    month = format_time(moment)[:_MONTH].replace("-", ".")
    return f"{metrics_alias(schema, namespace)}-{month}"


def logs_stream(schema: Schema, namespace: str) -> str:
    """Return the data stream of log records."""
    return f"{_LOGS[schema]}-{namespace}"


def attribute_field(short: str, schema: Schema) -> str:
    """Return the path of the field that holds an attribute, by its short name.

    Raises:
        ValueError: the short name is not lower snake case.

    """
    return _ATTRIBUTES[schema] + attribute_name(short)


def field_attribute(field: str, schema: Schema) -> str:
    """Return the short name of the attribute that stands in a field.

    Raises:
        ValueError: no attribute stands there.

    """
    prefix = _ATTRIBUTES[schema]
    if not field.startswith(prefix):
        raise ValueError(f"`{field}` is not the field of an attribute")
    return short_name(field.removeprefix(prefix))


def label_field(tag: str) -> str:
    """Return the name under `labels` of a person's own tag: dots would make objects of it, and no field has no name."""
    return tag.replace(".", "_").strip() or "_"


def labels(*tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags as labels, later ones over earlier ones; of two that are spelled alike the last by its name stays."""
    merged = {name: value for several in tags for name, value in several.items()}
    return {label_field(name): merged[name] for name in sorted(merged)}
