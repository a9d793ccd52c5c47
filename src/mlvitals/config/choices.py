"""Converting what was written, and telling what is wrong with it: which key, and what may stand there."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

from mlvitals.errors import ConfigError

_MESSAGE: Final = re.compile(r"(.*) - at `\$(.*)`", re.DOTALL)
_UNKNOWN: Final = ("Invalid enum value ", "Invalid value ")
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|(\[\.\.\.\])")
_WRITTEN_STEP: Final = re.compile(r'\.([^.\[\]]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]')
_PLAIN: Final = re.compile(r"[^\s.`'\"\\\[\]]+")

# A key of a mapping, an index of a list, or None for the entry of a mapping that msgspec does not name.
Step = str | int | None
_Shape = TypeVar("_Shape")
_Decode = Callable[[type, Any], Any]


def convert(written: Mapping[str, Any], shape: type[_Shape], decode: _Decode) -> _Shape:
    """Return what was written as a shape.

    Args:
        written: the document, or a part of it.
        shape: what it must be.
        decode: makes what msgspec does not know.

    Raises:
        ConfigError: it does not fit. The path of the key stands in the message, from the top of what was written; where
            a word is not known, all that are.

    """
    try:
        return msgspec.convert(written, shape, dec_hook=decode)
    except msgspec.ValidationError as error:
        raise ConfigError(_explain(str(error), written, shape, decode)) from error


def steps_of(path: str) -> list[str | int]:
    """Return the keys and indices of a path as messages spell it, without its `$`."""
    return [key or (int(index) if index else json.loads(quoted)) for key, index, quoted in _WRITTEN_STEP.findall(path)]


def _explain(message: str, written: Any, shape: type, decode: _Decode) -> str:
    parts = _MESSAGE.fullmatch(message)
    if parts is None:
        return message

    def fails(document: Any) -> bool:
        try:
            msgspec.convert(document, shape, dec_hook=decode)
        except msgspec.ValidationError as error:
            return str(error) == message
        return False

    steps: list[Step] = [key or (int(index) if index else None) for key, index, _ in _STEP.findall(parts[2])]
    for place in range(len(steps)):
        if steps[place] is None:
            written, steps[place] = _find_entry(written, steps[:place], fails)
    words = _choices(written, shape, steps) if parts[1].startswith(_UNKNOWN) else []
    said = f"{parts[1]}: choose from {', '.join(words)}" if words else parts[1]
    return f"{said} - at `${''.join(map(_spell, steps))}`"


def _find_entry(document: Any, before: Sequence[Step], fails: Callable[[Any], bool]) -> tuple[Any, str | None]:
    """Return the first entry of a mapping that alone is as wrong as the document is, and the document with only it."""
    for key, value in _value_at(document, before).items():
        alone = _with(document, before, {key: value})
        if fails(alone):
            return alone, key
    return document, None


def _value_at(document: Any, steps: Sequence[Step]) -> Any:
    """Return what stands at a path, an empty mapping where nothing does."""
    for step in steps:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return {}
    return document


def _with(document: Any, steps: Sequence[Step], value: Any) -> Any:
    """Return a document with another value at a path; what lies beside it is shared."""
    if not steps:
        return value
    first, *rest = steps
    inner = _with(document[first], rest, value)
    if isinstance(document, list):
        return [inner if index == first else one for index, one in enumerate(document)]
    return {**document, first: inner}


def _spell(step: Step) -> str:
    if isinstance(step, str):
        return f".{step}" if _PLAIN.fullmatch(step) else f"[{json.dumps(step, ensure_ascii=False)}]"
    return "[...]" if step is None else f"[{step}]"


def _choices(document: Any, shape: type, steps: Sequence[Step]) -> list[str]:
    """Return the words that may stand at a path, or the kinds where it is where a kind is named."""
    around, places = [], [inspect.type_info(shape)]
    for step in steps:
        around, places = places, [inner for one in places for inner in _enter(one, step, document)]
        document = _value_at(document, [step])
    words = [str(word) for one in places for kind in _members(one) for word in _words(kind)]
    structs = [kind for one in around for kind in _members(one) if isinstance(kind, inspect.StructType)]
    return list(dict.fromkeys([*words, *(str(kind.tag) for kind in structs if steps[-1] == kind.tag_field)]))


def _enter(shape: inspect.Type, step: Step, document: Any) -> Iterator[inspect.Type]:
    """Yield what stands at a step; of several kinds of structs only in the one that the document names."""
    for one in _members(shape):
        if isinstance(one, inspect.StructType):
            if not isinstance(document, dict) or document.get(one.tag_field, one.tag) == one.tag:
                yield from (field.type for field in one.fields if field.encode_name == step)
        elif isinstance(one, inspect.VarTupleType):
            yield one.item_type
        elif isinstance(one, inspect.TupleType):
            yield from one.item_types
        elif isinstance(one, inspect.DictType):
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
