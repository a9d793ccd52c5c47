"""Queries in PromQL, over names as Prometheus's OTLP receiver and our scrape endpoint spell them."""

import json
from collections.abc import Iterable
from typing import Final

from mlvitals.assets.query import Aggregate, Query, Reading
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Stage
from mlvitals.telemetry.naming.otel import attribute_name
from mlvitals.telemetry.naming.prometheus import label_name, metric_name

_REMEMBERED: Final = "7d"  # what was heard of in it and is no more, is silent
_OPERATORS: Final = {Aggregate.MAX: "max", Aggregate.MIN: "min", Aggregate.SUM: "sum", Aggregate.MEAN: "avg"}


def label(short: str) -> str:
    """Return the label of an attribute, by its short name."""
    return label_name(attribute_name(short))


def series(query: Query, matchers: Iterable[str] = ()) -> str:
    """Return the selector of a query's series; `matchers` are written as they are."""
    spec = REGISTRY[query.metric]
    absent = [f'{label(short)}=""' for short in query.absent if spec.stage is not Stage.RUNNING]
    wanted = [f"{label(short)}={json.dumps(value)}" for short, value in sorted(query.where.items())]
    return f"{metric_name(spec.name, spec.unit, spec.instrument)}{{{','.join([*matchers, *wanted, *absent])}}}"


def expression(query: Query, *, lookback: str, fresh: str, matchers: Iterable[str] = ()) -> str:
    """Return the expression of a query: its newest values, or how much totals grew.

    lookback: how far back the newest point of a signal of windows may be, for Prometheus forgets it after five minutes.
    fresh: the same of what the job tells of itself; totals are looked at over as long.
    """
    what = series(query, matchers)
    if query.reading is Reading.GROWTH:
        what = f"increase({what}[{fresh}])"
    else:
        running = REGISTRY[query.metric].stage is Stage.RUNNING
        what = f"last_over_time({what}[{fresh if running else lookback}])"
    return f"{_OPERATORS[query.aggregate]}{by(query.by)} ({what})"


def silence(query: Query, seconds: str, matchers: Iterable[str] = ()) -> str:
    """Return the expression that has a series for everything that was heard of and is no more.

    seconds: for how long nothing was heard. What was never heard of is one thing more that is silent.
    """
    found = series(query, matchers)
    count = f"count{by(query.by)}"
    heard, newly = (f"{count} (last_over_time({found}[{back}]))" for back in (_REMEMBERED, seconds))
    return f"({heard} unless {newly}) or absent_over_time({found}[{_REMEMBERED}])"


def by(shorts: Iterable[str]) -> str:
    """Return the clause that tells series apart by attributes; nothing where there are none."""
    labels = ", ".join(map(label, shorts))
    return f" by ({labels})" if labels else ""
