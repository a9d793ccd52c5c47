"""Looking into a state without touching it."""

import sqlite3
from pathlib import Path


def connect_untouched(path: Path) -> sqlite3.Connection:
    """Return a connection that reads a state as it is on disk, and leaves not even a file beside it.

    Raises:
        sqlite3.DatabaseError: it is no database, or not there.

    """
    # Another process's open state has a log beside it; without one, SQLite would make it, just to read.
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)
