"""What OpenSearch Dashboards and Kibana do with a Vega panel before they draw: macros become filters."""

import copy
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

# Any other unit makes the panel say an error.
_UNITS: Final = {unit: timedelta(**{f"{unit}s": 1}) for unit in ("week", "day", "hour", "minute", "second")}

Search = Callable[[str, dict[str, Any]], dict[str, Any]]


def with_data(spec: dict[str, Any], search: Search, start: datetime, end: datetime) -> dict[str, Any]:
    """Return a specification whose data stand in it, as a time range without filters gives them."""
    told = copy.deepcopy(spec)
    for holder in _holders(told):
        url = holder["data"].pop("url")
        answer = search(url["index"], _context(url["body"], start, end))
        found: Any = answer
        for step in holder["data"].pop("format")["property"].split("."):
            found = found[step]
        holder["data"]["values"] = found
    return told


def _holders(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "url" in spec.get("data", {}):
        yield spec
    for layer in spec.get("layer", []):
        yield from _holders(layer)


def _context(told: Any, start: datetime, end: datetime) -> Any:
    if isinstance(told, list):
        return [_context(one, start, end) for one in told if not str(one).startswith("%dashboard_context")]
    if not isinstance(told, dict):
        return told
    match told.get("%timefilter%"):
        case True:
            return {"gte": start.isoformat(), "lte": end.isoformat()}
        case "max":
            shift = told["shift"] * _UNITS[told["unit"]] if "shift" in told else timedelta()
            return int((end + shift).timestamp() * 1_000)
        case _:
            return {name: _context(one, start, end) for name, one in told.items()}
