"""The layouts that the state's windows were counted under, and where their vectors have what."""

import sqlite3

from mlvitals.errors import StateError
from mlvitals.hashing import content_hash
from mlvitals.windows.layout import Layout
from mlvitals.windows.layout_codec import decode_layout, encode_layout


def keep_layout(connection: sqlite3.Connection, layout: Layout) -> None:
    """Keep a layout for windows that are counted under it.

    Raises:
        StateError: it is kept, and another program's vectors under it have their parts elsewhere.

    """
    places = _places(layout)
    connection.execute(
        "INSERT OR IGNORE INTO layout (hash, document, places) VALUES (?, ?, ?)",
        (layout.hash, encode_layout(layout), places),
    )
    (kept,) = connection.execute("SELECT places FROM layout WHERE hash = ?", (layout.hash,)).fetchone()
    _compare(layout.hash, kept, places)


def kept_layout(connection: sqlite3.Connection, name: str) -> Layout:
    """Return the layout with this hash.

    Raises:
        StateError: it is not there, not readable, or another program's vectors under it have their parts elsewhere.

    """
    row = connection.execute("SELECT document, places FROM layout WHERE hash = ?", (name,)).fetchone()
    if row is None:
        raise StateError(f"windows were counted under the layout {name}, which the state does not have")
    try:
        layout = decode_layout(row[0])
    except ValueError as error:
        raise StateError(f"windows were counted under the layout {name}, which this mlvitals cannot read") from error
    _compare(name, row[1], _places(layout))
    return layout


def _places(layout: Layout) -> str:
    """Return what changes when a part of a summary's vectors is added, removed, moved or resized."""
    sections = (layout.served_sections, layout.outcome_sections)
    parts = [f"{name} {place.start}:{place.stop}" for found in sections for name, place in found.items()]
    return content_hash(*(part.encode() for part in parts))


def _compare(name: str, kept: str, expected: str) -> None:
    if kept != expected:
        raise StateError(
            f"windows were counted under the layout {name} by another mlvitals, whose counts stand elsewhere: "
            "go on with that one, or begin a new state"
        )
