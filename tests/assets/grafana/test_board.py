"""Dashboards hold to what Grafana's linter asks: a chosen data source, titles, descriptions, units, no place twice."""

import json
import re

import pytest

from mlvitals.assets.boards import BOARDS
from mlvitals.assets.grafana import render
from mlvitals.assets.grafana.board import board_document, uid

DOCUMENTS = [pytest.param(board_document(board), id=board.name) for board in BOARDS]
each = pytest.mark.parametrize("document", DOCUMENTS)


@each
def test_every_panel_has_a_title_a_description_a_unit_and_the_chosen_data_source(document):
    for panel in document["panels"]:
        if panel["type"] in {"row", "text"}:
            continue
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] == "$datasource"
        assert all(target["datasource"]["uid"] == "$datasource" for target in panel["targets"])
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


@each
def test_every_expression_filters_by_the_boards_variables_that_its_metric_carries(document):
    names = {one["name"] for one in document["templating"]["list"]}
    for panel in document["panels"]:
        for target in panel.get("targets", ()):
            assert "$environment" in target["expr"]
            assert set(re.findall(r"\$(\w+)", target["expr"])) <= names


@each
def test_no_two_panels_share_a_place_and_ids_are_told_apart(document):
    taken: set[tuple[int, int]] = set()
    for panel in document["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
    numbers = [panel["id"] for panel in document["panels"]]
    assert len(set(numbers)) == len(numbers)


@each
def test_links_lead_to_boards_that_ship(document):
    assert {link["url"] for link in document["links"]} <= {f"/d/{uid(board.name)}" for board in BOARDS}


def test_the_terraform_module_holds_the_same_dashboards():
    files = {path: json.loads(content) for path, content in render().items()}
    for board in BOARDS:
        assert files[f"dashboards/grafana/{board.name}.json"] == board_document(board)
        assert files[f"terraform/grafana/assets/dashboards/{board.name}.json"] == board_document(board)
