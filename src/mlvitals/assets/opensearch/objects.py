"""Boards as saved objects of OpenSearch Dashboards: index patterns, visualisations, searches, boards.

The versions are those that OpenSearch Dashboards 1 to 3 write into what they export; identifiers are ours and stay, so
that a second import replaces the first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mlvitals.assets.boards import BOARDS, Board, Kind, Panel, Row
from mlvitals.assets.documents import SS4O, TIME, vega
from mlvitals.assets.documents.page import Box, boxes, events, guide, identifier, text

_VERSIONS: Final = {
    "index-pattern": "7.6.0",
    "visualization": "7.10.0",
    "search": "7.9.3",
    "dashboard": "7.9.3",
}
_PANEL_VERSION: Final = "2.9.0"
_HEAD: Final = 6
_OPTIONS: Final = {"hidePanelTitles": False, "useMargins": True}
_NO_QUERY: Final[Mapping[str, Any]] = {"query": {"language": "kuery", "query": ""}, "filter": []}
_SOURCE: Final = "kibanaSavedObjectMeta"
_INDEX: Final = f"{_SOURCE}.searchSourceJSON.index"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedObject:
    """One object: what it is, its identifier, what it says, and what it refers to by name, kind and identifier."""

    kind: str
    id: str
    attributes: Mapping[str, Any]
    references: tuple[tuple[str, str, str], ...] = field(default=())

    def line(self) -> dict[str, Any]:
        """Return it as it is imported: a line of NDJSON."""
        return {"id": self.id, "type": self.kind, **self._told(), "attributes": dict(self.attributes)}

    def document(self) -> dict[str, Any]:
        """Return it as it is stored: the document in the index of Dashboards."""
        return {
            "_id": f"{self.kind}:{self.id}",
            "_source": {"type": self.kind, **self._told(), self.kind: dict(self.attributes)},
        }

    def _told(self) -> dict[str, Any]:
        named = [{"name": name, "type": kind, "id": one} for name, kind, one in self.references]
        return {"references": named, "migrationVersion": {self.kind: _VERSIONS[self.kind]}}


METRICS_PATTERN: Final = SavedObject(
    kind="index-pattern", id=identifier("metrics"), attributes={"title": SS4O.metrics, "timeFieldName": TIME}
)
LOGS_PATTERN: Final = SavedObject(
    kind="index-pattern", id=identifier("logs"), attributes={"title": SS4O.logs, "timeFieldName": TIME}
)


def saved_objects() -> list[SavedObject]:
    """Return everything that the boards need, what is referred to before what refers."""
    return [METRICS_PATTERN, LOGS_PATTERN, *(one for board in BOARDS for one in _of_board(board))]


def _of_board(board: Board) -> Iterator[SavedObject]:
    placed = [(_controls(board), Box(0, 0, 30, _HEAD)), (_guide(board), Box(30, 0, 18, _HEAD))]
    for row, panel, box in boxes(board, _HEAD):
        placed.append((_heading(board, row) if panel is None else _panel(board, row, panel), box))
    yield from (one for one, _ in placed)
    yield _dashboard(board, placed)


def _dashboard(board: Board, placed: list[tuple[SavedObject, Box]]) -> SavedObject:
    panels = [
        {
            "version": _PANEL_VERSION,
            "gridData": {**box._asdict(), "i": str(turn)},
            "panelIndex": str(turn),
            "embeddableConfig": {},
            "panelRefName": f"panel_{turn}",
        }
        for turn, (_, box) in enumerate(placed)
    ]
    return SavedObject(
        kind="dashboard",
        id=identifier(board.name),
        attributes={
            "title": board.title,
            "description": board.brief,
            "hits": 0,
            "version": 1,
            "panelsJSON": text(panels),
            "optionsJSON": text(_OPTIONS),
            "timeRestore": True,
            "timeFrom": "now-24h",
            "timeTo": "now",
            "refreshInterval": {"pause": False, "value": 60_000},
            _SOURCE: {"searchSourceJSON": text(_NO_QUERY)},
        },
        references=tuple((f"panel_{turn}", one.kind, one.id) for turn, (one, _) in enumerate(placed)),
    )


def _panel(board: Board, row: Row, panel: Panel) -> SavedObject:
    if panel.kind is Kind.NOTE:
        return _markdown(identifier(board.name, "note", row.title), f"{row.title}: note", panel.text)
    if panel.kind is Kind.EVENTS:
        return _events(board, panel)
    state = {"title": panel.title, "type": "vega", "aggs": [], "params": {"spec": text(vega.spec(panel, SS4O))}}
    return _visualization(identifier(board.name, panel.title), panel.title, panel.brief, state)


def _events(board: Board, panel: Panel) -> SavedObject:
    query = {
        "query": {"language": "kuery", "query": events(panel, "event.name")},
        "filter": [],
        "indexRefName": _INDEX,
        "version": True,
        "highlightAll": True,
    }
    return SavedObject(
        kind="search",
        id=identifier(board.name, panel.title),
        attributes={
            "title": panel.title,
            "description": panel.brief,
            "hits": 0,
            "version": 1,
            "columns": ["event.name", SS4O.field_of("model"), "body"],
            "sort": [[TIME, "desc"]],
            _SOURCE: {"searchSourceJSON": text(query)},
        },
        references=((_INDEX, "index-pattern", LOGS_PATTERN.id),),
    )


def _controls(board: Board) -> SavedObject:
    """Return the lists of a board's variables: what is chosen filters every panel."""
    lists = [
        {
            "id": f"{board.name}-{name}",
            "fieldName": SS4O.field_of(name),
            "parent": "",
            "label": name.replace("_", " "),
            "type": "list",
            "options": {"type": "terms", "multiselect": True, "dynamicOptions": True, "size": 50, "order": "desc"},
            "indexPatternRefName": f"control_{turn}_index_pattern",
        }
        for turn, name in enumerate(board.variables)
    ]
    title = f"{board.title}: what to show"
    params = {"controls": lists, "updateFiltersOnChange": True, "useTimeFilter": False, "pinFilters": False}
    state = {"title": title, "type": "input_control_vis", "aggs": [], "params": params}
    return _visualization(
        identifier(board.name, "controls"),
        title,
        "",
        state,
        tuple((f"control_{turn}_index_pattern", "index-pattern", METRICS_PATTERN.id) for turn in range(len(lists))),
    )


def _guide(board: Board) -> SavedObject:
    return _markdown(identifier(board.name, "guide"), f"{board.title}: guide", guide(board))


def _heading(board: Board, row: Row) -> SavedObject:
    return _markdown(identifier(board.name, "row", row.title), f"{board.title}: {row.title}", f"### {row.title}")


def _markdown(name: str, title: str, text: str) -> SavedObject:
    params = {"fontSize": 12, "openLinksInNewTab": False, "markdown": text}
    return _visualization(name, title, "", {"title": title, "type": "markdown", "aggs": [], "params": params})


def _visualization(
    name: str,
    title: str,
    brief: str,
    state: Mapping[str, Any],
    references: tuple[tuple[str, str, str], ...] = (),
) -> SavedObject:
    return SavedObject(
        kind="visualization",
        id=name,
        attributes={
            "title": title,
            "description": brief,
            "version": 1,
            "visState": text(state),
            "uiStateJSON": "{}",
            _SOURCE: {"searchSourceJSON": text(_NO_QUERY)},
        },
        references=references,
    )
