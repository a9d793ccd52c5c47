"""From a path to a checked configuration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from mlvitals.config.check import check
from mlvitals.config.defaults import blame, fill
from mlvitals.config.document import read_document
from mlvitals.config.expand import Expansion
from mlvitals.config.locate import locate_sources
from mlvitals.config.model import Config, Document
from mlvitals.config.scalar import decoder
from mlvitals.config.unsupported import refuse_unsupported
from mlvitals.errors import ConfigError


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Read a configuration file, or a folder of them, and resolve everything in it.

    Relative paths start from the file's folder. The files that it names need not exist yet.

    Raises:
        ConfigError: one line with the file, what is wrong, and the path of the key; never a value that came from the
            environment or from a file.

    """
    base = (path if path.is_dir() else path.parent).absolute()
    written = read_document(path)
    expansion = Expansion(base, environ)
    try:
        expanded = expansion.expand(written)
        refuse_unsupported(expanded)
        _require_types(expanded)
        document = locate_sources(_convert(expanded, base), base)
        check(document)
    except ConfigError as error:
        # What the error came from holds the values that must not be seen.
        raise ConfigError(f"{path}: {expansion.conceal(str(error))}") from None
    return Config(**{name: getattr(document, name) for name in document.__struct_fields__}, base=base)


def _require_types(expanded: Mapping[str, Any]) -> None:
    # msgspec asks for a tag only where there is a choice; one kind of source today must not make a document that a
    # second kind breaks.
    sources = expanded.get("sources")
    for index, source in enumerate(sources if isinstance(sources, list) else ()):
        if isinstance(source, dict) and "type" not in source:
            raise ConfigError(f"Object missing required field `type` - at `$.sources[{index}]`")


def _convert(expanded: Mapping[str, Any], base: Path) -> Document:
    try:
        return msgspec.convert(fill(expanded), Document, dec_hook=decoder(base))
    except msgspec.ValidationError as error:
        message = str(error)
        raise ConfigError(blame(message if " - at " in message else f"{message} - at `$`", expanded)) from error
