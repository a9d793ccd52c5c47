"""What Terraform's files say is read from their layout."""

import pytest

from mlvitals.assets.hcl import read_blocks, text_of

MODULE = """# A comment.
terraform {
  required_version = ">= 1.7"

  required_providers {
    grafana = {
      source  = "grafana/grafana"
      version = ">= 3"
    }
  }
}

variable "bars" {
  description = "Bars, \\"critical\\" ones: { or ( in a text is none."
  type = map(object({
    critical = number # not this }
    warning  = optional(number)
  }))
  default = {}

  validation {
    condition     = alltrue([for one in values(var.bars) : one.critical > 0])
    error_message = "no"
  }
}

resource "grafana_folder" "this" {
  title = <<-EOT
    A title {
    with a bracket
  EOT
  uid = join("-", [
    "a ${join(",", ["b"])}",
  ])

  dynamic "one" {
    for_each = []
    content {}
  }
}
"""


def test_blocks_are_read_with_their_labels_attributes_and_blocks():
    terraform, variable, resource = read_blocks(MODULE).blocks
    assert terraform.attributes == {"required_version": '">= 1.7"'}
    [providers] = terraform.of("required_providers")
    assert providers.attributes == {"grafana": '{\n  source  = "grafana/grafana"\n  version = ">= 3"\n}'}
    assert (variable.kind, variable.labels, resource.labels) == ("variable", ("bars",), ("grafana_folder", "this"))
    assert list(variable.attributes) == ["description", "type", "default"]
    assert variable.attributes["type"].splitlines()[-1] == "}))"
    assert len(variable.of("validation")) == 1
    assert [block.kind for block in resource.of("dynamic")[0].blocks] == ["content"]


def test_an_expression_ends_where_its_brackets_and_its_texts_end():
    resource = read_blocks(MODULE).blocks[2]
    assert list(resource.attributes) == ["title", "uid"]
    assert resource.attributes["title"].endswith("EOT")
    assert resource.attributes["uid"] == 'join("-", [\n  "a ${join(",", ["b"])}",\n])'


def test_a_text_is_read_without_its_escapes():
    described = read_blocks(MODULE).blocks[1].attributes["description"]
    assert text_of(described) == 'Bars, "critical" ones: { or ( in a text is none.'


@pytest.mark.parametrize("expression", ["var.a", '"a ${var.b}"', '"a" + "b"', "<<-EOT\n  a\nEOT"])
def test_what_is_no_plain_text_is_not_taken_for_one(expression):
    with pytest.raises(ValueError, match="is no plain text"):
        text_of(expression)


def test_an_expression_that_does_not_end_is_told():
    with pytest.raises(ValueError, match="an expression does not end"):
        read_blocks("a = [\n  1,\n")


@pytest.mark.parametrize("text", ["a=1\n", 'variable "a"\n{\n}\n', "a = 1, b = 2 }\nx y\n"])
def test_what_the_formatter_does_not_leave_is_named_by_its_line(text):
    with pytest.raises(ValueError, match=r"line \d+ is none that"):
        read_blocks(text)
