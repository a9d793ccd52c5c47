"""What must hold between keys, beyond the shape of each."""

from collections.abc import Iterable

from mlvitals.config.model import Document
from mlvitals.errors import ConfigError
from mlvitals.sources.base import Role


def check(document: Document) -> None:
    """Refuse a document whose parts do not fit together.

    Raises:
        ConfigError: with the path of the key.

    """
    if not document.models:
        raise ConfigError("no model is configured - at `$.models`")
    _refuse_twice("model", "models", (model.name for model in document.models))
    _refuse_twice("source", "sources", (source.name for source in document.sources))
    _refuse_twice("sink", "sinks", (sink.name for sink in document.sinks))
    if not any(source.role is not Role.LABELS for source in document.sources):
        raise ConfigError("no source carries predictions - at `$.sources`")
    joins = any(model.labels is not None for model in document.models)
    for index, source in enumerate(document.sources):
        if source.role is Role.LABELS and not joins:
            raise ConfigError(f"a source carries labels, but no model has `labels` - at `$.sources[{index}].role`")


def _refuse_twice(what: str, key: str, names: Iterable[str]) -> None:
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        if name in seen:
            raise ConfigError(
                f"the {what} `{name}` stands twice, first at index {seen[name]} - at `$.{key}[{index}].name`"
            )
        seen[name] = index
