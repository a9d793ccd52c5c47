"""What a provider's resources look like: attributes and blocks, read from a file that was checked by hand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

Nesting = Literal["list", "set", "single"]
Form = Literal["plain", "number", "json"]

_FOLDER: Final = Path(__file__).with_name("schemas")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute.

    type: as Terraform writes types, `"string"` or `["set", "string"]`. at: its place in the API's body, keys joined by
    dots; an empty one is the body itself, None is nowhere. form: what its text stands for in the body.
    default: what holds where nothing is given. replaces: another value makes another object. What is only computed is
    never sent.
    """

    name: str
    type: Any
    required: bool = False
    optional: bool = False
    computed: bool = False
    sensitive: bool = False
    replaces: bool = False
    default: Any = None
    at: str | None = None
    form: Form = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Attributes, and blocks within.

    least, most: how many there may be, where `most` is 0 any number. at: its place in the API's body, see `Attribute`.
    many: the API takes a list even where there is one at most.
    """

    name: str = ""
    attributes: tuple[Attribute, ...] = ()
    blocks: tuple["Block", ...] = ()
    nesting: Nesting = "list"
    least: int = 0
    most: int = 0
    many: bool = False
    at: str | None = None

    @property
    def is_one(self) -> bool:
        """Tell whether the API takes it as one object rather than a list."""
        return not self.many and (self.nesting == "single" or self.most == 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A provider's: its own block and its resources' by their types."""

    provider: Block
    resources: Mapping[str, Block]


def read_schema(provider: str) -> Schema:
    """Return the schema of a provider by its short name."""
    told = json.loads((_FOLDER / f"{provider}.json").read_text("utf-8"))
    resources = {name: _block(name, body) for name, body in told["resources"].items()}
    for name, block in resources.items():
        if all(one.name != "id" for one in block.attributes):
            own = Attribute(name="id", type="string", computed=True)
            resources[name] = Block(name=name, attributes=(*block.attributes, own), blocks=block.blocks)
    return Schema(provider=_block("provider", told["provider"]), resources=resources)


def _block(name: str, told: Mapping[str, Any]) -> Block:
    return Block(
        name=name,
        attributes=tuple(_attribute(one, body) for one, body in told.get("attributes", {}).items()),
        blocks=tuple(_block(one, body) for one, body in told.get("blocks", {}).items()),
        nesting=told.get("nesting", "list"),
        least=told.get("least", 0),
        most=told.get("most", 0),
        many=told.get("many", False),
        at=told.get("at", name),
    )


def _attribute(name: str, told: Mapping[str, Any]) -> Attribute:
    """Read `{"is": "string", …}`: the type, after which `required`, `optional`, `computed` and the like may stand."""
    kind, *traits = told["is"].split()
    container, _, element = kind.partition(":")
    return Attribute(
        name=name,
        type=[container, element] if element else kind,
        required="required" in traits,
        optional="optional" in traits,
        computed="computed" in traits,
        sensitive="sensitive" in traits,
        replaces="replaces" in traits,
        default=told.get("default"),
        at=told.get("at", name),
        form=told.get("form", "plain"),
    )
