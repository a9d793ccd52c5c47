"""How tables look: colours of statuses, spelling of numbers."""

import shutil
import sys
from typing import Final

from rich.console import Console

from mlvitals.signals.spec import Status

STATUS_STYLES: Final = {
    Status.OK: "green",
    Status.WARNING: "yellow",
    Status.ALERT: "bold red",
    Status.INSUFFICIENT_DATA: "dim",
    Status.NO_DATA: "dim",
}
_WIDTH_ELSEWHERE: Final = 160


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
