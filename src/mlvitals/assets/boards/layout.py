"""Where panels stand: from left to right in twelve columns, the next line below the tallest of the one before."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from mlvitals.assets.boards.board import Panel

COLUMNS: Final = 12


class Place(NamedTuple):
    """A panel and its rectangle, in columns and rows from the upper left corner of its row of the board."""

    panel: Panel
    x: int
    y: int
    width: int
    height: int


def places(panels: Sequence[Panel]) -> Iterator[Place]:
    """Yield where each panel stands. None overlaps another, and none is cut.

    Raises:
        ValueError: a panel is wider than the board.

    """
    x = y = tallest = 0
    for panel in panels:
        if panel.width > COLUMNS:
            raise ValueError(f"`{panel.title}` is {panel.width} columns wide, of {COLUMNS}")
        if x + panel.width > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        yield Place(panel, x, y, panel.width, panel.height)
        x, tallest = x + panel.width, max(tallest, panel.height)


def height(panels: Sequence[Panel]) -> int:
    """Return how many rows the panels take."""
    return max((place.y + place.height for place in places(panels)), default=0)
