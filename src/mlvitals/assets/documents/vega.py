"""Panels as Vega-Lite: the one kind of visualisation that says of each series what becomes of it.

A visualisation by the own forms of OpenSearch Dashboards or Kibana adds up or averages documents; here every series is
read by itself first, and only then put together as the query says. `%…%` are macros of both: what the filters and the
time range of the page are.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mlvitals.assets.boards import Kind, Mark, Panel
from mlvitals.assets.documents.search import NONE, TIME, Documents, running
from mlvitals.assets.query import Aggregate, Query, Reading
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.signal_status import STATES
from mlvitals.signals.spec import Status
from mlvitals.telemetry.naming.opensearch import VALUE

_SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v5.json"
_BUCKETS: Final = 120
# How far before the end of the range the newest point of what is told each telemetry interval may lie.
_NOW_MINUTES: Final = 10
_FUNCTIONS: Final = {Aggregate.MAX: "max", Aggregate.MIN: "min", Aggregate.SUM: "sum", Aggregate.MEAN: "mean"}
_COLOURS: Final = {
    STATES[Status.NO_DATA]: "#d9d9d9",
    STATES[Status.INSUFFICIENT_DATA]: "#b3b3b3",
    STATES[Status.OK]: "#4c9f70",
    STATES[Status.WARNING]: "#e8a33d",
    STATES[Status.ALERT]: "#c8442f",
}
_WARNS: Final = _COLOURS[STATES[Status.WARNING]]
_ROW: Final = 22  # pixels of a line of a table
_BESIDE: Final = {"left": 5, "top": 5, "right": 52, "bottom": 5}  # pixels, for the figure beside the longest bar
_WORDS: Final = 40  # pixels of a name beside an axis, for each column of the panel


def spec(panel: Panel, documents: Documents) -> dict[str, Any]:
    """Return the specification of a panel that asks documents of a schema for series."""
    match panel.kind:
        case Kind.TREND:
            body: dict[str, Any] = {"layer": [*_lines(panel, documents), *_rules(panel.marks)]}
        case Kind.HEAT | Kind.STATES:
            body = _cells(panel, documents)
        case Kind.NUMBER:
            body = _numbers(panel, documents)
        case _:
            body = _ranking(panel, documents)
    title = {"text": panel.brief, "anchor": "start", "fontSize": 11, "fontWeight": "normal", "limit": 900}
    return {
        "$schema": _SCHEMA,
        "title": title,
        "autosize": {"type": "fit", "contains": "padding"},
        "config": {"axis": {"labelLimit": panel.width * _WORDS}, "legend": _legend(panel), "view": {"stroke": None}},
        **body,
    }


def _legend(panel: Panel) -> dict[str, Any]:
    """Return where lines are named: below, in three lines at most, for names of features are long."""
    columns = max(panel.width // 2, 1)
    return {
        "orient": "bottom",
        "direction": "horizontal",
        "columns": columns,
        "labelLimit": 130,
        "symbolLimit": 3 * columns,
    }


def _lines(panel: Panel, documents: Documents) -> Iterator[dict[str, Any]]:
    scale = {"zero": False, **_bounds(panel)}
    for query in panel.queries:
        yield {
            "data": _over_time(query, documents),
            "transform": _series_over_time(query, panel),
            "mark": {"type": "line", "point": {"size": 14}, "clip": False},
            "encoding": {
                "x": {"field": "time", "type": "temporal", "title": None},
                "y": {"field": "shown", "type": "quantitative", "title": _unit(query), "scale": scale},
                "color": {"field": "line", "type": "nominal", "title": None},
                "tooltip": _tooltip(),
            },
        }


def _cells(panel: Panel, documents: Documents) -> dict[str, Any]:
    [query] = panel.queries
    words = dict(panel.states)
    if words:
        domain = sorted(words)
        colours = [_COLOURS.get(value, "#888888") for value in domain]
        colour: dict[str, Any] = {
            "field": "word",
            "type": "nominal",
            "title": None,
            "scale": {"domain": [words[value] for value in domain], "range": colours},
        }
    else:
        colour = {
            "field": "shown",
            "type": "quantitative",
            "title": _unit(query),
            "scale": {"scheme": "blueorange", "domainMid": 0},
        }
    return {
        "data": _over_time(query, documents),
        "transform": [*_series_over_time(query, panel), *_worded(words)],
        "mark": {"type": "rect"},
        "encoding": {
            "x": {"field": "time", "type": "ordinal", "timeUnit": "yearmonthdatehoursminutes", "title": None},
            "y": {"field": "line", "type": "nominal", "title": None, "axis": {"labelOverlap": True}},
            "color": colour,
            "tooltip": _tooltip(*(["word"] if words else [])),
        },
    }


def _numbers(panel: Panel, documents: Documents) -> dict[str, Any]:
    [query] = panel.queries
    words = dict(panel.states)
    figure = {"field": "shown", "type": "quantitative", "format": ",.4~g"}
    return {
        "data": _newest(query, documents),
        "transform": [*_newest_series(query, panel), *_worded(words)],
        "encoding": {"x": {"field": "line", "type": "nominal", "title": None, "axis": {"labelAngle": 0}}},
        "layer": [
            {
                "mark": {"type": "text", "fontSize": 26, "fontWeight": "bold"},
                "encoding": {"text": {"field": "word"} if words else figure},
            },
            {"mark": {"type": "text", "dy": 24, "text": _unit(query), "color": "#69707d"}},
        ],
    }


def _ranking(panel: Panel, documents: Documents) -> dict[str, Any]:
    """Return the newest value of each series, the greatest first: a table that is a picture too."""
    [query] = panel.queries
    order = {"field": "shown", "order": "descending"}
    return {
        "data": _newest(query, documents),
        "transform": _newest_series(query, panel),
        "height": {"step": _ROW},
        "padding": _BESIDE,
        "encoding": {
            "y": {"field": "line", "type": "nominal", "sort": order, "title": None},
            "x": {"field": "shown", "type": "quantitative", "title": _unit(query)},
            "tooltip": _tooltip(),
        },
        "layer": [
            {"mark": {"type": "bar", "color": "#9db8d2"}},
            {
                "mark": {"type": "text", "align": "left", "dx": 4},
                "encoding": {"text": {"field": "shown", "type": "quantitative", "format": ",.4~g"}},
            },
        ],
    }


def _rules(marks: tuple[Mark, ...]) -> Iterator[dict[str, Any]]:
    for mark in marks:
        yield {
            "data": {"values": [{"level": mark.value, "label": mark.label}]},
            "mark": {"type": "rule", "strokeDash": [4, 4], "color": _WARNS},
            "encoding": {
                "y": {"field": "level", "type": "quantitative"},
                "tooltip": {"field": "label", "type": "nominal"},
            },
        }


def _bounds(panel: Panel) -> dict[str, float]:
    told = {"domainMin": panel.lowest, "domainMax": panel.highest}
    return {name: value for name, value in told.items() if value is not None}


def _over_time(query: Query, documents: Documents) -> dict[str, Any]:
    kept = "min" if query.aggregate is Aggregate.MIN else "max"
    inner = {"series": documents.series(query, {"of": {kept: {"field": VALUE}}})}
    steps = {"auto_date_histogram": {"field": TIME, "buckets": _BUCKETS}, "aggs": inner}
    return _data(query, documents, {"range": {TIME: {"%timefilter%": True}}}, {"steps": steps}, "steps.buckets")


def _newest(query: Query, documents: Documents) -> dict[str, Any]:
    ends: dict[str, Any] = {"%timefilter%": True}
    if running(query):
        ends = {
            "gte": {"%timefilter%": "max", "shift": -_NOW_MINUTES, "unit": "minute"},
            "lte": {"%timefilter%": "max"},
        }
    newest = {"top_hits": {"size": 1, "sort": [{TIME: "desc"}], "_source": [VALUE, TIME]}}
    return _data(
        query, documents, {"range": {TIME: ends}}, {"series": documents.series(query, {"of": newest})}, "series.buckets"
    )


def _data(
    query: Query, documents: Documents, times: Mapping[str, Any], aggregations: Mapping[str, Any], path: str
) -> dict[str, Any]:
    kept = {
        "must": ["%dashboard_context-must_clause%", times],
        "filter": [*documents.filters(query), "%dashboard_context-filter_clause%"],
        "must_not": ["%dashboard_context-must_not_clause%"],
    }
    body = {"size": 0, "query": {"bool": kept}, "aggs": aggregations}
    return {
        "url": {"index": documents.metrics, "body": body},
        "format": {"type": "json", "property": f"aggregations.{path}"},
    }


def _series_over_time(query: Query, panel: Panel) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = [
        {"calculate": "datum.series.buckets", "as": "inner"},
        {"flatten": ["inner"], "as": ["one"]},
        {"calculate": "toDate(datum.key)", "as": "time"},
        {"calculate": "datum.one.of.value", "as": "value"},
        {"calculate": "join(datum.one.key, '|')", "as": "series_key"},
        {"filter": "isValid(datum.value)"},
        {"calculate": _line(query, panel), "as": "line"},
    ]
    if query.reading is Reading.GROWTH:
        told += [
            {
                "window": [{"op": "lag", "field": "value", "as": "before"}],
                "sort": [{"field": "time"}],
                "groupby": ["series_key"],
            },
            {"filter": "isValid(datum.before)"},
            # A total that is smaller than before began anew.
            {"calculate": "max(datum.value - datum.before, 0)", "as": "value"},
        ]
    return [*told, _together(query, "time")]


def _newest_series(query: Query, panel: Panel) -> list[dict[str, Any]]:
    return [
        {"calculate": f"datum.of.hits.hits[0]._source['{VALUE}']", "as": "value"},
        {"filter": "isValid(datum.value)"},
        {"calculate": "{key: datum.key}", "as": "one"},
        {"calculate": _line(query, panel), "as": "line"},
        _together(query),
    ]


def _together(query: Query, *also: str) -> dict[str, Any]:
    how = {"op": _FUNCTIONS[query.aggregate], "field": "value", "as": "shown"}
    return {"aggregate": [how], "groupby": [*also, "line"]}


def _line(query: Query, panel: Panel) -> str:
    """Return the expression of what a line is called: what it is split by, and the query's own label."""
    own = query.label or ("" if query.by else panel.title)
    label = own.replace("\\", "\\\\").replace("'", "\\'")
    parts = f"slice(datum.one.key, 0, {len(query.by)})"
    joined = f"replace(join({parts}, ' · '), / · {NONE}/g, '')" if query.by else "''"
    if not label:
        return joined
    return f"{joined} + ' · {label}'" if query.by else f"'{label}'"


def _worded(words: Mapping[float, str]) -> list[dict[str, Any]]:
    if not words:
        return []
    expression = "'?'"
    for value, word in words.items():
        expression = f"datum.shown == {value:g} ? '{word}' : {expression}"
    return [{"calculate": expression, "as": "word"}]


def _tooltip(*more: str) -> list[dict[str, str]]:
    told = [{"field": "line", "type": "nominal"}, {"field": "shown", "type": "quantitative", "format": ",.6~g"}]
    return [*told, *({"field": name, "type": "nominal"} for name in more)]


def _unit(query: Query) -> str:
    unit = REGISTRY[query.metric].unit.strip("{}")
    return "" if unit == "1" else unit
