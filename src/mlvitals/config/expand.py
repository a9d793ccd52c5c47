"""`${ENV}` and `${file:PATH}` in the document's strings, and what keeps their values out of messages."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mlvitals.errors import ConfigError

_PLACEHOLDER: Final = re.compile(r"\$?\$\{([^}]*)(\}?)")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FILE: Final = "file:"


class Expansion:
    """Replaces placeholders and remembers what it put in, so that messages can be written without it."""

    def __init__(self, base: Path, environ: Mapping[str, str]) -> None:
        self._base = base
        self._environ = environ
        self._spelling: dict[str, str] = {}

    def expand(self, part: Any, path: str = "$") -> Any:
        """Return a part of the document with its strings expanded; keys stay as they are.

        Raises:
            ConfigError: a variable is not set, or a file cannot be read.

        """
        if isinstance(part, dict):
            return {key: self.expand(value, f"{path}.{key}") for key, value in part.items()}
        if isinstance(part, list):
            return [self.expand(value, f"{path}[{index}]") for index, value in enumerate(part)]
        if isinstance(part, str):
            return _PLACEHOLDER.sub(lambda match: self._replace(match, path), part)
        return part

    def conceal(self, message: str) -> str:
        """Return a message with every expanded value spelled as in the document again; its path stays."""
        body, separator, path = message.rpartition(" - at ")
        if not separator:
            body, path = message, ""
        for value in sorted(self._spelling, key=len, reverse=True):
            # Within a word a short value is chance: `1` must not break `10m`.
            bound = r"\b" if len(value) < len("secret") and value.isalnum() else ""
            spelling = self._spelling[value].replace("\\", r"\\")
            body = re.sub(f"{bound}{re.escape(value)}{bound}", spelling, body)
        return body + separator + path

    def _replace(self, match: re.Match[str], path: str) -> str:
        inner, closed = match[1], match[2]
        if match[0].startswith("$$"):
            return match[0][1:]
        if not closed:
            raise ConfigError(f"`${{` is not closed; a literal one is written `$${{` - at `{path}`")
        value = self._read(inner, path) if inner.startswith(_FILE) else self._look_up(inner, path)
        if value:
            self._spelling[value] = f"${{{inner}}}"
        return value

    def _look_up(self, name: str, path: str) -> str:
        if not _NAME.fullmatch(name):
            raise ConfigError(f"`${{{name}}}` names no variable; a literal `${{` is written `$${{` - at `{path}`")
        if name not in self._environ:
            raise ConfigError(f"the environment variable `{name}` is not set - at `{path}`")
        value = self._environ[name]
        try:
            value.encode()
        except UnicodeEncodeError:  # bytes that are none, which Python reads as halves of characters
            raise ConfigError(f"`${{{name}}}` is not UTF-8 text - at `{path}`") from None
        return value

    def _read(self, inner: str, path: str) -> str:
        try:
            return (self._base / inner.removeprefix(_FILE)).read_text("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise ConfigError(f"`${{{inner}}}` is not UTF-8 text - at `{path}`") from error
        except OSError as error:
            raise ConfigError(f"`${{{inner}}}` cannot be read: {error.strerror} - at `{path}`") from error
