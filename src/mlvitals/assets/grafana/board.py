"""A board as a dashboard of Grafana, over a data source of Prometheus that its reader chooses.

The model is that of schema version 39 (Grafana 10.4), which later versions take over by themselves.
"""

from collections.abc import Iterator
from typing import Any, Final

from mlvitals.assets.boards import BOARDS, Board
from mlvitals.assets.boards.layout import COLUMNS, height, places
from mlvitals.assets.facts import FRESH
from mlvitals.assets.grafana.panel import DATASOURCE, SCALE_X, SCALE_Y, panel_document
from mlvitals.assets.monitors import LOOKBACK
from mlvitals.assets.prometheus.promql import label, series
from mlvitals.assets.query import Query, carried
from mlvitals.signals.registry import REGISTRY

_SCHEMA: Final = 39
_WIDE: Final = COLUMNS * SCALE_X
_ANY: Final = "mlvitals.prediction.count"  # what every model has: where the values of variables are taken from
_OWN: Final = {
    "feature": "mlvitals.feature.drift.location",
    "maturity": "mlvitals.label.coverage.ratio",
    "environment": "mlvitals.pipeline.heartbeat",
}
_TITLES: Final = {
    "environment": "environment",
    "model": "model",
    "model_version": "version",
    "feature": "feature",
    "maturity": "maturity",
}


def uid(name: str) -> str:
    """Return the stable id of a board, by which others lead to it."""
    return f"mlvitals-{name}"


def board_document(board: Board) -> dict[str, Any]:
    """Return the dashboard's JSON model."""
    return {
        "uid": uid(board.name),
        "title": board.title,
        "description": board.brief,
        "tags": ["mlvitals"],
        "schemaVersion": _SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-7d", "to": "now"},
        "timezone": "utc",
        "links": list(_links(board)),
        "annotations": {"list": list(_annotations(board))},
        "templating": {"list": list(_variables(board))},
        "panels": list(_panels(board)),
    }


def _links(board: Board) -> Iterator[dict[str, Any]]:
    titles = {one.name: one.title for one in BOARDS}
    for name in board.leads_to:
        yield {
            "type": "link",
            "title": titles[name].rpartition(" · ")[2],
            "tooltip": titles[name],
            "url": f"/d/{uid(name)}",
            "icon": "dashboard",
            "includeVars": True,
            "keepTime": True,
            "targetBlank": False,
            "asDropdown": False,
            "tags": [],
        }


def _annotations(board: Board) -> Iterator[dict[str, Any]]:
    """Yield what is drawn over all lines: pages as they last, and versions as they begin to serve."""
    chosen = [_matcher(short) for short in board.variables if short in ("environment", "model")]
    pages = series(Query(metric="mlvitals.decision.page.age"), [*chosen, f'{label("detector")}!=""'])
    served = series(Query(metric=_ANY), chosen)
    version = f"{label('model')}, {label('model_version')}"
    now, before = (f"group by ({version}) (last_over_time({served}[$lookback]{off}))" for off in ("", " offset 1h"))
    common = {"datasource": DATASOURCE, "enable": True, "step": "60s"}
    yield common | {
        "name": "Pages",
        "expr": f"{pages} > 0",
        "iconColor": "red",
        "titleFormat": f"{{{{{label('model')}}}}} pages",
        "textFormat": f"{{{{{label('detector')}}}}} {{{{{label('subject')}}}}} {{{{{label('costs')}}}}}",
    }
    yield common | {
        "name": "New versions",
        "expr": f"{now} unless {before}",
        "iconColor": "blue",
        "titleFormat": f"{{{{{label('model')}}}}} {{{{{label('model_version')}}}}}",
        "textFormat": "a version that did not serve before",
    }


def _variables(board: Board) -> Iterator[dict[str, Any]]:
    yield {
        "name": "datasource",
        "label": "data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
        "hide": 0,
        "refresh": 1,
        "regex": "",
    }
    known: list[str] = []
    for short in board.variables:
        metric = _OWN.get(short, _ANY)
        earlier = [_matcher(one) for one in known if one in carried(REGISTRY[metric])]
        values = f"label_values({series(Query(metric=metric), earlier)}, {label(short)})"
        yield {
            "name": short,
            "label": _TITLES[short],
            "type": "query",
            "datasource": DATASOURCE,
            "definition": values,
            "query": {"query": values, "refId": short},
            "refresh": 2,
            "sort": 1,
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": ["All"], "value": ["$__all"]},
        }
        known.append(short)
    yield {
        "name": "lookback",
        "label": "lookback",
        "description": "How far back a window's newest point may be: two windows, and how late they close.",
        "type": "textbox",
        "query": f"{LOOKBACK}s",
        "current": {"text": f"{LOOKBACK}s", "value": f"{LOOKBACK}s"},
        "hide": 0,
    }
    yield {
        "name": "fresh",
        "type": "constant",
        "query": f"{FRESH}s",
        "current": {"text": f"{FRESH}s", "value": f"{FRESH}s"},
        "hide": 2,
    }


def _matcher(short: str) -> str:
    return f'{label(short)}=~"${short}"'


def _panels(board: Board) -> Iterator[dict[str, Any]]:
    number = top = 0
    for row in board.rows:
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "panels": [],
            "gridPos": {"x": 0, "y": top, "w": _WIDE, "h": 1},
        }
        top += 1
        for place in places(row.panels):
            number += 1
            position = {
                "x": place.x * SCALE_X,
                "y": top + place.y * SCALE_Y,
                "w": place.width * SCALE_X,
                "h": place.height * SCALE_Y,
            }
            yield {"id": number, "gridPos": position, **panel_document(place.panel, board.variables)}
        top += height(row.panels) * SCALE_Y
