"""What a key is when it is left out: the document's `defaults` under each model, then our own that depend on others."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mlvitals.clock import parse_duration
from mlvitals.config.choices import steps_of
from mlvitals.errors import ConfigError

_MODEL_PATH: Final = re.compile(r" - at `\$\.models\[\d+\](.*)`$")
_NAMED_FIELD: Final = re.compile(r"unknown field `([^`]+)`")
_STATE_PATH: Final = ".mlvitals/state.db"
_NOWHERE: Final = "none"  # as a `url`: the state is kept nowhere


def merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `over` laid on `under`: mappings merge, anything else (lists, nulls) replaces what is under it."""
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def fill(root: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document without `defaults`, every key that depends on others filled in.

    What has not the expected shape passes unchanged: converting it says what is wrong.

    Raises:
        ConfigError: `defaults` is no mapping, or `state` says two places.

    """
    filled = {"models": [], "sources": [], "sinks": [{"type": "local"}], **root}
    if not isinstance(filled.pop("defaults", {}), dict):
        raise ConfigError("Expected `object` - at `$.defaults`")
    filled["state"] = _fill_state(filled.get("state"))
    return filled


def fill_model(entry: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return one of the `models` with the `defaults` under it, every key that depends on others filled in."""
    model = merge(defaults, entry)
    labels = model.get("labels")
    if isinstance(labels, dict):
        model["labels"] = _fill_labels(labels)
    if model.get("deduplicate") is None:
        model["deduplicate"] = labels is not None
    return model


def blame(message: str, entry: Any, defaults: Mapping[str, Any]) -> str:
    """Return a message about a model's key with the path in `defaults`, where the value came from there."""
    match = _MODEL_PATH.search(message)
    if match is None:
        return message
    keys = steps_of(match[1])
    if field := _NAMED_FIELD.search(message):
        keys.append(field[1])
    if keys and _holds(defaults, keys) and not _holds(entry, keys):
        return f"{message[: match.start()]} - at `$.defaults{match[1]}`"
    return message


def _holds(part: Any, keys: Sequence[str | int]) -> bool:
    for key in keys:
        known = range(len(part)) if isinstance(part, list) else part if isinstance(part, dict) else ()
        if key not in known:
            return False
        part = part[key]
    return True


def _fill_labels(labels: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in labels.items() if value is not None}
    try:
        ascending = sorted(given.get("maturities", ()), key=parse_duration)
    except (TypeError, ValueError):
        return given
    return {"delay": ascending[0], "horizon": ascending[-1], **given} if ascending else given


def _fill_state(state: Any) -> Any:
    if state == _NOWHERE:
        state = {"url": _NOWHERE}
    if state is not None and not isinstance(state, dict):
        return state
    if state and "url" in state and "path" in state:
        raise ConfigError("give either `path` or `url` - at `$.state`")
    filled = {"path": _STATE_PATH, **(state or {})}
    if filled.get("key") is None:
        filled["key"] = {"path": f"{filled['path']}.key"}
    return filled
