"""A folder of providers from which Terraform and OpenTofu install, so that nothing is asked of a registry.

Providers that Go builds are the real ones. Those of Datadog and OpenSearch are stand-ins, `tests/terraform_standin`:
scripts under the names that Terraform looks for, at the versions whose documentation they follow.
"""

import json
import platform
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.stack import versions
from tests.stack.home import home
from tests.stack.recipe import Server

STANDINS: Final = {"datadog/datadog": "4.19.0", "opensearch-project/opensearch": "2.4.0"}

_REAL: Final = {"grafana/grafana": versions.GRAFANA_PROVIDER, "elastic/elasticstack": versions.ELASTIC_PROVIDER}
_REGISTRIES: Final = ("registry.terraform.io", "registry.opentofu.org")
_MACHINES: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_REPOSITORY: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """A mirror, and the file that tells Terraform to install from it alone."""

    folder: Path

    @property
    def config(self) -> Path:
        """Return the file for `TF_CLI_CONFIG_FILE`."""
        return self.folder / "terraform.rc"

    def add(self, source: str) -> None:
        """Put a provider in, `namespace/name` in small letters, unless it is there; skip where it is not at hand."""
        name = source.rpartition("/")[2]
        server = _REAL.get(source)
        version = STANDINS[source] if server is None else server.version
        for registry in _REGISTRIES:
            program = self.folder / registry / source / version / _target() / f"terraform-provider-{name}_v{version}"
            if not program.exists():
                program.parent.mkdir(parents=True, exist_ok=True)
                _place(program, name, server)


def make_mirror(folder: Path) -> Mirror:
    """Return a mirror without providers."""
    mirror = Mirror(folder=folder)
    source = json.dumps(str(folder))
    mirror.config.write_text(
        f"disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{\n    path = {source}\n  }}\n}}\n",
        "utf-8",
    )
    return mirror


def _place(program: Path, name: str, server: Server | None) -> None:
    if server is not None:
        program.symlink_to(home(server) / f"terraform-provider-{name}")
        return
    python = home(versions.TERRAFORM_STANDIN) / "bin" / "python"
    words = " ".join(shlex.quote(str(word)) for word in (python, "-m", "tests.terraform_standin", name))
    path = shlex.quote(str(_REPOSITORY))
    program.write_text(f"#!/bin/sh\nPYTHONPATH={path} PYTHONDONTWRITEBYTECODE=1 exec {words}\n", "utf-8")
    program.chmod(0o755)


def _target() -> str:
    return f"{platform.system().lower()}_{_MACHINES[platform.machine().lower()]}"
