"""Boards as saved objects of Kibana: data views, searches of log records, boards with their panels in them.

The versions are those that Kibana 8.17 writes into what it exports; newer ones migrate them when they are imported.
Identifiers are ours and stay, so that a second import replaces the first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mlvitals.assets.boards import BOARDS, Board, Kind, Panel
from mlvitals.assets.documents import ECS, TIME, vega
from mlvitals.assets.documents.page import WIDTH, Box, boxes, events, guide, identifier, text

_CORE_VERSION: Final = "8.8.0"
_VERSIONS: Final = {"index-pattern": "8.0.0", "search": "8.0.0", "dashboard": "8.9.0"}
_HEAD: Final = 5
_OPTIONS: Final = {
    "hidePanelTitles": False,
    "syncColors": False,
    "syncCursor": True,
    "syncTooltips": False,
    "useMargins": True,
}
_NO_QUERY: Final[Mapping[str, Any]] = {"query": {"language": "kuery", "query": ""}, "filter": []}
_NOTHING_IGNORED: Final = {
    "ignoreFilters": False,
    "ignoreQuery": False,
    "ignoreTimerange": False,
    "ignoreValidations": False,
}
_SOURCE: Final = "kibanaSavedObjectMeta"
_INDEX: Final = f"{_SOURCE}.searchSourceJSON.index"

Reference = tuple[str, str, str]  # name, kind, identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedObject:
    """One object: what it is, its identifier, what it says, and what it refers to by name, kind and identifier."""

    kind: str
    id: str
    attributes: Mapping[str, Any]
    references: tuple[Reference, ...] = field(default=())

    def line(self) -> dict[str, Any]:
        """Return it as it is imported: a line of NDJSON."""
        return {
            "id": self.id,
            "type": self.kind,
            "attributes": dict(self.attributes),
            "references": [{"name": name, "type": kind, "id": one} for name, kind, one in self.references],
            "coreMigrationVersion": _CORE_VERSION,
            "typeMigrationVersion": _VERSIONS[self.kind],
            "managed": False,
        }


def _data_view(name: str, title: str, indices: str) -> SavedObject:
    attributes = {"title": indices, "name": title, "timeFieldName": TIME}
    return SavedObject(kind="index-pattern", id=identifier(name), attributes=attributes)


METRICS_VIEW: Final = _data_view("metrics", "mlvitals: measurements", ECS.metrics)
LOGS_VIEW: Final = _data_view("logs", "mlvitals: log records", ECS.logs)


def saved_objects() -> list[SavedObject]:
    """Return everything that the boards need, what is referred to before what refers."""
    return [METRICS_VIEW, LOGS_VIEW, *(one for board in BOARDS for one in _of_board(board))]


def _of_board(board: Board) -> Iterator[SavedObject]:
    panels = [_panel(0, Box(0, 0, WIDTH, _HEAD), "", "", _markdown(guide(board)))]
    references: list[Reference] = []
    for turn, (row, panel, box) in enumerate(boxes(board, _HEAD), 1):
        if panel is not None and panel.kind is Kind.EVENTS:
            records = _records(board, panel)
            yield records
            panels.append({**_placed(turn, box), "type": records.kind, "panelRefName": f"panel_{turn}"})
            references.append((f"{turn}:panel_{turn}", records.kind, records.id))
        elif panel is None:
            panels.append(_panel(turn, box, "", "", _markdown(f"### {row.title}")))
        elif panel.kind is Kind.NOTE:
            panels.append(_panel(turn, box, "", "", _markdown(panel.text)))
        else:
            picture = {"type": "vega", "params": {"spec": text(vega.spec(panel, ECS))}}
            panels.append(_panel(turn, box, panel.title, panel.brief, picture))
    yield _dashboard(board, panels, references)


def _dashboard(board: Board, panels: list[dict[str, Any]], references: list[Reference]) -> SavedObject:
    views = [
        (f"controlGroup_{name}:optionsListDataView", METRICS_VIEW.kind, METRICS_VIEW.id) for name in board.variables
    ]
    return SavedObject(
        kind="dashboard",
        id=identifier(board.name),
        attributes={
            "title": board.title,
            "description": board.brief,
            "version": 2,
            "panelsJSON": text(panels),
            "controlGroupInput": _controls(board),
            "optionsJSON": text(_OPTIONS),
            "timeRestore": True,
            "timeFrom": "now-24h",
            "timeTo": "now",
            "refreshInterval": {"pause": False, "value": 60_000},
            _SOURCE: {"searchSourceJSON": text(_NO_QUERY)},
        },
        references=(*references, *views),
    )


def _controls(board: Board) -> dict[str, Any]:
    """Return the lists of a board's variables: what is chosen filters every panel, and the lists after it."""
    lists = {
        name: {
            "type": "optionsListControl",
            "order": turn,
            "grow": True,
            "width": "medium",
            "explicitInput": {
                "id": name,
                "fieldName": ECS.field_of(name),
                "title": name.replace("_", " "),
                "searchTechnique": "prefix",
                "selectedOptions": [],
                "singleSelect": False,
            },
        }
        for turn, name in enumerate(board.variables)
    }
    return {
        "chainingSystem": "HIERARCHICAL",
        "controlStyle": "oneLine",
        "ignoreParentSettingsJSON": text(_NOTHING_IGNORED),
        "panelsJSON": text(lists),
        "showApplySelections": False,
    }


def _records(board: Board, panel: Panel) -> SavedObject:
    query = {
        "query": {"language": "kuery", "query": events(panel, "event.action")},
        "filter": [],
        "indexRefName": _INDEX,
        "highlightAll": True,
    }
    return SavedObject(
        kind="search",
        id=identifier(board.name, panel.title),
        attributes={
            "title": panel.title,
            "description": panel.brief,
            "columns": ["event.action", ECS.field_of("model"), "message"],
            "sort": [[TIME, "desc"]],
            "grid": {},
            "hideChart": True,
            "isTextBasedQuery": False,
            _SOURCE: {"searchSourceJSON": text(query)},
        },
        references=((_INDEX, LOGS_VIEW.kind, LOGS_VIEW.id),),
    )


def _placed(turn: int, box: Box) -> dict[str, Any]:
    return {"panelIndex": str(turn), "gridData": {**box._asdict(), "i": str(turn)}, "embeddableConfig": {}}


def _panel(turn: int, box: Box, title: str, brief: str, picture: Mapping[str, Any]) -> dict[str, Any]:
    """Return a panel that has its picture in itself."""
    data = {"aggs": [], "searchSource": _NO_QUERY}
    picture = {"id": "", "title": title, "description": brief, "uiState": {}, "data": data, **picture}
    told = {"enhancements": {}, "hidePanelTitles": not title, "savedVis": picture}
    titled = {"title": title} if title else {}
    return {**_placed(turn, box), "type": "visualization", **titled, "embeddableConfig": told}


def _markdown(words: str) -> dict[str, Any]:
    return {"type": "markdown", "params": {"fontSize": 12, "openLinksInNewTab": False, "markdown": words}}
