"""The boards: six pages, the same in every backend."""

from typing import Final

from mlvitals.assets.boards.board import Board, Kind, Mark, Panel, Row
from mlvitals.assets.boards.drift import DRIFT
from mlvitals.assets.boards.exporter import EXPORTER
from mlvitals.assets.boards.fleet import FLEET
from mlvitals.assets.boards.model import MODEL
from mlvitals.assets.boards.performance import PERFORMANCE
from mlvitals.assets.boards.value import VALUE

BOARDS: Final[tuple[Board, ...]] = (FLEET, MODEL, DRIFT, PERFORMANCE, VALUE, EXPORTER)

__all__ = ["BOARDS", "Board", "Kind", "Mark", "Panel", "Row"]
