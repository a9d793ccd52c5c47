"""YAML by hand, because it carries comments: any text of a log stands in it safely."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_PLAIN: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*|\d+(ms|s|m|h|d|w|mo)", re.ASCII)
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"})
# What YAML does not take as it is (YAML 1.2.2, §5.1), or reads as the end of a line.
_UNPRINTABLE: Final = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_WIDTH: Final = 118
_COMMENT_AT: Final = 48


def scalar(value: object, *, expands: bool = True) -> str:
    """Return a scalar as YAML that is read as this and nothing else.

    Args:
        value: of any characters.
        expands: the reader replaces `${…}` in it, so that a literal one must be told; it does not in keys.

    """
    if not isinstance(value, str):
        return json.dumps(value)
    if expands:
        value = value.replace("${", "$${")
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return _UNPRINTABLE.sub(_escape, json.dumps(value, ensure_ascii=False))


def flow(value: Any) -> str:
    """Return a value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key, expands=False)}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def entry(key: str, value: Any, indent: int, comment: str = "") -> Iterator[str]:
    """Yield the lines of a key and its value, on one line if it fits, with a comment behind."""
    start = " " * indent + scalar(key, expands=False) + ":"
    line = f"{start} {flow(value)}"
    if len(line) <= _WIDTH or not isinstance(value, Mapping | list | tuple):
        yield remarked(line, comment)
    elif isinstance(value, Mapping):
        yield remarked(start, comment)
        for inner, one in value.items():
            yield from entry(inner, one, indent + 2)
    else:
        yield remarked(start + " [", comment)
        yield from _wrapped(value, indent + 2)
        yield " " * indent + "]"


def remarked(line: str, comment: str) -> str:
    """Return a line with a comment behind it, aligned where there is room."""
    if not comment:
        return line
    return f"{line.ljust(_COMMENT_AT)} # {_UNPRINTABLE.sub('?', ' '.join(comment.split()))}"


def _wrapped(values: Sequence[Any], indent: int) -> Iterator[str]:
    line = " " * indent
    for value in values:
        text = flow(value) + ","
        if len(line) + len(text) + 1 > _WIDTH and line.strip():
            yield line.rstrip()
            line = " " * indent
        line += text + " "
    yield line.rstrip()


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
