"""What it takes to have a server: a pinned recipe that fills a folder, or one line that says why it cannot."""

import hashlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

_FOLDER: Final = "MLVITALS_STACK"
_REASON_LENGTH: Final = 300


class CannotHaveError(Exception):
    """A server cannot be had here; the message is one line."""


class Recipe(Protocol):
    """How a server is got. What a recipe's `repr` says decides whether what is there is still what is wanted."""

    def make(self, folder: Path, work: Path) -> None:
        """Fill `folder` with the server; `work` is an empty folder that is thrown away afterwards.

        Raises:
            CannotHaveError: it cannot be got or built here.

        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that tests run: its name, its version and how it is got."""

    name: str
    version: str
    recipe: Recipe

    @property
    def folder(self) -> Path:
        """Return where it stands once it is had: named by its version and its recipe, so that a change gets it anew."""
        stamp = hashlib.sha256(repr(self.recipe).encode()).hexdigest()[:8]
        return stack_folder() / self.name / f"{self.version}-{stamp}"

    @property
    def why_not(self) -> Path:
        """Return the file that says why it could not be had."""
        return self.folder.with_name(f"{self.folder.name}.why")


def stack_folder() -> Path:
    """Return the folder of all servers: the variable MLVITALS_STACK, or one in the user's cache."""
    return Path(os.environ.get(_FOLDER) or Path.home() / ".cache" / "mlvitals" / "stack").absolute()


def run(command: Sequence[object], *, folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Run a command in a folder and return what it printed.

    Raises:
        CannotHaveError: it failed; the message is the line of its complaint that says most.

    """
    told = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode != 0:
        raise CannotHaveError(
            _complaint(f"{told.stderr}\n{told.stdout}") or f"{command[0]} ended with {told.returncode}"
        )
    return told.stdout


def _complaint(text: str) -> str:
    """Return the line that tells the reason: the first that speaks of an error, else the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and "downloading" not in line]
    loud = [line for line in lines if any(word in line.lower() for word in ("error", "forbidden", "not available"))]
    reason = (loud or lines[-1:] or [""])[0]
    return reason if len(reason) <= _REASON_LENGTH else reason[: _REASON_LENGTH - 1] + "…"
