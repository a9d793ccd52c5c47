r"""Flattened names: levels of nested fields joined by dots, a literal dot or backslash in one escaped by `\`."""

import re
from collections.abc import Iterable

_LEVEL = re.compile(r"(?:[^.\\]|\\.|\\$)*")


def escape(level: str) -> str:
    r"""Return one level's name as it stands in a flattened name: `a.b` becomes `a\.b`."""
    if "." not in level and "\\" not in level:
        return level
    return level.replace("\\", "\\\\").replace(".", "\\.")


def flatten(levels: Iterable[str]) -> str:
    """Return the flattened name of a nested field."""
    return ".".join(escape(level) for level in levels)


def levels_of(name: str) -> list[str]:
    """Return the levels of a flattened name, unescaped: the inverse of `flatten`."""
    levels = []
    start = 0
    while True:
        match = _LEVEL.match(name, start)
        end = len(name) if match is None else match.end()
        levels.append(re.sub(r"\\(.)", r"\1", name[start:end]))
        if end >= len(name):
            return levels
        start = end + 1
