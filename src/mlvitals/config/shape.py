"""The document's type with what plugins add: their types stand beside ours wherever ours may stand."""

from functools import reduce
from operator import or_
from typing import Any, Final, cast, get_args

import msgspec

from mlvitals.config.model import Document
from mlvitals.config.plugins import Kind, Plugins
from mlvitals.formats import FormatConfig
from mlvitals.sinks import SinkConfig
from mlvitals.sources import SourceConfig

_FORMAT: Final = "format"


def kinds_of(union: Any) -> tuple[Kind, ...]:
    """Return the members of a union of structs, or the one that stands for it."""
    return get_args(union) or (union,)


OURS: Final = {
    "formats": kinds_of(FormatConfig),
    "sources": kinds_of(SourceConfig),
    "sinks": kinds_of(SinkConfig),
}


def document_with(plugins: Plugins) -> type[Document]:
    """Return the document's type in which the plugins' types are known; without any, the document itself."""
    if not (plugins.formats or plugins.sources or plugins.sinks):
        return Document
    sources = [_with_formats(kind, plugins.formats) for kind in (*OURS["sources"], *plugins.sources)]
    fields = [
        ("sources", tuple[reduce(or_, sources), ...]),  # type: ignore[misc]  # made at run time
        ("sinks", tuple[reduce(or_, (*OURS["sinks"], *plugins.sinks)), ...]),  # type: ignore[misc]  # as above
    ]
    return cast("type[Document]", msgspec.defstruct("Document", fields, bases=(Document,), kw_only=True))


def _with_formats(kind: Kind, formats: tuple[Kind, ...]) -> Kind:
    """Return a source's type whose `format` may also be of these kinds."""
    known = next((field for field in msgspec.structs.fields(kind) if field.name == _FORMAT), None)
    if known is None or not formats:
        return kind
    settings = kind.__struct_config__
    union = reduce(or_, (*kinds_of(known.type), *formats))
    default = () if known.required else (_default_of(known),)
    return msgspec.defstruct(
        kind.__name__,
        [(_FORMAT, union, *default)],
        bases=(kind,),
        kw_only=True,
        tag=settings.tag,
        tag_field=settings.tag_field,
    )


def _default_of(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=field.default_factory)
    return field.default
