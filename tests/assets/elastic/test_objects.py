"""Saved objects of Kibana are whole: references are there, panels lie on the grid, fields and metrics exist."""

import json
import re

import pytest

from mlvitals.assets.boards import BOARDS, Kind
from mlvitals.assets.documents import ECS
from mlvitals.assets.elastic.objects import saved_objects
from mlvitals.assets.query import ELSEWHERE
from mlvitals.signals.registry import REGISTRY
from mlvitals.sinks.opensearch.choices import Engine
from mlvitals.sinks.opensearch.templates import render
from mlvitals.telemetry.naming.opensearch import Schema

LINES = [one.line() for one in saved_objects()]
BY_KEY = {(line["type"], line["id"]): line for line in LINES}
WIDTH = 48
PANEL = {"panelIndex", "gridData", "embeddableConfig", "type"}

each = pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line['type']}:{line['id']}")
each_board = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)


def fields():
    """Every field that the templates map."""
    found = set()

    def walk(properties, path):
        for name, told in properties.items():
            found.add(path + name)
            walk(told.get("properties", {}), f"{path}{name}.")

    for artifact in render(REGISTRY, Schema.ECS, "x", Engine.ELASTICSEARCH):
        walk(artifact.body["template"]["mappings"].get("properties", {}), "")
    return found


FIELDS = fields() | {ECS.field_of(name) for name in ELSEWHERE}


def leaves(told):
    if isinstance(told, dict):
        for name, value in told.items():
            yield name, value
            yield from leaves(value)
    elif isinstance(told, list):
        for one in told:
            yield from leaves(one)


def dashboard(board):
    return BY_KEY["dashboard", f"mlvitals-{board.name}"]


def panels(board):
    return json.loads(dashboard(board)["attributes"]["panelsJSON"])


def pictures(board, kind):
    return [one["embeddableConfig"]["savedVis"] for one in panels(board) if is_picture(one, kind)]


def is_picture(panel, kind):
    return panel["embeddableConfig"].get("savedVis", {}).get("type") == kind


@each
def test_a_line_is_titled_versioned_and_refers_to_what_came_before(line):
    assert set(line) == {
        "id",
        "type",
        "attributes",
        "references",
        "coreMigrationVersion",
        "typeMigrationVersion",
        "managed",
    }
    assert re.fullmatch(r"mlvitals-[a-z0-9-]+", line["id"])
    assert line["attributes"]["title"]
    before = {(one["type"], one["id"]) for one in LINES[: LINES.index(line)]}
    assert {(one["type"], one["id"]) for one in line["references"]} <= before
    assert len(BY_KEY) == len(LINES)


@each_board
def test_references_are_named_as_panels_and_lists_ask_for_them(board):
    asked = [f"{one['panelIndex']}:{one['panelRefName']}" for one in panels(board) if "panelRefName" in one]
    controls = json.loads(dashboard(board)["attributes"]["controlGroupInput"]["panelsJSON"])
    asked += [f"controlGroup_{name}:optionsListDataView" for name in controls]
    assert sorted(asked) == sorted(one["name"] for one in dashboard(board)["references"])
    assert [one["explicitInput"]["fieldName"] for one in controls.values()] == [*map(ECS.field_of, board.variables)]
    assert {one["explicitInput"]["fieldName"] for one in controls.values()} <= FIELDS


@each_board
def test_panels_lie_on_the_grid_do_not_overlap_and_have_their_picture_or_its_name(board):
    taken: set[tuple[int, int]] = set()
    for panel in panels(board):
        assert set(panel) >= PANEL
        assert set(panel) - PANEL <= {"title", "panelRefName"}
        assert ("savedVis" in panel["embeddableConfig"]) is not ("panelRefName" in panel)
        place = panel["gridData"]
        assert place["i"] == panel["panelIndex"]
        assert place["x"] + place["w"] <= WIDTH
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken
        taken |= cells


@each_board
def test_every_panel_of_the_catalogue_is_there(board):
    pictured = [one for one in board.panels if one.kind not in {Kind.NOTE, Kind.EVENTS}]
    assert [one["title"] for one in pictures(board, "vega")] == [one.title for one in pictured]
    notes = [one for one in board.panels if one.kind is Kind.NOTE]
    assert len(pictures(board, "markdown")) == 1 + len(board.rows) + len(notes)


@each_board
def test_every_field_and_metric_that_a_picture_names_exists(board):
    for picture in pictures(board, "vega"):
        spec = json.loads(picture["params"]["spec"])
        told = [*leaves(spec)]
        assert {value for name, value in told if name == "index"} == {"mlvitals-metrics-*"}
        for name, value in told:
            if name == "field" and str(value).startswith(("mlvitals.", "service.")):
                assert value in FIELDS
            if name == "term":
                assert set(value) <= FIELDS
                assert value.get("name", "mlvitals.pipeline.heartbeat") in REGISTRY


def test_links_lead_to_boards_that_are_there():
    texts = [one["params"]["markdown"] for board in BOARDS for one in pictures(board, "markdown")]
    aims = re.findall(r"#/view/([a-z-]+)", " ".join(texts))
    assert {("dashboard", aim) for aim in aims} == {key for key in BY_KEY if key[0] == "dashboard"}


def test_log_records_are_found_by_the_names_that_the_sink_gives_them():
    for line in LINES:
        if line["type"] == "search":
            assert set(line["attributes"]["columns"]) <= FIELDS
            meta = json.loads(line["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
            assert [one["name"] for one in line["references"]] == [meta["indexRefName"]]
            assert meta["query"]["query"].startswith("event.action: (")
