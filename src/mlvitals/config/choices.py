"""Telling, where a word is none of those that a key may hold, which ones it may."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import inspect

_MESSAGE: Final = re.compile(r"(Invalid enum value .*)( - at `\$(.*)`)", re.DOTALL)
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(?:\d+|\.\.\.)\]")


def with_choices(error: msgspec.ValidationError, shape: type) -> str:
    """Return the error's message; where a word is not known, with all that are.

    Args:
        error: what msgspec said of a document.
        shape: the type that the document was converted to; the path in the message starts from it.

    """
    message = str(error)
    parts = _MESSAGE.fullmatch(message)
    if parts is None:
        return message
    found = [inspect.type_info(shape)]
    for step in _STEP.finditer(parts[3]):
        found = [inner for one in found for inner in _enter(one, step[1])]
    words = [str(word) for one in found for kind in _members(one) for word in _words(kind)]
    return f"{parts[1]}: choose from {', '.join(words)}{parts[2]}" if words else message


def _enter(shape: inspect.Type, name: str | None) -> Iterator[inspect.Type]:
    """Yield what stands under a key of this name, or among the items (or values) where there is no name."""
    for one in _members(shape):
        if isinstance(one, inspect.StructType):
            yield from (field.type for field in one.fields if field.encode_name == name)
        elif name is None and isinstance(one, inspect.VarTupleType):
            yield one.item_type
        elif name is None and isinstance(one, inspect.TupleType):
            yield from one.item_types
        elif name is None and isinstance(one, inspect.DictType):
            yield one.value_type


def _members(shape: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(shape, inspect.Metadata):
        yield from _members(shape.type)
    elif isinstance(shape, inspect.UnionType):
        for one in shape.types:
            yield from _members(one)
    else:
        yield shape


def _words(shape: inspect.Type) -> Iterator[object]:
    if isinstance(shape, inspect.LiteralType):
        yield from shape.values
    elif isinstance(shape, inspect.EnumType):
        yield from (member.value for member in shape.cls)
