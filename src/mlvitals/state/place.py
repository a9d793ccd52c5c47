"""Where a state stands: one place with one name, closed to others."""

import contextlib
import os
from pathlib import Path

from mlvitals.errors import StateError


def prepare_place(path: Path) -> Path:
    """Return the path that a state has whatever leads to it; make its folder and its file where there are none.

    SQLite keeps a log beside the file that belongs to it, and we a lock: under a second name both would be missed.
    Symbolic links are followed, and folders may be mounted anywhere; a second name of the file itself is refused. What
    is made is readable by its owner only.

    Raises:
        StateError: the file has a second name, a hard link or a mount of its own, or it cannot be made.

    """
    path = path.resolve()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            # Only a new one: to close any descriptor of a database that is open gives up SQLite's locks on it.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        names = path.stat().st_nlink
    except OSError as error:
        raise StateError(f"{error.filename or path}: {error.strerror}") from error
    if names > 1:
        raise StateError(f"{path} has {names} names (hard links): the log beside it would be missed under the other")
    if os.path.ismount(path):
        raise StateError(f"{path} is mounted by itself: mount its folder, for the log beside it belongs to it")
    return path
