"""Whether what the state keeps of windows can be read as it was meant."""

import sqlite3
import zlib
from collections.abc import Iterator
from typing import Final

from mlvitals.clock import format_time
from mlvitals.errors import StateError
from mlvitals.windows.kept_layouts import kept_layout
from mlvitals.windows.layout import Layout
from mlvitals.windows.summary import unpack

_TABLES: Final = ("cohort", "past", "previous")


def unsound_windows(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield a line for every layout, and every window, that cannot be read as it was counted."""
    used = " UNION ".join(f"SELECT layout FROM {table}" for table in _TABLES)
    readable: dict[str, Layout] = {}
    for (name,) in connection.execute(f"{used} ORDER BY 1").fetchall():
        try:
            readable[name] = kept_layout(connection, name)
        except StateError as error:
            yield str(error)
    for table in _TABLES:
        for model, start, version, name, served in connection.execute(
            f"SELECT model, start, version, layout, served FROM {table} ORDER BY 1, 2, 3"
        ):
            if name in readable and not _fits(served, readable[name].served_size):
                yield f"model {model}, version {version}: the window from {format_time(start)} does not fit its layout"


def windows_under_others(connection: sqlite3.Connection, model: str, layouts: frozenset[str]) -> int:
    """Return how many open windows of a model were begun under none of these layouts."""
    rows = connection.execute(
        "SELECT layout, count(DISTINCT start) FROM cohort WHERE model = ? AND NOT closed GROUP BY layout", (model,)
    )
    return sum(windows for layout, windows in rows if layout not in layouts)


def _fits(packed: bytes, size: int) -> bool:
    try:
        unpack(packed, (size,))
    except (zlib.error, IndexError, ValueError):
        return False
    return True
