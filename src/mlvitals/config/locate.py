"""Where a source's relative paths start: at the configuration, not where the program was started."""

import glob
from pathlib import Path

import msgspec

from mlvitals.config.model import Document
from mlvitals.sources import FileSource, SourceConfig

_STANDARD_INPUT = "-"


def locate_sources(document: Document, base: Path) -> Document:
    """Return the document with the sources' paths starting from `base`, an absolute path.

    A source without a name is called by its paths as they are written: its position in the state then outlives a
    move of the whole folder.
    """
    return msgspec.structs.replace(document, sources=tuple(_locate(source, base) for source in document.sources))


def _locate(source: SourceConfig, base: Path) -> SourceConfig:
    if not isinstance(source, FileSource):
        return source  # what a plugin reads may be no file
    return msgspec.structs.replace(
        source,
        name=source.name or "file:" + ",".join(source.paths),
        path=[_anchor(pattern, base) for pattern in source.paths],
    )


def _anchor(pattern: str, base: Path) -> str:
    if pattern == _STANDARD_INPUT:
        return pattern
    # A literal path is looked up as it is; where there is a glob, the folder's own name must not become a part of it.
    folder = glob.escape(str(base)) if glob.has_magic(pattern) else str(base)
    return str(Path(folder) / Path(pattern).expanduser())
