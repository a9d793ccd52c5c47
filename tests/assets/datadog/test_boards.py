"""Dashboards for Datadog: as its API description has them, asking for what exists, showing every signal."""

from collections.abc import Iterator
from typing import Any

import pytest

from mlvitals.assets.boards import BOARDS, Kind
from mlvitals.assets.datadog.board import board_document
from mlvitals.assets.query import ELSEWHERE, carried
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Export
from mlvitals.telemetry.naming.datadog import attribute_key
from tests.assets.datadog.language import read_selector
from tests.assets.datadog.strict import wrong_with_dashboard

each = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
ADDED_BY_DATADOG = {"id", "url", "author_handle", "created_at", "modified_at", "is_read_only", "notify_list"}


def definitions(document: Any) -> Iterator[Any]:
    for one in document["widgets"]:
        yield one["definition"]
        yield from definitions(one["definition"]) if "widgets" in one["definition"] else ()


def queries(document: Any) -> Iterator[str]:
    for definition in definitions(document):
        for request in definition.get("requests", []):
            named = {one["name"]: one["query"] for one in request.get("queries", [])}
            assert {one["formula"] for one in request.get("formulas", [])} == set(named)
            yield from named.values()


@each
def test_a_board_is_as_datadog_takes_it_and_holds_nothing_of_its_own(board):
    document = board_document(board)
    assert list(wrong_with_dashboard(document)) == []
    assert not ADDED_BY_DATADOG & {key for one in (document, *definitions(document)) for key in one}


@each
def test_every_query_names_a_metric_of_the_registry_and_tags_that_it_has(board):
    document = board_document(board)
    variables = {variable["name"]: variable["prefix"] for variable in document["template_variables"]}
    for text in queries(document):
        asked = read_selector(text)
        tags = {attribute_key(short) for short in (*carried(REGISTRY[asked.metric]), *ELSEWHERE)}
        named = {variables[one.variable.removeprefix("$")] if one.variable else one.key for one in asked.filters}
        assert named | set(asked.by) <= tags, text


@each
def test_every_panel_is_there_with_its_words(board):
    shown = {definition.get("title") for definition in definitions(board_document(board))}
    assert {panel.title for panel in board.panels if panel.kind is not Kind.NOTE} <= shown
    assert {row.title for row in board.rows} <= shown


def test_every_signal_that_is_exported_by_default_is_on_a_board():
    asked = {read_selector(text).metric for board in BOARDS for text in queries(board_document(board))}
    assert {spec.name for spec in REGISTRY.values() if spec.level is Export.LEAN} <= asked


def test_a_faulty_board_is_found_out():
    document = board_document(BOARDS[0])
    assert list(wrong_with_dashboard({**document, "is_read_only": True}))
    document["widgets"][1]["layout"]["width"] = 13
    assert list(wrong_with_dashboard(document))
    document["widgets"][1]["definition"]["colour"] = "red"
    assert len(list(wrong_with_dashboard(document))) > 1


@pytest.mark.parametrize(
    "text",
    [
        "max:mlvitals.a{*} by {}",
        "max:mlvitals.a",
        "last:mlvitals.a{*}",
        "max:mlvitals.a{model:A B}",
        "max:mlvitals.a{$env AND model:a,b:c}",
        "max:mlvitals.a{*} by {model,model}",
    ],
)
def test_what_is_no_query_is_found_out(text):
    with pytest.raises(ValueError, match=r"no query|no filter|twice|commas|stored"):
        read_selector(text)
