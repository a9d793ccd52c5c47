"""What Datadog may be told of each metric: type, unit, description, and which way is better."""

import csv
import io
from typing import Any, Final

from mlvitals.assets.query import carried
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import MetricSpec, Orientation
from mlvitals.telemetry.naming.datadog import attribute_key, metric_name, unit_name

_TYPE: Final = "gauge"  # totals too: Datadog has no cumulative ones
_INTEGRATION: Final = "mlvitals"
_LONGEST: Final = 400  # characters of a description
_ORIENTATIONS: Final = {Orientation.HIGHER: "1", Orientation.LOWER: "-1", Orientation.NEITHER: "0"}

# The columns of the `metadata.csv` of Datadog's integrations, in their order.
_COLUMNS: Final = (
    "metric_name",
    "metric_type",
    "interval",
    "unit_name",
    "per_unit_name",
    "description",
    "orientation",
    "integration",
    "short_name",
    "curated_metric",
    "sample_tags",
)


def metrics() -> dict[str, Any]:
    """Return by metric what `metric_metadata` and `metric_tag_configuration` of the Terraform provider take."""
    return {
        metric_name(spec.name): {
            "type": _TYPE,
            "unit": unit_name(spec.unit),
            "description": _description(spec),
            "short_name": _short(spec),
            "tags": _tags(spec),
        }
        for spec in REGISTRY.values()
    }


def table() -> str:
    """Return the table of metrics in the form of Datadog's integrations."""
    told = io.StringIO()
    rows = csv.DictWriter(told, _COLUMNS, restval="", lineterminator="\n")
    rows.writeheader()
    for spec in REGISTRY.values():
        rows.writerow(
            {
                "metric_name": metric_name(spec.name),
                "metric_type": _TYPE,
                "unit_name": unit_name(spec.unit) or "",
                "description": _description(spec),
                "orientation": _ORIENTATIONS[spec.orientation],
                "integration": _INTEGRATION,
                "short_name": _short(spec),
                "sample_tags": ",".join(_tags(spec)),
            }
        )
    return told.getvalue()


def _description(spec: MetricSpec) -> str:
    return spec.brief[:_LONGEST]


def _short(spec: MetricSpec) -> str:
    return spec.name.removeprefix(f"{_INTEGRATION}.").replace(".", " ").replace("_", " ")


def _tags(spec: MetricSpec) -> list[str]:
    return [attribute_key(short) for short in carried(spec)]
