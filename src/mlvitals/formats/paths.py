r"""Paths into a document: `a.b`, `a[0].b`, `a.*`; a backslash makes `.`, `[`, `]`, `*` and `\` plain characters."""

import re
from typing import Final

# One level's name, a position as its digits, or ANY for each name of the level.
Step = str | None
Path = tuple[Step, ...]

ANY: Final = None

_STEP: Final = re.compile(r"\[(?P<position>-?\d+)\]|(?P<dot>\.)?(?P<name>(?:[^.\[\]\\]|\\.)+)", re.DOTALL)
_POSITION: Final = re.compile(r"-?\d+", re.ASCII)


def parse_path(text: str) -> Path:
    r"""Return the steps of a path.

    `a.b` is the field `b` of the object `a`; `a[0]` (or `a.0`) the first element of the array `a`, `a[-1]` its last;
    `a.*` every field of `a`. `a\.b` is the one field whose name is `a.b`.

    Raises:
        ValueError: there is no such path.

    """
    steps: list[Step] = []
    start = 0
    while start < len(text):
        match = _STEP.match(text, start)
        if match is None or (match["name"] is not None and bool(match["dot"]) != bool(steps)):
            raise ValueError(f"`{text}` is not a path: write names with dots between them, like `labels.in.age`")
        if match["position"] is not None:
            steps.append(match["position"])
        elif match["name"] == "*":
            steps.append(ANY)
        else:
            steps.append(re.sub(r"\\(.)", r"\1", match["name"], flags=re.DOTALL))
        start = match.end()
    if not steps:
        raise ValueError("a path must name something")
    return tuple(steps)


def spell_path(path: Path) -> str:
    """Return a path as text; the inverse of `parse_path`, but that positions have dots."""
    return ".".join("*" if step is ANY else re.sub(r"([.\[\]\\*])", r"\\\1", step) for step in path)


def position_of(step: Step) -> int | None:
    """Return the place in an array that a step names, None where it names none."""
    return int(step) if step is not None and _POSITION.fullmatch(step) else None


def begins(path: Path, prefix: Path) -> bool:
    """Tell whether a path leads through another; `*` in either stands for any step."""
    return len(path) >= len(prefix) and all(
        mine is ANY or other is ANY or mine == other for mine, other in zip(path, prefix, strict=False)
    )
