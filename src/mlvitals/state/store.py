"""The embedded database: one file, one writer, one transaction that every layer shares."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from mlvitals.errors import StateError

_BUSY_SECONDS: Final = 30.0
_OWN_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS schema_version (owner TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrations:
    """The tables of one layer: `steps[n]` takes its schema from version n to n + 1."""

    owner: str
    steps: tuple[tuple[str, ...], ...]


class Store:
    """An open state database. Open it for writing (one process at a time) or for reading (any number)."""

    def __init__(self, connection: sqlite3.Connection, path: Path, lock: int | None) -> None:
        self._connection = connection
        self._lock = lock
        self.path = path

    @classmethod
    def open(cls, path: Path, migrations: Sequence[Migrations]) -> Self:
        """Open for writing, creating the file and bringing every layer's tables up to date.

        Raises:
            StateError: another process writes to it, it is not a database, or a newer program wrote it.

        """
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _take_lock(path)
        try:
            store = cls(_connect(path, read_only=False), path, lock)
            with store.transaction() as connection:
                _migrate(connection, migrations, path)
        except sqlite3.DatabaseError as error:
            os.close(lock)
            raise StateError(f"{path} is not a usable state database: {error}") from error
        except StateError:
            os.close(lock)
            raise
        return store

    @classmethod
    def open_read_only(cls, path: Path) -> Self:
        """Open for reading while another process may write.

        Raises:
            StateError: there is no such file, or it is not a database.

        """
        if not path.exists():
            raise StateError(f"{path}: there is no state yet; `mlvitals run` makes it")
        try:
            return cls(_connect(path, read_only=True), path, None)
        except sqlite3.DatabaseError as error:
            raise StateError(f"{path} is not a usable state database: {error}") from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run a block in one transaction: all of it is durable afterwards, or none of it.

        A block inside a block joins the outer transaction.
        """
        if self._connection.in_transaction:
            yield self._connection
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, for reading."""
        return self._connection

    def close(self) -> None:
        """Close the database and let go of the lock."""
        self._connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _take_lock(path: Path) -> int:
    name = path.with_name(path.name + ".lock")
    descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise StateError(f"{path} is in use by another mlvitals process (pid {holder or 'unknown'})") from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    mode = "ro" if read_only else "rwc"
    location = path.absolute().as_uri() + f"?mode={mode}"
    connection = sqlite3.connect(location, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
    if not read_only:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # a source may forget what we committed
        connection.execute("PRAGMA cache_size = -65536")
    connection.execute("PRAGMA schema_version")  # fails here, not later, if this is no database
    return connection


def _migrate(connection: sqlite3.Connection, migrations: Sequence[Migrations], path: Path) -> None:
    connection.execute(_OWN_TABLE)
    known = dict(connection.execute("SELECT owner, version FROM schema_version"))
    for layer in migrations:
        version = known.get(layer.owner, 0)
        if version > len(layer.steps):
            raise StateError(
                f"{path} was written by a newer mlvitals: its `{layer.owner}` tables have version {version}, "
                f"this program knows {len(layer.steps)}"
            )
        for step in layer.steps[version:]:
            for statement in step:
                with closing(connection.execute(statement)):
                    pass
        connection.execute(
            "INSERT INTO schema_version VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET version = excluded.version",
            (layer.owner, len(layer.steps)),
        )
