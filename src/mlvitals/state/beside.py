"""A few rows written into a state while another process works on it."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from mlvitals.errors import StateError
from mlvitals.state.store import Migrations

# The writer's transactions are short and it computes between them; SQLite's own waiting looks ten times a second, and
# would find the state taken for a long time.
_LOOKS_AGAIN: Final = 0.002
_PATIENCE: Final = 30.0


@contextmanager
def writing_beside(path: Path, layer: Migrations, *, patience: float = _PATIENCE) -> Iterator[sqlite3.Connection]:
    """Run a block in one transaction of its own, whether or not a process holds the state open; keep it short.

    What the block reads is what is durable, and what it writes the process that runs finds in its next transaction.
    Only rows of tables that are made for it may be written: what others keep in memory they do not read again.

    Args:
        path: of the state.
        layer: whose tables are written.
        patience: how many seconds to wait while another transaction holds the state.

    Raises:
        StateError: there is no state, it cannot be written, it has other tables, or it was not to be had in time.

    """
    if not path.exists():
        raise StateError(f"{path}: there is no state yet; `mlvitals run` makes it")
    location = path.resolve().as_uri() + "?mode=rw"
    try:
        with closing(sqlite3.connect(location, uri=True, timeout=0, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")  # who was told that it is put down may rely on it
            _check(connection, layer, path)
            _begin(connection, path, patience)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
    except sqlite3.DatabaseError as error:
        raise StateError(f"{path} cannot be written: {error}") from error


def _begin(connection: sqlite3.Connection, path: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            if time.monotonic() >= deadline:
                raise StateError(f"{path}: no moment was found to write to it in {patience:g} seconds") from error
            time.sleep(_LOOKS_AGAIN)
        else:
            return


def _check(connection: sqlite3.Connection, layer: Migrations, path: Path) -> None:
    query = "SELECT version FROM schema_version WHERE owner = ?"
    try:
        row = connection.execute(query, (layer.owner,)).fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:  # anything but that there is no such table
            raise
        row = None
    version = 0 if row is None else row[0]
    if version < len(layer.steps):
        raise StateError(f"{path} was written by an older mlvitals: let `mlvitals run` of this one open it first")
    if version > len(layer.steps):
        raise StateError(f"{path} was written by a newer mlvitals")
