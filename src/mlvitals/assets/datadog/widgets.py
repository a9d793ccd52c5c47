"""A panel as one of Datadog's widgets.

Datadog draws no states over time and no series by colour: those panels are a table of the newest values with colours,
and lines.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from mlvitals.assets.boards import Kind, Panel
from mlvitals.assets.datadog.query import expression
from mlvitals.assets.query import Query, carried
from mlvitals.signals.registry import REGISTRY
from mlvitals.telemetry.naming.datadog import attribute_key

# What else happened, laid over lines: change events, which have the tags of their model.
_MOST_ROWS: Final = 100
_MOST_LINES: Final = 50
_PALETTES: Final = {
    0.0: "white_on_green",
    1.0: "white_on_yellow",
    2.0: "white_on_red",
    -1.0: "white_on_gray",
    -2.0: "white_on_gray",
}


def widget(panel: Panel, variables: Sequence[str]) -> dict[str, Any]:
    """Return a widget's definition; `variables` are those of its board."""
    match panel.kind:
        case Kind.NOTE:
            return note(panel.text)
        case Kind.EVENTS:
            told = {"requests": [_stream(panel, variables)], "type": "list_stream"}
        case Kind.TREND | Kind.HEAT:
            told = _timeseries(panel, variables)
        case Kind.NUMBER:
            told = _number(panel, variables)
        case Kind.TABLE | Kind.STATES:
            told = {"requests": [_table(panel, variables)], "type": "query_table", "has_search_bar": "auto"}
    return {"title": panel.title, "description": panel.brief, **told}


def note(text: str) -> dict[str, Any]:
    """Return a widget of Markdown."""
    return {
        "type": "note",
        "content": text,
        "background_color": "transparent",
        "font_size": "14",
        "text_align": "left",
        "vertical_align": "top",
        "has_padding": False,
        "show_tick": False,
    }


def scope_of(query: Query, variables: Sequence[str]) -> list[str]:
    """Return the template variables of a board that its query's series carry."""
    mine = carried(REGISTRY[query.metric])
    return [variable(short) for short in variables if short in mine]


def variable(short: str) -> str:
    """Return a template variable, by which it is filtered."""
    return f"${attribute_key(short)}"


def _timeseries(panel: Panel, variables: Sequence[str]) -> dict[str, Any]:
    ends = {"min": panel.lowest, "max": panel.highest}
    return {
        "type": "timeseries",
        "requests": [
            {
                "response_format": "timeseries",
                "queries": [_query("q", query, variables)],
                "formulas": [_formula(query, _MOST_LINES)],
                "display_type": "line",
            }
            for query in panel.queries
        ],
        "show_legend": True,
        "legend_layout": "auto",
        "yaxis": {
            "include_zero": False,
            **{name: f"{value:g}" for name, value in ends.items() if value is not None},
        },
        "markers": [
            {"value": f"y = {mark.value:g}", "display_type": "warning dashed", "label": mark.label}
            for mark in panel.marks
        ],
        "events": [{"q": " ".join(["source:mlvitals", *map(variable, _chosen(variables))])}],
    }


def _number(panel: Panel, variables: Sequence[str]) -> dict[str, Any]:
    """Return the newest value; of several queries the first, for a number has room for one."""
    query, *_ = panel.queries
    formats = list(_formats(panel)) or [
        {"comparator": ">=", "value": mark.value, "palette": "white_on_yellow"} for mark in panel.marks
    ]
    return {
        "type": "query_value",
        "requests": [
            {
                "response_format": "scalar",
                "queries": [{**_query("q", query, variables), "aggregator": "last"}],
                "formulas": [{"formula": "q"}],
                "conditional_formats": formats,
            }
        ],
        "autoscale": True,
        "precision": 2,
    }


def _table(panel: Panel, variables: Sequence[str]) -> dict[str, Any]:
    named = [(f"q{place}", query) for place, query in enumerate(panel.queries)]
    return {
        "response_format": "scalar",
        "queries": [{**_query(name, query, variables), "aggregator": "last"} for name, query in named],
        "formulas": [
            {
                **_formula(query, _MOST_ROWS),
                "formula": name,
                "cell_display_mode": "number",
                "conditional_formats": list(_formats(panel)),
            }
            for name, query in named
        ],
    }


def _stream(panel: Panel, variables: Sequence[str]) -> dict[str, Any]:
    events = " OR ".join(panel.events)
    wanted = ["source:mlvitals", f"@mlvitals.event:({events})", *map(variable, _chosen(variables))]
    return {
        "response_format": "event_list",
        "query": {"data_source": "logs_stream", "query_string": " ".join(wanted), "indexes": []},
        "columns": [
            {"field": "status_line", "width": "auto"},
            {"field": "timestamp", "width": "auto"},
            {"field": "model", "width": "auto"},
            {"field": "content", "width": "full"},
        ],
    }


def _chosen(variables: Sequence[str]) -> Iterator[str]:
    """Yield the variables that log records and change events have tags for."""
    yield from (short for short in variables if short in ("environment", "model"))


def _query(name: str, query: Query, variables: Sequence[str]) -> dict[str, Any]:
    return {"data_source": "metrics", "name": name, "query": expression(query, scope_of(query, variables))}


def _formula(query: Query, most: int) -> dict[str, Any]:
    told: dict[str, Any] = {"formula": "q", "limit": {"count": most, "order": "desc"}}
    return told | ({"alias": query.label} if query.label else {})


def _formats(panel: Panel) -> Iterator[dict[str, Any]]:
    for value, _ in panel.states:
        yield {"comparator": "=", "value": value, "palette": _PALETTES[value]}
