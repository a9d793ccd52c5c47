"""How tables look: colours of statuses, spelling of numbers."""

import shutil
import sys
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from mlvitals.signals.spec import Status

STATUS_STYLES: Final = {
    Status.OK: "green",
    Status.WARNING: "yellow",
    Status.ALERT: "bold red",
    Status.INSUFFICIENT_DATA: "dim",
    Status.NO_DATA: "dim",
}
# Of a measurement's attributes: what is measured, before how and against what.
NAMED_FIRST: Final = frozenset({"feature", "metric"})
_WIDTH_ELSEWHERE: Final = 160
_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_LETTERS: Final = "_.-~=+*#"  # as dark as they are high


def console() -> Console:
    """Return the console that tables are printed on: the terminal's width, or a wide one for a file."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDTH_ELSEWHERE
    return Console(width=width, highlight=False)


def number(value: float | None) -> str:
    """Return a value in four significant digits, thousands grouped."""
    if value is None:
        return "-"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def sparkline(values: Sequence[float | None], *, blocks: bool) -> str:
    """Return a character for each value, from the least to the greatest; a space where there is none.

    blocks: the terminal shows block elements, else letters stand for them. Equal values are all of the lowest height.
    """
    known = [value for value in values if value is not None]
    if not known:
        return ""
    heights = _BLOCKS if blocks else _LETTERS
    least, span = min(known), max(known) - min(known)
    steps = len(heights) - 1

    def height(value: float) -> str:
        return heights[round((value - least) / span * steps) if span > 0 else 0]

    return "".join(" " if value is None else height(value) for value in values)


def visible(text: str) -> str:
    """Return a text in which what would move the cursor is spelled out."""
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)


def cells(*texts: str) -> list[Text]:
    """Return a row's cells in which nothing is markup and nothing moves the cursor, whatever a name holds."""
    return [Text(visible(text)) for text in texts]
