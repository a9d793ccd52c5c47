"""Keys that the interface names and this version does not know yet: refused by name, never quietly ignored."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mlvitals.errors import ConfigError

_OTHER_NAMES: Final = {"elasticsearch": "is a kind of `opensearch`: write `type: opensearch, engine: elasticsearch`"}


def refuse_unsupported(document: Mapping[str, Any]) -> None:
    """Raise a ConfigError for the first key or type that this version does not support."""
    for index, sink in enumerate(_items(document.get("sinks"))):
        for name, path in _type(sink, f"$.sinks[{index}]", tuple(_OTHER_NAMES)):
            raise ConfigError(f"`{name}` {_OTHER_NAMES[name]} - at `{path}`")
    for what, path in _model(document.get("defaults"), "$.defaults"):
        raise ConfigError(f"`{what}` is not supported by this version - at `{path}`")


def refuse_unsupported_in_model(entry: Any, path: str) -> None:
    """Raise a ConfigError for the first key of one of the `models` that this version does not support."""
    for what, place in _model(entry, path):
        raise ConfigError(f"`{what}` is not supported by this version - at `{place}`")


def _model(model: Any, path: str) -> Iterator[tuple[str, str]]:
    operating = model.get("operating") if isinstance(model, Mapping) else None
    if isinstance(operating, Mapping) and "last" in operating:
        yield "last", f"{path}.operating.last"


def _type(part: Any, path: str, types: Sequence[str]) -> Iterator[tuple[str, str]]:
    if isinstance(part, Mapping) and part.get("type") in types:
        yield part["type"], f"{path}.type"


def _items(part: Any) -> Sequence[Any]:
    return part if isinstance(part, list) else ()
