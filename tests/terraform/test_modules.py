"""Every module that ships: formatted, valid, tested and with examples that hold, by Terraform and by OpenTofu."""

import pytest

from tests.conftest import REPOSITORY
from tests.terraform.command import check_module

pytestmark = pytest.mark.integration

MODULES = sorted({path.parent for path in REPOSITORY.glob("terraform/*/*.tf")})


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_a_module_is_formatted_valid_and_tested_and_its_examples_hold(each_terraform, module, tmp_path):
    ran = check_module(each_terraform, module, tmp_path)
    assert ran == ["fmt", "init", "validate", "test", "examples/complete", "examples/minimal"]
