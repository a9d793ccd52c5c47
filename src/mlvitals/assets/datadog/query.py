"""Queries in Datadog's language, over names and tags as it stores them.

They hold for what our own sink sends and for OTLP with `attributes: short`, which spells tags alike.
"""

from collections.abc import Iterable
from typing import Final

from mlvitals.assets.query import Aggregate, Query, Reading
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Stage
from mlvitals.telemetry.naming.datadog import attribute_key, metric_name, tag

_AGGREGATES: Final = {Aggregate.MAX: "max", Aggregate.MIN: "min", Aggregate.SUM: "sum", Aggregate.MEAN: "avg"}


def selector(query: Query, wanted: str, by: Iterable[str] = ()) -> str:
    """Return the selector of a query's series with its aggregation over space.

    wanted: the filters, as they stand in braces. by: short names that lines are split by before those of the query.
    """
    keys = ",".join(dict.fromkeys(attribute_key(short) for short in (*by, *query.by)))
    split = f" by {{{keys}}}" if keys else ""
    return f"{_AGGREGATES[query.aggregate]}:{metric_name(query.metric)}{{{wanted}}}{split}"


def filters(query: Query, scope: Iterable[str] = ()) -> list[str]:
    """Return what a query's series must have, and what they must not."""
    wanted = [tag(attribute_key(short), value) for short, value in sorted(query.where.items())]
    running = REGISTRY[query.metric].stage is Stage.RUNNING
    absent = [] if running else [f"!{attribute_key(short)}:*" for short in query.absent]
    return [*scope, *wanted, *absent]


def expression(query: Query, scope: Iterable[str] = ()) -> str:
    """Return a query as a graph asks for it: its values, or how much totals grew between two points.

    Totals arrive as gauges, so that their growth is a difference; one that begins anew is no fall.
    """
    what = selector(query, ",".join(filters(query, scope)) or "*")
    return f"monotonic_diff({what})" if query.reading is Reading.GROWTH else what
