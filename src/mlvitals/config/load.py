"""From a path to a checked configuration."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from mlvitals.config.check import check
from mlvitals.config.choices import convert
from mlvitals.config.defaults import blame, fill, fill_model
from mlvitals.config.document import Entry, read_written
from mlvitals.config.entries import Config, ModelFault, PatternConfig, at_index, convert_model
from mlvitals.config.expand import Expansion
from mlvitals.config.locate import locate_sources
from mlvitals.config.model import Document, ModelConfig, Text
from mlvitals.config.plugins import load_plugins
from mlvitals.config.scalar import decoder
from mlvitals.config.shape import OURS, document_with
from mlvitals.config.unsupported import refuse_unsupported, refuse_unsupported_in_model
from mlvitals.errors import ConfigError

_Read = ModelConfig | PatternConfig | ModelFault


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Read a configuration file, or a folder of them, and resolve everything in it.

    Relative paths start from the file's folder. The files that it names need not exist yet. A model that cannot be
    used, or a file of the folder, is one of the `faults` of what is returned, told in one line as an error is.

    Raises:
        ConfigError: what all models share is wrong, or none of them can be used. One line with the file, what is wrong,
            and the path of the key; never a value that came from the environment or from a file.

    """
    base = (path if path.is_dir() else path.parent).absolute()
    written = read_written(path)
    expansion = Expansion(base, environ)
    try:
        root = expansion.expand(written.root)
        named = _plugins_of(root)
    except ConfigError as error:
        raise ConfigError(f"{path}: {expansion.conceal(str(error))}") from None
    try:
        plugins = load_plugins(named, base, OURS)
    except ConfigError as error:
        # A bug in a user's module shows where it stands, with --debug.
        raise ConfigError(f"{path}: {expansion.conceal(str(error))}") from error.__cause__
    try:
        document = _convert(root, base, document_with(plugins))
    except ConfigError as error:
        # What the error came from holds the values that must not be seen.
        raise ConfigError(f"{path}: {expansion.conceal(str(error))}") from None
    read = [_read(entry, root.get("defaults", {}), expansion, base) for entry in written.entries]
    config = _resolve(document, written.entries, read, [ModelFault(message=line) for line in written.unread], base)
    config = msgspec.structs.replace(config, statistics=plugins.statistics)
    if not config.models and not any(pattern.fault is None for pattern in config.patterns) and config.faults:
        raise ConfigError(config.faults[0].message)
    try:
        check(config)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    return config


def _convert(root: Mapping[str, Any], base: Path, shape: type[Document]) -> Document:
    refuse_unsupported(root)
    _require_types(root)
    try:
        document = convert(fill(root), shape, decoder(base))
    except ConfigError as error:
        raise ConfigError(str(error) if " - at " in str(error) else f"{error} - at `$`") from error
    return locate_sources(document, base)


class _Named(msgspec.Struct, frozen=True):
    plugins: tuple[Text, ...] = ()


def _plugins_of(root: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the import paths, which must be known before the types are."""
    try:
        return msgspec.convert({key: root[key] for key in ("plugins",) if key in root}, _Named).plugins
    except msgspec.ValidationError as error:
        raise ConfigError(str(error)) from error


def _require_types(root: Mapping[str, Any]) -> None:
    # msgspec asks for a tag only where there is a choice; one kind of source today must not make a document that a
    # second kind breaks.
    sources = root.get("sources")
    for index, source in enumerate(sources if isinstance(sources, list) else ()):
        if isinstance(source, dict) and "type" not in source:
            raise ConfigError(f"Object missing required field `type` - at `$.sources[{index}]`")


def _read(entry: Entry, defaults: Mapping[str, Any], expansion: Expansion, base: Path) -> _Read:
    """Return what an entry stands for; nothing that is wrong with it raises."""
    filled: Any = entry.written
    try:
        expanded = expansion.expand(entry.written, f"$.models[{entry.index}]")
        filled = fill_model(expanded, defaults) if isinstance(expanded, dict) else expanded
        refuse_unsupported_in_model(expanded, f"$.models[{entry.index}]")
        if isinstance(filled, dict) and "match" in filled:
            return _read_pattern(filled, base)
        return convert_model(filled, base)
    except ConfigError as error:
        message = blame(at_index(str(error), entry.index), entry.written, defaults)
        said = f"{entry.file}: {expansion.conceal(message)}"
    name, match = (_text(filled, key) for key in ("name", "match"))
    remembers = isinstance(filled, dict) and bool(filled.get("deduplicate") or filled.get("labels"))
    return ModelFault(message=said, name=None if match else name, match=match, remembers=remembers)


def _read_pattern(filled: Mapping[str, Any], base: Path) -> PatternConfig:
    written = {key: value for key, value in filled.items() if key != "match"}
    if "name" in written:
        raise ConfigError("give either `name` or `match` - at `$.models[0]`")
    match = _text(filled, "match")
    if match is None:
        raise ConfigError("Expected a name with `*` - at `$.models[0].match`")
    convert_model({**written, "name": match}, base)
    return PatternConfig(match=match, written=written, base=base)


def _text(part: Any, key: str) -> str | None:
    value = part.get(key) if isinstance(part, dict) else None
    return value if isinstance(value, str) and value else None


def _resolve(
    document: Document, entries: Sequence[Entry], read: Sequence[_Read], unread: list[ModelFault], base: Path
) -> Config:
    """Put together what was read. Of a name that stands twice nobody can tell which entry is meant: neither is used."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(read):
        if not isinstance(one, PatternConfig) and one.name is not None:
            places[one.name].append(place)
    twice = [_twice(name, *(entries[place] for place in found[:2])) for name, found in places.items() if found[1:]]
    names = {fault.name for fault in twice}
    faults = [one for one in read if isinstance(one, ModelFault) and (one.name is None or one.name not in names)]
    patterns = [
        PatternConfig(match=one.match, written={}, base=base, fault=one.message) if isinstance(one, ModelFault) else one
        for one in read
        if not isinstance(one, ModelConfig) and one.match is not None
    ]
    return Config(
        **{name: getattr(document, name) for name in document.__struct_fields__ if name != "models"},
        models=tuple(one for one in read if isinstance(one, ModelConfig) and one.name not in names),
        base=base,
        patterns=tuple(patterns),
        faults=(*unread, *twice, *faults),
    )


def _twice(name: str, first: Entry, second: Entry) -> ModelFault:
    elsewhere = "" if first.file == second.file else f" of {first.file.name}"
    message = f"the model `{name}` stands twice, first at index {first.index}{elsewhere}"
    return ModelFault(
        message=f"{second.file}: {message} - at `$.models[{second.index}].name`", name=name, remembers=True
    )
