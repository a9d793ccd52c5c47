"""A panel as one of Grafana's."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from mlvitals.assets.boards import Kind, Panel
from mlvitals.assets.boards.pieces import ask
from mlvitals.assets.prometheus.promql import expression, label
from mlvitals.assets.query import Query, carried
from mlvitals.signals.registry import REGISTRY

DATASOURCE: Final = {"type": "prometheus", "uid": "$datasource"}
SCALE_X: Final = 2  # Grafana has 24 columns
SCALE_Y: Final = 2

_TYPES: Final = {
    Kind.TREND: "timeseries",
    Kind.STATES: "state-timeline",
    Kind.NUMBER: "stat",
    Kind.TABLE: "table",
    Kind.HEAT: "status-history",
    Kind.EVENTS: "state-timeline",
    Kind.NOTE: "text",
}
_UNITS: Final = {"s": "s", "By": "bytes", "1": "percentunit", "{share}": "percentunit"}
_COLOURS: Final = {0.0: "green", 1.0: "orange", 2.0: "red", -1.0: "blue", -2.0: "text"}

# Grafana shows log records from a store of logs, which Prometheus is none of: when pages lasted is known to both.
_PAGES: Final = ask("decision.page.age", by=("model", "detector", "subject", "costs"))
_RECORDS: Final = " The records with their sentences are log events, in the store that takes logs."


def panel_document(panel: Panel, variables: Sequence[str]) -> dict[str, Any]:
    """Return a panel's JSON, without id and place; `variables` are those of its board."""
    if panel.kind is Kind.NOTE:
        return {"type": "text", "title": "", "options": {"mode": "markdown", "content": panel.text}}
    events = panel.kind is Kind.EVENTS
    return {
        "type": _TYPES[panel.kind],
        "title": panel.title,
        "description": panel.brief + (_RECORDS if events else ""),
        "datasource": DATASOURCE,
        "targets": [_pages(variables)] if events else list(_targets(panel, variables)),
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
        **_transformations(panel),
    }


def _targets(panel: Panel, variables: Sequence[str]) -> Iterator[dict[str, Any]]:
    instant = panel.kind in {Kind.NUMBER, Kind.TABLE}
    for place, query in enumerate(panel.queries):
        asked = _asked(query, variables)
        yield {
            "refId": chr(ord("A") + place),
            "datasource": DATASOURCE,
            "expr": f"sort_desc({asked})" if panel.kind is Kind.TABLE else asked,
            "legendFormat": _legend(query),
            "instant": instant,
            "range": not instant,
            "format": "table" if panel.kind is Kind.TABLE else "time_series",
        }


def _pages(variables: Sequence[str]) -> dict[str, Any]:
    asked = _asked(_PAGES, variables, [f'{label("detector")}!=""'])
    return {
        "refId": "A",
        "datasource": DATASOURCE,
        "expr": f"{asked} > bool 0",
        "legendFormat": _legend(_PAGES),
        "instant": False,
        "range": True,
        "format": "time_series",
    }


def _asked(query: Query, variables: Sequence[str], more: Sequence[str] = ()) -> str:
    mine = carried(REGISTRY[query.metric])
    matchers = [f'{label(short)}=~"${short}"' for short in variables if short in mine]
    return expression(query, lookback="$lookback", fresh="$fresh", matchers=[*matchers, *more])


def _legend(query: Query) -> str:
    parts = [query.label, *(f"{{{{{label(short)}}}}}" for short in query.by)]
    return " ".join(part for part in parts if part) or REGISTRY[query.metric].name.removeprefix("mlvitals.")


def _unit(panel: Panel) -> str:
    if panel.kind is Kind.EVENTS:
        return "none"
    units = {_UNITS.get(REGISTRY[query.metric].unit, "short") for query in panel.queries}
    return units.pop() if len(units) == 1 else "short"


def _defaults(panel: Panel) -> dict[str, Any]:
    told: dict[str, Any] = {"unit": _unit(panel)}
    if panel.lowest is not None:
        told["min"] = panel.lowest
    if panel.highest is not None:
        told["max"] = panel.highest
    if panel.states or panel.kind is Kind.EVENTS:
        told |= {"mappings": [_mapping(panel)], "custom": {"fillOpacity": 80, "lineWidth": 0}}
        return told
    told["color"] = {"mode": "continuous-BlYlRd" if panel.kind is Kind.HEAT else "palette-classic"}
    steps: list[dict[str, Any]] = [{"color": "transparent", "value": None}]
    steps += [{"color": "orange", "value": mark.value} for mark in panel.marks]
    told["thresholds"] = {"mode": "absolute", "steps": steps}
    if panel.kind is Kind.TREND:
        told["custom"] = {
            "lineWidth": 1,
            "fillOpacity": 5,
            "showPoints": "auto",
            "spanNulls": False,
            "thresholdsStyle": {"mode": "dashed" if panel.marks else "off"},
        }
    return told


def _mapping(panel: Panel) -> dict[str, Any]:
    states = panel.states or ((0.0, "well"), (1.0, "pages"))
    colours = _COLOURS if panel.states else {0.0: "green", 1.0: "red"}
    return {
        "type": "value",
        "options": {
            f"{value:g}": {"text": word, "color": colours[value], "index": place}
            for place, (value, word) in enumerate(states)
        },
    }


def _options(panel: Panel) -> dict[str, Any]:
    match panel.kind:
        case Kind.TREND:
            return {
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }
        case Kind.NUMBER:
            return {
                "colorMode": "value",
                "graphMode": "none",
                "textMode": "auto",
                "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            }
        case Kind.STATES | Kind.EVENTS:
            return {"showValue": "auto", "mergeValues": True, "rowHeight": 0.9, "legend": {"showLegend": False}}
        case Kind.HEAT:
            return {"showValue": "never", "rowHeight": 0.9, "colWidth": 1, "legend": {"showLegend": False}}
        case _:
            return {"showHeader": True, "cellHeight": "sm", "footer": {"show": False}}


def _transformations(panel: Panel) -> dict[str, Any]:
    """Return what gives a table plain column names and leaves the time of asking out."""
    if panel.kind is not Kind.TABLE:
        return {}
    names = {label(short): short.replace("_", " ") for query in panel.queries for short in query.by}
    spec = REGISTRY[panel.queries[0].metric]
    organize = {
        "excludeByName": {"Time": True},
        "indexByName": {name: place for place, name in enumerate([*names, "Value"])},
        "renameByName": {**names, "Value": spec.name.removeprefix("mlvitals.")},
    }
    return {"transformations": [{"id": "organize", "options": organize}]}
