"""A copy of the state at one moment, taken while another process writes."""

import fcntl
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from mlvitals.errors import StateError

_STEP_PAGES: Final = 1024  # 4 MiB between two calls of `progress`


def back_up(source: Path, target: Path, *, progress: Callable[[int, int], None] = lambda _done, _all: None) -> int:
    """Copy a state as it is now to a file that is whole or not there; return its size in bytes.

    The copy is one file in rollback mode, readable by its owner only, and was read through. What it is taken of is a
    snapshot: the writer goes on meanwhile, and only its log grows by what it writes until the copy is done.

    Args:
        source: the state's path.
        target: replaced if it is there.
        progress: told how many pages are copied, of how many.

    Raises:
        StateError: there is no state, it is damaged, or the target cannot be written.

    """
    if not source.exists():
        raise StateError(f"{source}: there is no state to copy")
    if target.exists() and source.samefile(target):
        raise StateError(f"{target}: is the state itself")
    try:
        with _place_beside(target) as beside:
            _copy(source, beside, progress)
            put_in_place(beside, target)
    except sqlite3.DatabaseError as error:
        raise StateError(f"{source} cannot be copied to {target}: {error}") from error
    except OSError as error:
        raise StateError(f"{target}: {error.strerror}") from error
    return target.stat().st_size


def copy_private(source: Path, target: Path) -> None:
    """Copy a small file, readable by its owner only, whole or not at all.

    Raises:
        StateError: one of them cannot be read or written.

    """
    try:
        with _place_beside(target) as beside:
            shutil.copyfile(source, beside)
            put_in_place(beside, target)
    except OSError as error:
        raise StateError(f"{error.filename or target}: {error.strerror}") from error


def make_private(path: Path) -> None:
    """Make an empty file that its owner alone may read and write, in place of what was there."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def put_in_place(beside: Path, target: Path) -> None:
    """Rename a file that was written beside its place into it, durably."""
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.replace(target)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _place_beside(target: Path) -> Iterator[Path]:
    """Make an empty file beside a target, gone afterwards; what processes that were killed have left goes before.

    It is known to be in use by a lock, which dies with its process: SQLite's own are of another kind.
    """
    name = re.compile(re.escape(target.name) + r"\.partial-\d+")
    for left in target.parent.iterdir():
        if name.fullmatch(left.name):
            _remove_abandoned(left)
    beside = target.with_name(f"{target.name}.partial-{os.getpid()}")
    make_private(beside)
    lock = os.open(beside, os.O_RDWR | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # a folder that cannot lock is one in which nothing is cleared
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield beside
    finally:
        beside.unlink(missing_ok=True)
        os.close(lock)


def _remove_abandoned(beside: Path) -> None:
    with suppress(OSError):
        lock = os.open(beside, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            beside.unlink()
            beside.with_name(f"{beside.name}-journal").unlink(missing_ok=True)
        finally:
            os.close(lock)


def _copy(source: Path, target: Path, progress: Callable[[int, int], None]) -> None:
    uri = f"{source.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as state,
        closing(sqlite3.connect(target, isolation_level=None)) as copy,
    ):
        # A backup that holds no snapshot of its own begins anew whenever the writer commits, and may never end.
        state.execute("BEGIN")
        state.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        state.backup(copy, pages=_STEP_PAGES, progress=lambda _status, left, pages: progress(pages - left, pages))
        copy.execute("PRAGMA journal_mode = DELETE")  # one file: nothing beside it is part of it
        [(said,)] = copy.execute("PRAGMA integrity_check(1)").fetchall()
        if said != "ok":
            raise sqlite3.DatabaseError(f"the copy is damaged: {said}")
