"""What a resource will be, from what is configured and what it was: before the API is asked."""

import json
from collections.abc import Callable
from typing import Any

from tests.terraform_standin.schema import Attribute, Block
from tests.terraform_standin.values import UNKNOWN, Object, Unknown, is_known

Same = Callable[[Attribute, Any, Any], bool]


def same(attribute: Attribute, one: Any, other: Any) -> bool:
    """Tell whether two values of an attribute mean the same: numbers in texts by value, JSON by content."""
    if one == other or one is None or other is None or not is_known([one, other]):
        return one is other or (one is not None and bool(one == other))
    if attribute.form == "number":
        return float(one) == float(other)
    if attribute.form == "json":
        return bool(json.loads(one) == json.loads(other))
    if isinstance(attribute.type, list) and attribute.type[0] == "set":
        return sorted(one, key=repr) == sorted(other, key=repr)
    return False


def plan(block: Block, config: Object, prior: Object | None, alike: Same = same) -> Object:
    """Return what is planned: what is given, else a default, else what it was, else what the API will say.

    A value that means the same as before keeps its earlier spelling, so that it is no change.
    """
    planned: Object = {}
    for one in block.attributes:
        before = None if prior is None else prior.get(one.name)
        planned[one.name] = _plan_attribute(one, config.get(one.name), before, alike, is_new=prior is None)
    for inner in block.blocks:
        given, before = config.get(inner.name), None if prior is None else prior.get(inner.name)
        planned[inner.name] = _plan_block(inner, given, before, alike)
    return planned


def _plan_attribute(attribute: Attribute, given: Any, before: Any, alike: Same, *, is_new: bool) -> Any:
    if given is not None:
        return before if before is not None and alike(attribute, before, given) else given
    if attribute.default is not None:
        return attribute.default
    if not attribute.computed:
        return None
    return UNKNOWN if is_new else before


def _plan_block(block: Block, given: Any, before: Any, alike: Same) -> Any:
    if given is None or isinstance(given, Unknown):
        return given
    if block.nesting == "single":
        return plan(block, given, before, alike)
    earlier = before if isinstance(before, list) and block.nesting == "list" else []
    return [
        plan(block, item, earlier[number] if number < len(earlier) else None, alike)
        for number, item in enumerate(given)
    ]


def replacing(block: Block, prior: Object, planned: Object, alike: Same = same) -> list[str]:
    """Return the attributes whose change makes another object."""
    return [
        one.name
        for one in block.attributes
        if one.replaces and not alike(one, prior.get(one.name), planned.get(one.name))
    ]
