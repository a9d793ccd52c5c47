"""Saved objects are whole: what they refer to is there, what is JSON in a text is JSON, fields and metrics exist."""

import json
import re

import pytest

from mlvitals.assets.boards import BOARDS
from mlvitals.assets.opensearch.objects import saved_objects
from mlvitals.assets.query import ELSEWHERE
from mlvitals.signals.registry import REGISTRY
from mlvitals.sinks.opensearch.choices import Engine
from mlvitals.sinks.opensearch.templates import render
from mlvitals.telemetry.naming.opensearch import Schema, attribute_field

LINES = [one.line() for one in saved_objects()]
BY_KEY = {(line["type"], line["id"]): line for line in LINES}
WIDTH = 48

each = pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line['type']}:{line['id']}")


def fields():
    """Every field that the templates map."""
    found = set()

    def walk(properties, path):
        for name, told in properties.items():
            found.add(path + name)
            walk(told.get("properties", {}), f"{path}{name}.")

    for artifact in render(REGISTRY, Schema.SS4O, "x", Engine.OPENSEARCH):
        walk(artifact.body["template"]["mappings"].get("properties", {}), "")
    return found


# Of a segment or a bound only some series are: the template maps these attributes when the first comes.
FIELDS = fields() | {attribute_field(name, Schema.SS4O) for name in ELSEWHERE}


def leaves(told):
    if isinstance(told, dict):
        for name, value in told.items():
            yield name, value
            yield from leaves(value)
    elif isinstance(told, list):
        for one in told:
            yield from leaves(one)


def parsed(line):
    """An object with each text that holds JSON read."""
    attributes = {
        name: json.loads(value) if name.endswith(("JSON", "visState")) else value
        for name, value in line["attributes"].items()
    }
    meta = attributes.get("kibanaSavedObjectMeta")
    if meta is not None:
        attributes["kibanaSavedObjectMeta"] = json.loads(meta["searchSourceJSON"])
    state = attributes.get("visState", {})
    if state.get("type") == "vega":
        state["params"]["spec"] = json.loads(state["params"]["spec"])
    return attributes


@each
def test_what_is_json_in_a_text_is_json_and_names_references_that_are_there(line):
    told = parsed(line)
    named = {one["name"] for one in line["references"]}
    used = {value for name, value in leaves(told) if name in {"panelRefName", "indexRefName", "indexPatternRefName"}}
    assert used == named
    assert {(one["type"], one["id"]) for one in line["references"]} <= set(BY_KEY)


@each
def test_its_identifier_is_ours_and_it_is_titled_and_versioned(line):
    assert re.fullmatch(r"mlvitals-[a-z0-9-]+", line["id"])
    assert line["attributes"]["title"]
    assert list(line["migrationVersion"]) == [line["type"]]
    assert len(BY_KEY) == len(LINES)


@each
def test_every_field_and_metric_that_it_names_exists(line):
    told = parsed(line)
    for name, value in leaves(told):
        if name in {"field", "fieldName"} and str(value).startswith(("attributes.", "service")):
            assert value in FIELDS
        if name == "term":
            assert set(value) <= FIELDS
            assert value.get("name", "mlvitals.pipeline.heartbeat") in REGISTRY
        if name == "columns" and isinstance(value, list):
            assert set(value) <= FIELDS


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_panels_of_a_board_lie_on_the_grid_and_do_not_overlap(board):
    taken: set[tuple[int, int]] = set()
    for panel in parsed(BY_KEY["dashboard", f"mlvitals-{board.name}"])["panelsJSON"]:
        place = panel["gridData"]
        assert place["x"] + place["w"] <= WIDTH
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        taken |= cells


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_every_panel_of_a_board_is_on_its_page(board):
    titles = [BY_KEY[one["type"], one["id"]]["attributes"]["title"] for one in dashboard(board)["references"]]
    assert {panel.title for panel in board.panels if panel.title} <= set(titles)
    assert len(titles) == len(board.panels) + len(board.rows) + 2


def test_links_of_a_board_lead_to_boards_that_are_there():
    texts = [parsed(line)["visState"]["params"]["markdown"] for line in LINES if "-guide" in line["id"]]
    aims = re.findall(r"#/view/([a-z-]+)", " ".join(texts))
    assert {("dashboard", aim) for aim in aims} == {key for key in BY_KEY if key[0] == "dashboard"}


def dashboard(board):
    return BY_KEY["dashboard", f"mlvitals-{board.name}"]


def test_a_document_for_the_index_of_dashboards_says_what_the_import_says():
    for one in saved_objects():
        document, line = one.document(), one.line()
        assert document["_id"] == f"{line['type']}:{line['id']}"
        assert document["_source"][line["type"]] == line["attributes"]
        assert document["_source"]["references"] == line["references"]
