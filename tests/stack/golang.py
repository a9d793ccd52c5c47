"""Servers that are Go programs, built from their modules by the `go` command."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.stack.recipe import CannotHaveError, run


@dataclass(frozen=True, slots=True, kw_only=True)
class GoPrograms:
    """Programs of one module, at one version.

    checksum: of the module, as `go` tells it. With it the module's own go.sum, which holds the sums of all that it is
    built from, is known to be the right one; so the build is the same with and without a checksum database.
    programs: folders in the module. tags: build tags.
    pages: files of a web page that the programs embed and that the module leaves out, since its makers generate them;
    they are put in empty, so that the program answers by its API.
    edits: file, old, new: what a newer compiler refuses, and what it is told instead.
    """

    module: str
    version: str
    checksum: str
    programs: tuple[str, ...]
    tags: str = ""
    pages: tuple[str, ...] = ()
    edits: tuple[tuple[str, str, str], ...] = ()

    def make(self, folder: Path, work: Path) -> None:
        """Build the programs into a folder.

        They are built in a copy of the module, so that what it replaces and excludes counts: `go install` refuses a
        module that replaces another one.

        Raises:
            CannotHaveError: the module or one below it is not served, or is not the pinned one, or does not build.

        """
        source = work / "source"
        _copy(self._download(work), source)
        for page in self.pages:
            (source / page).parent.mkdir(parents=True, exist_ok=True)
            (source / page).touch()
        for name, old, new in self.edits:
            (source / name).write_text((source / name).read_text("utf-8").replace(old, new), "utf-8")
        flags = ("-trimpath", "-ldflags=-s -w", f"-tags={self.tags}", "-o", f"{folder}{os.sep}")
        go("build", *flags, *(f"./{program}" for program in self.programs), folder=source)

    def _download(self, work: Path) -> Path:
        told = json.loads(go("mod", "download", "-json", f"{self.module}@{self.version}", folder=work))
        if told["Sum"] != self.checksum:
            raise CannotHaveError(f"{self.module} {self.version} is {told['Sum']}, not the pinned {self.checksum}")
        return Path(told["Dir"])


def _copy(source: Path, target: Path) -> None:
    """Copy a module's files, so that they can be written: in the cache of modules neither they nor folders can."""
    for folder, _, names in os.walk(source):
        parts = Path(folder).relative_to(source).parts
        if "vendor" in parts:  # copies of other modules, which `go` would take without checking them, and incompletely
            continue
        target.joinpath(*parts).mkdir(parents=True)
        for name in names:
            shutil.copyfile(Path(folder, name), target.joinpath(*parts, name))


def go(*arguments: str | Path, folder: Path) -> str:
    """Run the `go` command in a folder and return what it printed.

    Raises:
        CannotHaveError: there is no `go`, or it failed.

    """
    command = shutil.which("go")
    if command is None:
        raise CannotHaveError("there is no `go` command (Go 1.26 or newer builds it)")
    return run([command, *arguments], folder=folder, environment=go_environment())


def go_environment() -> dict[str, str]:
    """Return the variables that `go` is run with besides the caller's.

    The checksum database is asked only where GOSUMDB is set: not every network that serves modules serves it too.
    """
    return {"GOSUMDB": os.environ.get("GOSUMDB", "off"), "CGO_ENABLED": "0", "GOWORK": "off"}
