"""Where a Java is that is new enough: machines keep several, and the one on the path is often the oldest."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.stack.recipe import CannotHaveError

_PLACES: Final = ("/usr/lib/jvm", "/usr/java", "/opt", "/opt/java", "/Library/Java/JavaVirtualMachines")
_VERSION: Final = re.compile(r'^JAVA_VERSION="(\d+)', re.MULTILINE)


def find_java(least: int) -> Path:
    """Return the home of a development kit of at least a version: JAVA_HOME, the path's, or the newest installed.

    Raises:
        CannotHaveError: there is none.

    """
    found = [(home, version) for home in _homes() if (version := _version(home)) is not None]
    for home, version in found[:2] if os.environ.get("JAVA_HOME") else []:
        if version >= least:
            return home
    fitting = [(version, str(home)) for home, version in found if version >= least]
    if not fitting:
        have = ", ".join(sorted({str(version) for _, version in found})) or "none"
        raise CannotHaveError(f"there is no Java {least} or newer with a compiler (found: {have}; JAVA_HOME names one)")
    return Path(max(fitting)[1])


def _homes() -> Iterator[Path]:
    own = os.environ.get("JAVA_HOME")
    if own:
        yield Path(own)
    command = shutil.which("javac")
    if command is not None:
        yield Path(command).resolve().parents[1]
    for place in _PLACES:
        for home in sorted(Path(place).glob("*")):
            yield home
            yield home / "Contents" / "Home"


def _version(home: Path) -> int | None:
    """Return the major version of a development kit, None where there is none."""
    release = home / "release"
    if not release.is_file() or not (home / "bin" / "javac").exists():
        return None
    told = _VERSION.search(release.read_text("utf-8", "replace"))
    return None if told is None else int(told[1])
