"""What a mapping looks at in a kind of document, the types seen there so far, and the Arrow schema of both."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

from mlvitals.formats.fieldmap import FieldMap
from mlvitals.formats.paths import ANY, Path, begins, position_of
from mlvitals.formats.rows import INT64
from mlvitals.formats.shape import DEEPEST, MOST_FIELDS, SCALAR_TYPES

ITEM: Final = "[]"  # the step into any element of an array

_MOST_ITEMS: Final = 1_000


@dataclass(slots=True)
class Wanted:
    """What is looked at below a place: some fields, or with `everything` whatever there is."""

    everything: bool = False
    fields: dict[str, "Wanted"] = field(default_factory=dict)

    def add(self, path: Path, *, value: bool = True) -> None:
        """Add a path, of a value or of a structure; a position leads into an array, or to a field called by it."""
        if not path:
            self.everything |= value
            return
        step, rest = path[0], path[1:]
        if step is ANY:
            self.everything = True
            return
        self.fields.setdefault(step, Wanted()).add(rest, value=value)
        if position_of(step) is not None:
            self.fields.setdefault(ITEM, Wanted()).add(rest, value=value)


def wanted_below(prefix: Path, fields: FieldMap) -> tuple[Wanted, bool]:
    """Return what a mapping looks at in the document behind a text (or in a line, at the empty path).

    Returns:
        The tree of it, and whether a wildcard takes names in it that nobody knows yet.

    """
    wanted = Wanted()
    open_names = False
    for value, paths in ((True, fields.values()), (False, fields.structures())):
        for path in paths:
            if path[: len(prefix)] != prefix:
                continue
            within = tuple(_raw_steps(path, len(prefix), fields))
            wanted.add(within, value=value)
            open_names |= ANY in within
            if prefix in fields.rows:  # the text may be one of many, or hold the array itself
                wanted.add((ITEM, *within), value=value)
    return wanted, open_names


def _raw_steps(path: Path, start: int, fields: FieldMap) -> Iterator[str | None]:
    """Yield the steps through a document as it is written, up to a text that holds another."""
    texts = [*fields.json, *(one for one, _ in fields.csv)]
    named = [one for one, _ in (*fields.names, *fields.keyed)]
    inside = start > 0 and path[:start] in named
    for place in range(start, len(path)):
        here = path[: place + 1]
        yield ITEM if inside else path[place]
        if here in texts:
            return
        if _is_one_of(here, fields.rows):
            yield ITEM
        inside = _is_one_of(here, named)


def _is_one_of(path: Path, others: Sequence[Path]) -> bool:
    return any(len(path) == len(other) and begins(path, other) for other in others)


@dataclass(slots=True)
class Node:
    """The type of one field: a scalar's name, `list` (of `items`) or `struct` (of `fields`)."""

    kind: str = "null"
    fields: dict[str, "Node"] = field(default_factory=dict)
    items: "Node | None" = None


class Tree:
    """The known types of a kind of document.

    Where a field turns up with another type, the newest counts, except that integers among floats are floats, as all
    numbers in arrays are. closed: only what is wanted is known, and all else is left out of the schema, so that a
    reader passes over it. A place without a value yet has the type null, so that a reader stops at the first one.
    """

    def __init__(self, wanted: Wanted, *, open_names: bool) -> None:
        self._wanted = wanted
        self._root = Node("struct")
        self._count = 0
        self.closed = not open_names

    @property
    def count(self) -> int:
        """How many fields are known."""
        return self._count

    def schema(self) -> pa.Schema:
        """Return the Arrow schema."""
        return pa.schema(list(self._to_arrow(self._root, self._wanted)))

    def learn(self, objects: Iterable[Any]) -> None:
        """Take in the types of some documents, up to a bound that only garbage reaches."""
        objects = list(objects)
        self._learn_all(objects)
        if self.closed and self._holds_objects_of_unknown_names(self._root, self._wanted):
            self.closed = False
            self._root, self._count = Node("struct"), 0
            self._learn_all(objects)

    def _learn_all(self, objects: Sequence[Any]) -> None:
        for value in objects:
            self._learn(self._root, value, self._wanted if self.closed else _EVERYTHING, 0)

    def _learn(self, node: Node, value: Any, wanted: Wanted, depth: int) -> None:
        if value is None or depth > DEEPEST:
            return
        if isinstance(value, dict):
            self._learn_object(node, value, wanted, depth)
        elif isinstance(value, list):
            self._learn_list(node, value, wanted, depth)
        else:
            _learn_scalar(node, value)

    def _learn_object(self, node: Node, value: dict[str, Any], wanted: Wanted, depth: int) -> None:
        node.kind = "struct"
        for name, inner in value.items():
            below = _EVERYTHING if wanted.everything else wanted.fields.get(name)
            if below is None or (name not in node.fields and self._count >= MOST_FIELDS):
                continue
            if name not in node.fields:
                self._count += 1
                node.fields[name] = Node()
            self._learn(node.fields[name], inner, below, depth + 1)

    def _learn_list(self, node: Node, value: list[Any], wanted: Wanted, depth: int) -> None:
        if node.kind != "list" or node.items is None:
            node.kind, node.items = "list", Node()
        below = _EVERYTHING if wanted.everything else wanted.fields.get(ITEM, _NOTHING)
        for inner in value[:_MOST_ITEMS]:
            self._learn(node.items, inner, below, depth + 1)
        if node.items.kind == "int":
            node.items.kind = "float"

    def _to_arrow(self, node: Node, wanted: Wanted) -> Iterator[tuple[str, pa.DataType]]:
        for name, inner in node.fields.items():
            below = _EVERYTHING if wanted.everything else wanted.fields.get(name, _EVERYTHING)
            yield name, self._type(inner, below)
        if self.closed:
            # Unseen so far: as null, so that the first value stops the reader.
            yield from ((name, pa.null()) for name in wanted.fields if name not in node.fields and name != ITEM)

    def _type(self, node: Node, wanted: Wanted) -> pa.DataType:
        if node.kind == "struct":
            return pa.struct(list(self._to_arrow(node, wanted)))
        if node.kind == "list" and node.items is not None:
            below = _EVERYTHING if wanted.everything else wanted.fields.get(ITEM, _NOTHING)
            # Arrow's reader breaks on nulls in an array of the null type.
            return pa.list_(pa.float64() if node.items.kind == "null" else self._type(node.items, below))
        return SCALAR_TYPES[node.kind]

    def _holds_objects_of_unknown_names(self, node: Node, wanted: Wanted) -> bool:
        if node.kind == "struct":
            return wanted.everything or any(
                self._holds_objects_of_unknown_names(inner, wanted.fields[name])
                for name, inner in node.fields.items()
                if name in wanted.fields
            )
        if node.kind == "list" and node.items is not None:
            below = wanted if wanted.everything else wanted.fields.get(ITEM, _NOTHING)
            return self._holds_objects_of_unknown_names(node.items, below)
        return False


_EVERYTHING: Final = Wanted(everything=True)
_NOTHING: Final = Wanted()


def _learn_scalar(node: Node, value: Any) -> None:
    if isinstance(value, str):
        node.kind = "text"
    elif isinstance(value, bool):
        node.kind = "bool"
    elif isinstance(value, float) or value not in INT64:
        node.kind = "float"
    elif node.kind != "float":
        node.kind = "int"
