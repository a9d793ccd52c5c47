"""What Datadog's API description lets a dashboard and a monitor be, and what its documentation says besides."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

_SCHEMA = Path(__file__).with_name("datadog-v1.schema.json")
_WIDGETS = {
    "note": "NoteWidgetDefinition",
    "group": "GroupWidgetDefinition",
    "timeseries": "TimeseriesWidgetDefinition",
    "query_value": "QueryValueWidgetDefinition",
    "query_table": "TableWidgetDefinition",
    "list_stream": "ListStreamWidgetDefinition",
}
_COLUMNS = 12


@cache
def _validator(name: str) -> Draft202012Validator:
    schemas = json.loads(_SCHEMA.read_bytes())["components"]["schemas"]
    schemas["WidgetDefinition"] = {"type": "object", "required": ["type"]}  # each is held to its own below
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}})


def wrong_with_dashboard(document: Any) -> Iterator[str]:
    """Yield what is wrong with a dashboard, its widgets included."""
    yield from _wrong("Dashboard", document)
    names = [variable["name"] for variable in document.get("template_variables", [])]
    if len(set(names)) < len(names):
        yield "a template variable twice"
    yield from _wrong_with_widgets(document["widgets"], fixed=document.get("reflow_type") == "fixed")


def wrong_with_monitor(document: Any) -> Iterator[str]:
    """Yield what is wrong with a monitor."""
    yield from _wrong("Monitor", document)


def wrong_with(name: str, document: Any) -> Iterator[str]:
    """Yield what is wrong with anything else of the description, by its name there."""
    yield from _wrong(name, document)


def _wrong_with_widgets(widgets: Any, *, fixed: bool) -> Iterator[str]:
    taken: set[tuple[int, int]] = set()
    for one in widgets:
        definition, place = one["definition"], one.get("layout")
        yield from _wrong(_WIDGETS[definition["type"]], definition)
        if fixed and place is None:
            yield f"{definition.get('title')}: no place"
        if place is not None:
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["width"])
                for y in range(place["y"], place["y"] + place["height"])
            }
            if taken & cells or max(x for x, _ in cells) >= _COLUMNS:
                yield f"{definition.get('title')}: over another widget, or over the edge"
            taken |= cells
        if definition["type"] == "group":
            if any(inner["definition"]["type"] == "group" for inner in definition["widgets"]):
                yield "a group within a group"
            yield from _wrong_with_widgets(definition["widgets"], fixed=fixed)


def _wrong(name: str, document: Any) -> Iterator[str]:
    for error in _validator(name).iter_errors(document):
        yield f"{name} {error.json_path}: {error.message[:200]}"
