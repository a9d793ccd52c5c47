"""A board as a dashboard of Datadog, without what Datadog itself adds to one."""

from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import quote

from mlvitals.assets.boards import BOARDS, Board, Row
from mlvitals.assets.boards.layout import COLUMNS, height, places
from mlvitals.assets.datadog.widgets import note, variable, widget
from mlvitals.telemetry.naming.datadog import attribute_key

_TALL: Final = 1  # rows of Datadog's grid for the heading of a group
_NOTE: Final = 1
_LISTS: Final = "/dashboard/lists?q="


def board_document(board: Board) -> dict[str, Any]:
    """Return the dashboard as the API takes it."""
    return {
        "title": board.title,
        "description": board.brief,
        "layout_type": "ordered",
        "reflow_type": "fixed",
        "template_variables": [
            {"name": variable(short).removeprefix("$"), "prefix": attribute_key(short), "defaults": ["*"]}
            for short in board.variables
        ],
        "widgets": list(_widgets(board)),
    }


def _widgets(board: Board) -> Iterator[dict[str, Any]]:
    yield {"definition": note(_heading(board)), "layout": _rectangle(0, 0, COLUMNS, _NOTE)}
    top = _NOTE
    for row in board.rows:
        tall = height(row.panels) + _TALL
        yield {"definition": _group(row, board.variables), "layout": _rectangle(0, top, COLUMNS, tall)}
        top += tall


def _heading(board: Board) -> str:
    """Return what the board is for, and the way to the next: dashboards have ids of an organisation, so by title."""
    titles = {one.name: one.title for one in BOARDS}
    ways = [f"[{titles[name]}]({_LISTS}{quote(titles[name])})" for name in board.leads_to]
    return f"{board.brief} Next: {', '.join(ways)}." if ways else board.brief


def _group(row: Row, variables: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "group",
        "title": row.title,
        "layout_type": "ordered",
        "show_title": True,
        "widgets": [
            {
                "definition": widget(place.panel, variables),
                "layout": _rectangle(place.x, place.y, place.width, place.height),
            }
            for place in places(row.panels)
        ],
    }


def _rectangle(x: int, y: int, width: int, tall: int) -> dict[str, int]:
    return {"x": x, "y": y, "width": width, "height": tall}
