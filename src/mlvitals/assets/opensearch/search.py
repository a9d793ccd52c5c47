"""A query of the catalogue as a search: which documents, and which series they make."""

from collections.abc import Mapping
from typing import Any, Final

from mlvitals.assets.query import Query, carried
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Stage
from mlvitals.telemetry.naming import opensearch as naming
from mlvitals.telemetry.naming.opensearch import Schema

SCHEMA: Final = Schema.SS4O
METRICS: Final = f"{naming.metrics_alias(SCHEMA, '')}*"
LOGS: Final = f"{naming.logs_stream(SCHEMA, '')}*"
TIME: Final = naming.TIME

# Two jobs may tell the same of themselves: who reports is part of a series.
_REPORTS: Final = "serviceName"
# Stands for an attribute that a series does not have, so that the series is not left out.
NONE: Final = "–"
_MOST_SERIES: Final = 200


def field_of(short: str) -> str:
    """Return the field that holds an attribute, by its short name."""
    return naming.attribute_field(short, SCHEMA)


def filters(query: Query) -> list[dict[str, Any]]:
    """Return what a document must fulfil to be of a query's series, time apart."""
    told: list[dict[str, Any]] = [{"term": {naming.SIGNAL: query.metric}}]
    told += [{"term": {field_of(name): value}} for name, value in query.where.items()]
    if query.absent:
        told.append({"bool": {"must_not": [{"exists": {"field": field_of(name)}} for name in query.absent]}})
    return told


def series(query: Query, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the aggregation whose buckets are a query's series, each with these metrics.

    The key of a bucket begins with what the query splits by, in its order.
    """
    names = identity(query)
    terms = [*({"field": field_of(name), "missing": NONE} for name in names), {"field": _REPORTS, "missing": NONE}]
    return {"multi_terms": {"terms": terms, "size": _MOST_SERIES}, "aggs": dict(metrics)}


def identity(query: Query) -> tuple[str, ...]:
    """Return the attributes that tell a query's series apart: those that it splits by first."""
    spec = REGISTRY[query.metric]
    return (*query.by, *(name for name in carried(spec) if name not in query.by and name not in query.where))


def running(query: Query) -> bool:
    """Return whether its metric has a point each telemetry interval, whatever windows do."""
    return REGISTRY[query.metric].stage is Stage.RUNNING
