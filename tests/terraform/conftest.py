"""Terraform and OpenTofu over a mirror of providers, of which no test that asks for them needs a network.

Fixtures, all of a session:

- `terraform`: the `terraform` on the path, else OpenTofu, as a `Command`;
- `tofu`: OpenTofu, which `make stack` builds;
- `each_terraform`: both, one after the other.

What to do with them stands in `tests.terraform.command`: `check_module(terraform, folder, tmp_path)` holds the
formatting, `init`, `validate`, `test` and every example of a module, on a copy;
`terraform.root(copied(folder, tmp_path), DD_HOST=…).init().apply({…})`, `.must_be_settled()` (nothing is left to
do), `.planned()`, `.outputs()` and `.destroy()` run it. Providers are put into the mirror as configurations
name them: `grafana/grafana` and `elastic/elasticstack` are real, `DataDog/datadog` and
`opensearch-project/opensearch` stand-ins, which the address of any local API makes work.
"""

import shutil
from pathlib import Path

import pytest

from tests.stack import versions
from tests.stack.home import home
from tests.terraform.command import Command
from tests.terraform.mirror import Mirror, make_mirror


@pytest.fixture(scope="session", name="mirror")
def provider_mirror(tmp_path_factory: pytest.TempPathFactory) -> Mirror:
    return make_mirror(tmp_path_factory.mktemp("providers"))


@pytest.fixture(scope="session")
def tofu(mirror: Mirror) -> Command:
    return Command(name="tofu", program=home(versions.OPENTOFU) / "tofu", mirror=mirror)


@pytest.fixture(scope="session")
def terraform(request: pytest.FixtureRequest, mirror: Mirror) -> Command:
    program = shutil.which("terraform")
    if program is None:
        command: Command = request.getfixturevalue("tofu")
        return command
    return Command(name="terraform", program=Path(program), mirror=mirror)


@pytest.fixture(params=["terraform", "tofu"])
def each_terraform(request: pytest.FixtureRequest) -> Command:
    command: Command = request.getfixturevalue(request.param)
    return command
