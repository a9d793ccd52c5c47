"""Programs that run in a Python environment of their own, because what they need does not go with what we need."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.stack.recipe import run

_REQUIREMENTS: Final = Path(__file__).parents[1] / "terraform_standin" / "requirements.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonEnvironment:
    """An environment with a locked list of packages, `requirements`: versions with hashes."""

    requirements: str = field(default_factory=lambda: _REQUIREMENTS.read_text("utf-8"))

    def make(self, folder: Path, work: Path) -> None:
        """Make the environment; `bin/python` is its interpreter, wherever the folder is moved to.

        Raises:
            CannotHaveError: this Python makes no environments, or a package is not served or not the pinned one.

        """
        listed = work / "requirements.txt"
        listed.write_text(self.requirements, "utf-8")
        run([sys.executable, "-m", "venv", folder], folder=work)
        install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes")
        run([folder / "bin" / "python", *install, "-r", listed], folder=work)
