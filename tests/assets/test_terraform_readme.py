"""The README of a module tells what its files say."""

import re

import pytest

from mlvitals.assets.hcl import text_of
from mlvitals.assets.monitors import LOOKBACK
from mlvitals.assets.terraform_readme import PART, read_module, read_variables, update_readme
from tests.conftest import REPOSITORY

MODULES = sorted(path.parent for path in REPOSITORY.glob("terraform/*/README.md"))
FILES = {
    "versions.tf": 'terraform {\n  required_version = ">= 1.7"\n\n  required_providers {\n    grafana = {\n'
    '      source  = "grafana/grafana"\n      version = ">= 3"\n    }\n  }\n}\n',
    "variables.tf": 'variable "title" {\n  description = "What it is called: a | b."\n  type        = string\n}\n\n'
    'variable "keys" {\n  description = "Keys."\n  type = map(object({\n    key = string\n  }))\n'
    "  default   = {}\n  sensitive = true\n}\n",
    "main.tf": 'resource "grafana_folder" "this" {\n  title = var.title\n}\n',
    "outputs.tf": 'output "uid" {\n  description = "Its id."\n  value       = grafana_folder.this.uid\n}\n',
    "examples/minimal/main.tf": 'module "a" {\n  source = "../.."\n}\n',
}


def rendered(files):
    lines = update_readme(f"# A module\n\n{PART.begin}\nold\n{PART.end}\n", files).splitlines()
    assert lines[:3] == ["# A module", "", PART.begin]
    return lines[3:-1]


def test_a_readme_tells_what_a_module_needs_takes_gives_and_makes():
    lines = rendered(FILES)
    assert "| Terraform or OpenTofu | `>= 1.7` |" in lines
    assert "| `title` | `string` | required | What it is called: a \\| b. |" in lines
    assert "| `keys`, secret | map of object, below | `{}` | Keys. |" in lines
    assert lines[lines.index("`keys`:") + 2 :][:5] == ["```hcl", "map(object({", "  key = string", "}))", "```"]
    assert "| `uid` | Its id. |" in lines
    assert "- `grafana_folder.this`" in lines
    assert "- [minimal](examples/minimal)" in lines


def test_what_lacks_a_description_is_named():
    files = FILES | {"outputs.tf": 'output "uid" {\n  value = 1\n}\n'}
    with pytest.raises(ValueError, match="the output uid lacks a description"):
        rendered(files)


def test_a_file_that_is_not_formatted_is_named():
    with pytest.raises(ValueError, match=r"main\.tf: line 1 is none"):
        rendered(FILES | {"main.tf": "a=1\n"})


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_every_variable_of_a_module_says_what_it_is_and_refuses_what_it_cannot_be(module):
    for variable in read_variables(read_module(module)):
        name = variable.labels[0]
        assert "type" in variable.attributes, name
        assert text_of(variable.attributes["description"]).endswith("."), name
        if variable.attributes["type"] == "number":
            assert variable.of("validation") != [], f"{name}: a number has bounds"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_the_lookback_of_a_model_that_is_not_named_is_the_one_of_hourly_windows(module):
    text = "\n".join(file.read_text("utf-8") for file in module.glob("*.tf"))
    found = re.findall(r"lookback\w* += (?:\w+\()?(?:number, )?(\d+)", text)
    found += re.findall(r'"lookback_seconds" \{[^}]*?default += (\d+)', text)
    assert found
    assert set(found) == {str(LOOKBACK)}
