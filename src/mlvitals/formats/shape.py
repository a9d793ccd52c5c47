"""What fields a stream of JSON events has, learned from its rows, and the Arrow schema that reads them quickly."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

from mlvitals import wire
from mlvitals.events.names import levels_of
from mlvitals.formats.base import DecodePlan, Want
from mlvitals.formats.rows import INT64, NUMBER_FIELDS

DEEPEST: Final = 64
MOST_FIELDS: Final = 10_000
SCALAR_TYPES: Final = {
    "null": pa.null(),
    "bool": pa.bool_(),
    "int": pa.int64(),
    "float": pa.float64(),
    "text": pa.string(),
}
_TEXTS: Final = (
    wire.EVENT,
    wire.TIMESTAMP,
    wire.MODEL,
    wire.MODEL_VERSION,
    wire.PREDICTION_ID,
    wire.ERROR,
    wire.LABEL,
    wire.LABEL_TIMESTAMP,
    wire.LABEL_VERSION,
    wire.KIND,
    wire.TEXT,
    wire.PREDICTION_LABEL,
)


@dataclass(slots=True)
class _Node:
    """The type of one field: a scalar's name, `list` (of `items`) or `struct` (of `fields`).

    keeps_integers: integers in its list are names, whose digits all count.
    """

    kind: str = "null"
    fields: dict[str, "_Node"] = field(default_factory=dict)
    items: "_Node | None" = None
    keeps_integers: bool = False

    def to_arrow(self) -> pa.DataType:
        if self.kind == "struct":
            return pa.struct([(name, node.to_arrow()) for name, node in self.fields.items()])
        if self.kind == "list":
            # Lists of lists or objects are left to the slow way, which keeps them as JSON text.
            plain = self.items is not None and self.items.kind not in {"list", "struct"}
            return pa.list_(self.items.to_arrow() if self.items is not None and plain else pa.null())
        return SCALAR_TYPES[self.kind]


class Shape:
    """The known fields of a stream of JSON events.

    It starts with the fields of native events and the plan's features. `learn` adds what rows hold; where a field turns
    up with another type, the newest counts, except that integers among floats are floats. Numbers in lists are floats,
    but the ids of a ranking. Grades of relevance are no fields: each label has keys of its own.
    """

    def __init__(self, plan: DecodePlan) -> None:
        self._root = _Node("struct")
        self._count = 0
        for kind, names in (("text", _TEXTS), ("float", NUMBER_FIELDS)):
            for name in names:
                self._declare(name.split("."), kind)
        self._declare([wire.FEATURES], "struct")
        self._unlearnt = {wire.RELEVANCE} if plan.rankings else set()
        if plan.rankings:
            self._declare(wire.PREDICTION_RANKING.split("."), "null").keeps_integers = True
        for name, want in (plan.features or {}).items():
            self._declare([wire.FEATURES, *levels_of(name)], "float" if want is Want.NUMBER else "text")
        self._most = self._count + MOST_FIELDS

    @property
    def count(self) -> int:
        """How many fields are known."""
        return self._count

    def schema(self) -> pa.Schema:
        """Return the Arrow schema of all known fields."""
        return pa.schema([(name, node.to_arrow()) for name, node in self._root.fields.items()])

    def learn(self, values: Iterable[dict[str, Any]]) -> None:
        """Take in the fields of some rows, up to a bound that only garbage reaches."""
        for value in values:
            known = {name: inner for name, inner in value.items() if name not in self._unlearnt}
            self._learn(self._root, known, 0)

    def _declare(self, levels: list[str], kind: str) -> _Node:
        node = self._root
        for level in levels:
            node.kind = "struct"
            if level not in node.fields:
                self._count += 1
                node.fields[level] = _Node()
            node = node.fields[level]
        node.kind = kind
        return node

    def _learn(self, node: _Node, value: object, depth: int) -> None:
        if value is None or depth > DEEPEST:
            return
        if isinstance(value, dict):
            self._learn_object(node, value, depth)
        elif isinstance(value, list):
            self._learn_list(node, value, depth)
        elif isinstance(value, str):
            node.kind = "text"
        elif isinstance(value, bool):
            node.kind = "bool"
        elif isinstance(value, float) or value not in INT64:
            node.kind = "float"
        elif node.kind != "float":
            node.kind = "int"

    def _learn_object(self, node: _Node, value: dict[str, Any], depth: int) -> None:
        node.kind = "struct"
        for name, inner in value.items():
            known = node.fields.get(name)
            if known is None:
                if self._count >= self._most:
                    continue
                self._count += 1
                known = node.fields[name] = _Node()
            self._learn(known, inner, depth + 1)

    def _learn_list(self, node: _Node, value: list[Any], depth: int) -> None:
        if node.kind != "list" or node.items is None:
            node.kind, node.items = "list", _Node()
        for inner in value:
            self._learn(node.items, inner, depth + 1)
        if node.items.kind == "int" and not node.keeps_integers:
            node.items.kind = "float"
