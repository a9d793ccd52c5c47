"""A folder for one run's work: gone after it, and if it was killed, gone with the next."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_PREFIX: Final = "mlvitals-state-"
_LOCK: Final = "lock"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder, closed to others, where temporary files stand (`TMPDIR`), and remove it afterwards.

    What runs that were killed have left is removed first: each is a whole state with its key, and a function that is
    called again finds the disk of the last call. A folder is known to be in use by a lock, which dies with its process.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        _remove_abandoned(left)
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as name:
        folder = Path(name)
        beside = folder / f"{_LOCK}-new"
        lock = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            beside.rename(folder / _LOCK)  # nobody sees it before it is held
            yield folder
        finally:
            os.close(lock)


def _remove_abandoned(folder: Path) -> None:
    with suppress(OSError):  # another user's, or it goes at this moment
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            return
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
        finally:
            os.close(lock)
