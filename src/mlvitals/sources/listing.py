"""Which files a source's patterns name now."""

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A regular file as its directory shows it."""

    path: Path
    device: int
    inode: int
    size: int
    modified: int

    @property
    def identity(self) -> tuple[int, int]:
        """What stays when the file is renamed."""
        return self.device, self.inode


def list_files(patterns: Iterable[str]) -> list[Listed]:
    """Return the regular files that the patterns name, each once, sorted by path.

    A pattern is a path, a glob (`**` for any depth), or a directory: then all files in it at any depth, but for those
    whose names start with `.` or `_`, by which other programs mark what is not data.
    """
    paths = sorted({path for pattern in patterns for path in _expand(pattern)})
    listed: dict[tuple[int, int], Listed] = {}
    for path in paths:
        try:
            status = Path(path).stat()
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            one = Listed(
                path=Path(path),
                device=status.st_dev,
                inode=status.st_ino,
                size=status.st_size,
                modified=status.st_mtime_ns,
            )
            listed.setdefault(one.identity, one)
    return list(listed.values())


def check_patterns(patterns: Iterable[str]) -> list[str]:
    """Return what is wrong with the patterns now: nothing matches, or a file may not be read."""
    problems = []
    for pattern in patterns:
        files = list_files([pattern])
        if not files:
            problems.append(f"{pattern}: no file matches")
        problems += [f"{one.path}: permission denied" for one in files if not os.access(one.path, os.R_OK)]
    return problems


def _expand(pattern: str) -> Iterator[str]:
    pattern = str(Path(pattern).expanduser())
    if Path(pattern).is_dir():
        for folder, folders, names in os.walk(pattern):
            folders[:] = [name for name in folders if not name.startswith((".", "_"))]
            yield from (str(Path(folder, name)) for name in names if not name.startswith((".", "_")))
    elif Path(pattern).exists():
        yield pattern
    else:
        yield from glob.iglob(pattern, recursive=True)  # noqa: PTH207  # Path.glob takes no absolute patterns
