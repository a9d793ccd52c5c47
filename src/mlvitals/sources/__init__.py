"""Where events come from."""

from mlvitals.sources.base import Role, Source
from mlvitals.sources.file import FileSource

SourceConfig = FileSource

__all__ = ["FileSource", "Role", "Source", "SourceConfig"]
