"""A board as a page of OpenSearch Dashboards or Kibana: where things lie, what leads on, which events are shown."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from mlvitals.assets.boards import BOARDS, Board, Panel, Row
from mlvitals.assets.boards.layout import COLUMNS, height, places

WIDTH: Final = 48
_GRID: Final = WIDTH // COLUMNS
_HEADING: Final = 3
_PREFIX: Final = "mlvitals"


class Box(NamedTuple):
    """Where something lies on the page's grid, which is `WIDTH` wide."""

    x: int
    y: int
    w: int
    h: int


def boxes(board: Board, top: int) -> Iterator[tuple[Row, Panel | None, Box]]:
    """Yield the heading of each row, as no panel, and its panels, with where they lie from a line downwards."""
    for row in board.rows:
        yield row, None, Box(0, top, WIDTH, _HEADING)
        top += _HEADING
        for place in places(row.panels):
            box = Box(place.x * _GRID, top + place.y * _GRID, place.width * _GRID, place.height * _GRID)
            yield row, place.panel, box
        top += height(row.panels) * _GRID


def guide(board: Board) -> str:
    """Return what a board answers and whither it leads, as Markdown."""
    titles = {one.name: one.title.rpartition("·")[2].strip() for one in BOARDS}
    links = " · ".join(f"[{titles[name]}](#/view/{identifier(name)})" for name in board.leads_to)
    return f"{board.brief}\n\n**Go on:** {links}"


def events(panel: Panel, field: str) -> str:
    """Return which log records a panel shows, in KQL; `field` holds the name of an event."""
    names = " or ".join(f'"{name}"' for name in panel.events)
    return f"{field}: ({names})"


def identifier(*parts: str) -> str:
    """Return the identifier of an object, which stays."""
    words = "-".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in parts)
    return f"{_PREFIX}-{words}"


def text(told: Any) -> str:
    """Return JSON as it stands in a text."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
