"""The embedded database: one file, one writing process, one transaction at a time that every layer shares."""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from mlvitals.errors import StateError
from mlvitals.state.place import prepare_place
from mlvitals.state.turns import Turns

_BUSY_SECONDS: Final = 30.0
_CACHE: Final = 65_536  # kB: the engine's, which comes back to the same pages again and again
_THREADS_CACHE: Final = 4_096
_FULL: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})
_OWN_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS schema_version (owner TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrations:
    """The tables of one layer: `steps[n]` takes its schema from version n to n + 1."""

    owner: str
    steps: tuple[tuple[str, ...], ...]


class _Own(threading.local):
    """What a thread has of a store: its connection, and what it does once its transaction is durable."""

    connection: sqlite3.Connection | None = None
    afterwards: list[Callable[[], object]] | None = None
    reading: bool = False


class Store:
    """An open state database. Open it for writing (one process at a time) or for reading (any number).

    Every thread has a connection of its own, made when it first asks, and reads what is durable at that moment. Of
    those who write each waits for its turn, first come, first served: SQLite's own waiting lets a thread that commits
    and begins again at once starve all others.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, lock: int | None) -> None:
        self._own = _Own()
        self._own.connection = connection
        self._opened = [(threading.current_thread(), connection)]
        self._opening = threading.Lock()
        self._turns = Turns()
        self._read_only = lock is None
        self._lock = lock
        self._closed = False
        self.path = path

    @classmethod
    def open(cls, path: Path, migrations: Sequence[Migrations]) -> Self:
        """Open for writing, creating the file and bringing every layer's tables up to date.

        Raises:
            StateError: another process writes to it, it is not a database, or a newer program wrote it.

        """
        path = prepare_place(path)
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

        A block inside a block of the same thread joins the outer transaction; other threads wait for its end.
        """
        connection = self.connection
        if self._own.reading:
            raise RuntimeError("what is read of one moment cannot be written in it")
        if connection.in_transaction:
            yield connection
            return
        self._own.afterwards = []
        with self._turns:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk has ended it already
                    connection.execute("ROLLBACK")
                raise
        for action in self._own.afterwards:
            action()

    @contextmanager
    def moment(self) -> Iterator[sqlite3.Connection]:
        """Let a block read what was durable at one moment, whatever others write meanwhile; it may not write.

        Two queries of a block otherwise see two states, between which a request was delivered. A block inside a
        transaction, or inside another such block, reads what that one does.
        """
        connection = self.connection
        if connection.in_transaction:
            yield connection
            return
        connection.execute("BEGIN")
        self._own.reading = True
        try:
            yield connection
        finally:
            self._own.reading = False
            connection.execute("ROLLBACK")

    def afterwards(self, action: Callable[[], object]) -> None:
        """Do something as soon as the transaction at hand is durable, and nothing if it is taken back."""
        if not self.connection.in_transaction or self._own.afterwards is None:
            raise RuntimeError("there is no transaction at hand")
        self._own.afterwards.append(action)

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection, for reading."""
        return self._own.connection or self._connect_thread()

    def _connect_thread(self) -> sqlite3.Connection:
        with self._opening:
            if self._closed:
                raise StateError(f"{self.path}: the state is closed")
            connection = _connect(self.path, read_only=self._read_only, cache=_THREADS_CACHE)
            for place, (thread, left) in reversed(list(enumerate(self._opened))):
                if not thread.is_alive():
                    left.close()
                    del self._opened[place]
            self._opened.append((threading.current_thread(), connection))
        self._own.connection = connection
        return connection

    def close(self) -> None:
        """Close the connections of all threads, after the transaction at hand, and let go of the lock."""
        with self._opening, self._turns:
            self._closed = True
            while self._opened:
                self._opened.pop()[1].close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def is_full(error: BaseException) -> bool:
    """Tell whether an error says that the disk took no more: there is no room, or a write failed."""
    cause = error.__cause__ if isinstance(error, StateError) else error
    code = getattr(cause, "sqlite_errorcode", None)
    return isinstance(cause, sqlite3.DatabaseError) and code is not None and code & 0xFF in _FULL


def _take_lock(path: Path) -> int:
    name = path.with_name(path.name + ".lock")
    descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise StateError(f"{path} is in use by another mlvitals process (pid {holder or 'unknown'})") from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def _connect(path: Path, *, read_only: bool, cache: int = _CACHE) -> sqlite3.Connection:
    mode = "ro" if read_only else "rwc"
    location = path.absolute().as_uri() + f"?mode={mode}"
    connection = sqlite3.connect(
        location, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    if not read_only:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # a source may forget what we committed
        connection.execute(f"PRAGMA cache_size = -{cache}")
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
        if version == len(layer.steps) and layer.owner in known:
            continue  # to open a state writes nothing, so that it can be opened when the disk is full
        for step in layer.steps[version:]:
            for statement in step:
                with closing(connection.execute(statement)):
                    pass
        connection.execute(
            "INSERT INTO schema_version VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET version = excluded.version",
            (layer.owner, len(layer.steps)),
        )
