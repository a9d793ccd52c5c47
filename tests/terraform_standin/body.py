"""Between a resource and the API's body: each attribute has a place in it, and is written and read by that alone."""

import json
from typing import Any

from tests.terraform_standin.plan import Same, same
from tests.terraform_standin.schema import Attribute, Block
from tests.terraform_standin.values import Object, Unknown


def body_of(block: Block, state: Object) -> Object:
    """Return the body that says what a resource is; what is not given is not said."""
    body: Object = {}
    for one in block.attributes:
        value = state.get(one.name) if one.required or one.optional else None
        if one.at is not None and value is not None and not isinstance(value, Unknown):
            _put(body, one.at, _written(one, value))
    for inner in block.blocks:
        given = state.get(inner.name)
        items = [given] if isinstance(given, dict) else given or []
        if inner.at is not None and items:
            written = [body_of(inner, item) for item in items]
            _put(body, inner.at, written[0] if inner.is_one else written)
    return body


def state_of(block: Block, body: Object, before: Object, alike: Same = same) -> Object:
    """Return what a body says that a resource is; where it means what was there, that stays as it was spelled.

    What nobody gave and the API tells as empty stays not given. What has no place in the body stays as it was.
    """
    state: Object = {}
    for one in block.attributes:
        earlier = before.get(one.name)
        earlier = None if isinstance(earlier, Unknown) else earlier
        if one.at is None:
            state[one.name] = earlier
            continue
        told = _read(one, _get(body, one.at))
        unsaid = earlier is None and not one.computed and one.default is None and not told
        stays = unsaid or (earlier is not None and told is not None and alike(one, earlier, told))
        state[one.name] = earlier if stays else told
    for inner in block.blocks:
        state[inner.name] = _blocks_of(inner, body, before.get(inner.name), alike)
    return state


def _blocks_of(block: Block, body: Object, before: Any, alike: Same) -> Any:
    if block.at is None:
        return before
    told = _get(body, block.at)
    items = [told] if isinstance(told, dict) and told else told or []
    earlier = [before] if isinstance(before, dict) else before if isinstance(before, list) else []
    states = [
        state_of(block, item, earlier[number] if number < len(earlier) else {}, alike)
        for number, item in enumerate(items)
    ]
    if not earlier and not any(value for state in states for value in state.values()):
        states = []  # two blocks may share a place: only that which finds something there is meant
    if block.nesting == "single":
        return states[0] if states else None
    return states


def _written(attribute: Attribute, value: Any) -> Any:
    if attribute.form == "number":
        number = float(value)
        return int(number) if number.is_integer() else number
    return json.loads(value) if attribute.form == "json" else value


def _read(attribute: Attribute, told: Any) -> Any:
    if told is None or attribute.form == "plain":
        return str(told) if attribute.type == "string" and isinstance(told, int | float) else told
    if attribute.form == "number":
        return f"{told:g}" if float(f"{told:g}") == told else repr(told)
    return json.dumps(told, sort_keys=True, separators=(",", ":"))


def _put(body: Object, at: str, value: Any) -> None:
    if not at:
        body.update(value)
        return
    *folders, last = at.split(".")
    for folder in folders:
        body = body.setdefault(folder, {})
    body[last] = value


def _get(body: Any, at: str) -> Any:
    for name in at.split(".") if at else ():
        if not isinstance(body, dict):
            return None
        body = body.get(name)
    return body
