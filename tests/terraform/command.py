"""Terraform and OpenTofu as tests run them: without a network, and without what the user's environment says of them."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.terraform.mirror import Mirror

_WITHIN: Final = 300.0
_FOREIGN: Final = re.compile(r"(TF_|TOFU_|DD_|DATADOG_|OPENSEARCH_|GRAFANA_|ELASTICSEARCH_|KIBANA_).*|.*_(proxy|PROXY)")
_LEFT_BEHIND: Final = shutil.ignore_patterns(".terraform", ".terraform.lock.hcl", "*.tfstate*")
_SOURCE: Final = re.compile(r'source\s*=\s*"([\w-]+/[\w-]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Terraform or OpenTofu. name: what it is called; mirror: whence it installs providers."""

    name: str
    program: Path
    mirror: Mirror

    def root(self, folder: Path, **environment: str) -> "Root":
        """Return a folder as a root module, with the providers that it and what it calls name put into the mirror."""
        return Root(command=self, folder=folder, environment=environment)

    def run(self, folder: Path, *words: str, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Return what a run ends with and all that it says."""
        kept = {name: value for name, value in os.environ.items() if not _FOREIGN.fullmatch(name)}
        told = subprocess.run(
            [self.program, *words],
            cwd=folder,
            env={
                **kept,
                "TF_CLI_CONFIG_FILE": str(self.mirror.config),
                "TF_IN_AUTOMATION": "1",
                "CHECKPOINT_DISABLE": "1",
                "TF_CLI_ARGS": "-no-color",
                **(environment or {}),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_WITHIN,
            check=False,
        )
        return told.returncode, told.stdout


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A folder with a root module. environment: what its runs see besides, such as a provider's keys."""

    command: Command
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def run(self, *words: str) -> str:
        """Return what a run says.

        Raises:
            AssertionError: it fails; the message holds what it says.

        """
        code, said = self.try_run(*words)
        assert code == 0, f"{self.command.name} {' '.join(words)} in {self.folder} ended with {code}:\n{said}"
        return said

    def try_run(self, *words: str) -> tuple[int, str]:
        """Return what a run ends with, and what it says."""
        return self.command.run(self.folder, *words, environment=self.environment)

    def init(self) -> "Root":
        """Install what the configuration asks for, and return itself."""
        for source in _sources(self.folder):
            self.command.mirror.add(source)
        self.run("init", "-input=false")
        return self

    def apply(self, variables: Mapping[str, Any] | None = None) -> "Root":
        """Apply, with values of variables that later runs see too, and return itself."""
        if variables is not None:
            (self.folder / "test.auto.tfvars.json").write_text(json.dumps(variables), "utf-8")
        self.run("apply", "-auto-approve", "-input=false")
        return self

    def must_be_settled(self) -> None:
        """Demand that there is nothing to do.

        Raises:
            AssertionError: there is; the message holds the plan.

        """
        code, said = self.try_run("plan", "-detailed-exitcode", "-input=false")
        assert code == 0, said

    def planned(self) -> Any:
        """Return the plan as `show -json` tells it."""
        self.run("plan", "-input=false", "-out=plan")
        return json.loads(self.run("show", "-json", "plan"))

    def outputs(self) -> dict[str, Any]:
        """Return the values of the outputs by their names, secret ones too."""
        return {name: told["value"] for name, told in json.loads(self.run("output", "-json")).items()}

    def destroy(self) -> None:
        """Take back all that was applied."""
        self.run("destroy", "-auto-approve", "-input=false")


def copied(module: Path, to: Path) -> Path:
    """Return a copy of a module's folder, so that nothing is left behind in the tree."""
    return Path(shutil.copytree(module, to / module.name, ignore=_LEFT_BEHIND))


def check_module(command: Command, module: Path, to: Path) -> list[str]:
    """Demand that a module is formatted, initialises, is valid, and that its tests and its examples hold.

    to: an empty folder, where it works on a copy. Returns what was run, so that a test can say what it must hold.
    """
    folder = copied(module, to)
    root, ran = command.root(folder), ["fmt", "init", "validate"]
    root.run("fmt", "-check", "-recursive", "-diff")
    root.init().run("validate")
    if list((folder / "tests").glob("*.tftest.hcl")):
        root.run("test")
        ran.append("test")
    for example in sorted(path for path in (folder / "examples").glob("*") if path.is_dir()):
        command.root(example).init().run("validate")
        ran.append(f"examples/{example.name}")
    return ran


def _sources(folder: Path) -> set[str]:
    """Return the providers that a configuration names: its own files', and those of what it calls by path."""
    files = [*folder.glob("*.tf"), *folder.glob("tests/*.tftest.hcl")]
    told = "\n".join(file.read_text("utf-8") for file in files)
    called = {(folder / path).resolve() for path in re.findall(r'source\s*=\s*"(\.{1,2}/[^"]*|\.{1,2})"', told)}
    found = {source.lower() for source in _SOURCE.findall(told)}
    return found.union(*(_sources(one) for one in called if one != folder.resolve()))
