"""A query of the catalogue as a search for documents: which ones, and which series they make."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mlvitals.assets.query import Query, carried
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Stage
from mlvitals.telemetry.naming import opensearch as naming
from mlvitals.telemetry.naming.opensearch import Schema

TIME: Final = naming.TIME

# Stands for an attribute that a series does not have, so that the series is not left out.
NONE: Final = "–"
_MOST_SERIES: Final = 200

# Two jobs may tell the same of themselves: who reports is part of a series.
_REPORTS: Final = {Schema.SS4O: "serviceName", Schema.ECS: "service.name"}


@dataclass(frozen=True, slots=True)
class Documents:
    """The sink's documents as a schema lays them out."""

    schema: Schema

    @property
    def metrics(self) -> str:
        """The pattern of the indices of measurements, of all namespaces."""
        return f"{naming.metrics_alias(self.schema, '')}*"

    @property
    def logs(self) -> str:
        """The pattern of the streams of log records, of all namespaces."""
        return f"{naming.logs_stream(self.schema, '')}*"

    def field_of(self, short: str) -> str:
        """Return the field that holds an attribute, by its short name."""
        return naming.attribute_field(short, self.schema)

    def filters(self, query: Query) -> list[dict[str, Any]]:
        """Return what a document must fulfil to be of a query's series, time apart."""
        told: list[dict[str, Any]] = [{"term": {naming.SIGNAL: query.metric}}]
        told += [{"term": {self.field_of(name): value}} for name, value in query.where.items()]
        if query.absent:
            there = [{"exists": {"field": self.field_of(name)}} for name in query.absent]
            told.append({"bool": {"must_not": there}})
        return told

    def series(self, query: Query, metrics: Mapping[str, Any]) -> dict[str, Any]:
        """Return the aggregation whose buckets are a query's series, each with these metrics.

        The key of a bucket begins with what the query splits by, in its order.
        """
        fields = [*(self.field_of(name) for name in identity(query)), _REPORTS[self.schema]]
        terms = [{"field": field, "missing": NONE} for field in fields]
        return {"multi_terms": {"terms": terms, "size": _MOST_SERIES}, "aggs": dict(metrics)}


def identity(query: Query) -> tuple[str, ...]:
    """Return the attributes that tell a query's series apart: those that it splits by first."""
    spec = REGISTRY[query.metric]
    return (*query.by, *(name for name in carried(spec) if name not in query.by and name not in query.where))


def running(query: Query) -> bool:
    """Return whether its metric has a point each telemetry interval, whatever windows do."""
    return REGISTRY[query.metric].stage is Stage.RUNNING
