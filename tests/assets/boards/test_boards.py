"""Boards ask for what exists, mix no two meanings, show every lean signal, and fit the page."""

import pytest

from mlvitals.assets.boards import BOARDS, Kind
from mlvitals.assets.boards.layout import COLUMNS, places
from mlvitals.assets.query import broken_rules
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Export, Layer

PANELS = [pytest.param(board, panel, id=f"{board.name}-{panel.title}") for board in BOARDS for panel in board.panels]


@pytest.mark.parametrize(("board", "panel"), PANELS)
def test_a_panel_asks_for_signals_that_exist_and_mixes_no_two_meanings(board, panel):
    del board
    assert bool(panel.queries) is (panel.kind not in {Kind.NOTE, Kind.EVENTS})
    for query in panel.queries:
        assert list(broken_rules(query, REGISTRY[query.metric])) == []
    assert len({REGISTRY[query.metric].unit for query in panel.queries}) <= 1 or panel.title.startswith("Coverage")


def test_every_signal_is_on_a_board():
    shown = {query.metric for board in BOARDS for panel in board.panels for query in panel.queries}
    assert {name for name, spec in REGISTRY.items() if spec.level is Export.LEAN} <= shown
    assert set(REGISTRY) == shown


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_panels_fill_their_lines_and_do_not_overlap(board):
    for row in board.rows:
        taken: set[tuple[int, int]] = set()
        for place in places(row.panels):
            cells = {
                (x, y) for x in range(place.x, place.x + place.width) for y in range(place.y, place.y + place.height)
            }
            assert not cells & taken
            assert place.x + place.width <= COLUMNS
            taken |= cells
        lines = {place.y for place in places(row.panels)}
        for line in lines:
            assert sum(place.width for place in places(row.panels) if place.y == line) == COLUMNS, row.title


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_a_board_is_told_apart_leads_to_others_and_says_what_each_panel_means(board):
    names = [one.name for one in BOARDS]
    assert names.count(board.name) == 1
    assert set(board.leads_to) <= set(names) - {board.name}
    titles = [panel.title for panel in board.panels if panel.kind is not Kind.NOTE]
    assert len(set(titles)) == len(titles)
    assert all(panel.brief.endswith(".") for panel in board.panels if panel.kind is not Kind.NOTE)


def test_the_board_of_one_model_goes_from_pipeline_to_value():
    (model,) = (board for board in BOARDS if board.name == "model")
    layers = [row.layer for row in model.rows if row.layer is not None]
    assert layers == list(Layer)
