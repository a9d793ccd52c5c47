"""How a resource is made, read, changed and ended by an API."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.terraform_standin.api import Api
from tests.terraform_standin.body import body_of, state_of
from tests.terraform_standin.plan import same
from tests.terraform_standin.schema import Attribute, Block
from tests.terraform_standin.values import Object


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A kind of resource, most of which differ by their addresses alone.

    create, read, update, delete: method and path each, with attributes in braces; a kind without `delete` stays where
    it is when its resource ends. identity: where the answer holds the id, or `{name}` for an attribute.
    made, found: where the object stands in the answers to `create` and `read`. constants: what every body says.
    """

    create: str
    read: str
    update: str
    delete: str | None
    identity: str = "id"
    made: str = ""
    found: str = ""
    constants: Mapping[str, Any] = field(default_factory=dict)

    def make(self, api: Api, block: Block, planned: Object) -> Object:
        """Make what is planned, and return what it then is."""
        answer = api.ask(*address(self.create, planned), self.body(block, planned))
        if self.identity.startswith("{"):
            name = address(f"GET {self.identity}", planned, plain=True)[1]
        else:
            name = str(inside(inside(answer, self.made), self.identity))
        return self.must_look(api, block, {**planned, "id": name})

    def look(self, api: Api, block: Block, state: Object) -> Object | None:
        """Return what a resource is by now, None where it is gone."""
        answer = api.look(*address(self.read, state))
        if answer is None:
            return None
        return {**state_of(block, self.told(inside(answer, self.found)), state, self.same), "id": state["id"]}

    def must_look(self, api: Api, block: Block, state: Object) -> Object:
        """Return what a resource is right after it was written."""
        found = self.look(api, block, state)
        if found is None:
            raise LookupError(f"{state['id']} was written and is not there")
        return found

    def change(self, api: Api, block: Block, prior: Object, planned: Object) -> Object:
        """Make a resource what is planned, and return what it then is."""
        state = {**planned, "id": prior["id"]}
        api.ask(*address(self.update, state), self.body(block, state))
        return self.must_look(api, block, state)

    def end(self, api: Api, state: Object) -> None:
        """End a resource; one that is gone already is no error."""
        if self.delete is not None:
            api.look(*address(self.delete, state))

    def check(self, api: Api, block: Block, planned: Object) -> None:
        """Ask, while planning, whether the API would take it; most cannot be asked."""

    def body(self, block: Block, state: Object) -> Any:
        """Return the body that is sent."""
        return merged(body_of(block, state), self.constants)

    def told(self, body: Any) -> Any:
        """Return what of an answer is the resource's."""
        return body

    def same(self, attribute: Attribute, one: Any, other: Any) -> bool:
        """Tell whether two values of an attribute mean the same to the API."""
        return same(attribute, one, other)


def address(call: str, state: Object, *, plain: bool = False) -> tuple[str, str]:
    """Return the method and the path of a call, filled in from a resource's attributes."""
    method, path = call.split(" ", 1)
    return method, re.sub(
        r"\{(\w+)\}", lambda name: str(state[name[1]]) if plain else quote(str(state[name[1]]), safe=""), path
    )


def inside(body: Any, at: str) -> Any:
    """Return what stands at a place in an answer: keys and numbers, joined by dots.

    Raises:
        LookupError: it is not there.

    """
    for name in at.split(".") if at else ():
        body = body[int(name) if isinstance(body, list) else name]
    return body


def merged(body: Object, more: Mapping[str, Any]) -> Object:
    """Return a body with what every body of its kind says."""
    told = dict(body)
    for name, value in more.items():
        inner = told.get(name)
        told[name] = merged(inner if isinstance(inner, dict) else {}, value) if isinstance(value, dict) else value
    return told
