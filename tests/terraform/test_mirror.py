"""Providers come from the mirror: none is asked of a registry."""

from pathlib import Path

import pytest

from tests.terraform.command import copied

pytestmark = pytest.mark.integration

CONFIGURATIONS = Path(__file__).with_name("configurations")


@pytest.mark.parametrize(("name", "known"), [("grafana", "title"), ("elastic", "index_patterns")])
def test_a_real_provider_is_installed_and_knows_its_arguments(each_terraform, tmp_path, name, known):
    folder = copied(CONFIGURATIONS / name, tmp_path)
    root = each_terraform.root(folder).init()
    root.run("validate")
    wrong = (folder / "main.tf").read_text("utf-8").replace(known, "colour")
    (folder / "main.tf").write_text(wrong, "utf-8")
    code, said = root.try_run("validate")
    assert code == 1
    assert 'An argument named "colour" is not expected here.' in said


def test_what_is_not_in_the_mirror_is_not_looked_for_elsewhere(terraform, tmp_path):
    (tmp_path / "main.tf").write_text('resource "unheard_of" "one" {\n}\n', "utf-8")
    code, said = terraform.root(tmp_path).try_run("init", "-input=false")
    assert code == 1
    assert "registry.terraform.io/hashicorp/unheard" in said.replace("\n", "")
