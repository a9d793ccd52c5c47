"""The tables in the README of a Terraform module: what it needs, takes, gives and makes, as its files say."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from mlvitals.assets.hcl import Block, read_blocks, text_of
from mlvitals.assets.markdown import RenderedPart

PART: Final = RenderedPart("module's files")

_REGISTRY: Final = "https://registry.terraform.io/providers"
_INLINE: Final = 60  # letters of an expression that a table can show


def update_readme(readme: str, files: Mapping[str, str]) -> str:
    """Return a module's README with its rendered part brought up to date.

    files: the texts of the module's own `.tf` files by their names, and of its examples by their paths.

    Raises:
        ValueError: the README lacks the part, or a file is not formatted, or a variable or output lacks a description.

    """
    return PART.update(readme, "\n".join(_lines(files)))


def read_module(folder: Path) -> dict[str, str]:
    """Return the files of a module that its README tells of, by their paths in it."""
    found = (path for pattern in ("*.tf", "examples/*/*.tf") for path in folder.glob(pattern))
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in sorted(found)}


def read_variables(files: Mapping[str, str]) -> list[Block]:
    """Return the variables of a module in the order of their files."""
    return _of(_own(files), "variable")


def _lines(files: Mapping[str, str]) -> Iterator[str]:
    own = _own(files)
    yield from ("", "## Requirements", "", "| needs | version |", "|---|---|")
    yield from (row for block in _of(own, "terraform") for row in _requirements(block))
    yield from ("", "## Variables", "", "| name | type | default | what |", "|---|---|---|---|")
    variables = _of(own, "variable")
    yield from map(_variable, variables)
    for variable in variables:
        if "\n" in variable.attributes["type"]:
            yield from ("", f"`{variable.labels[0]}`:", "", "```hcl", variable.attributes["type"], "```")
    yield from ("", "## Outputs", "", "| name | what |", "|---|---|")
    yield from (f"| {_name(output)} | {_cell(_described(output))} |" for output in _of(own, "output"))
    yield from ("", "## Resources", "")
    made = sorted({resource.labels for resource in _of(own, "resource")})
    yield from (f"- `{kind}.{name}`" for kind, name in made)
    examples = sorted({path.split("/")[1] for path in files if path.startswith("examples/")})
    if examples:
        yield from ("", "## Examples", "")
        yield from (f"- [{name}](examples/{name})" for name in examples)
    yield ""


def _own(files: Mapping[str, str]) -> list[Block]:
    read = []
    for path, text in files.items():
        if "/" not in path:
            try:
                read.append(read_blocks(text))
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from error
    return read


def _of(read: list[Block], kind: str) -> list[Block]:
    return [block for one in read for block in one.of(kind)]


def _requirements(block: Block) -> Iterator[str]:
    yield f"| Terraform or OpenTofu | `{text_of(block.attributes['required_version'])}` |"
    for providers in block.of("required_providers"):
        for expression in providers.attributes.values():
            told = dict(re.findall(r'(source|version) *= *"([^"]*)"', expression))
            source = told["source"]
            yield f"| provider [{source}]({_REGISTRY}/{source}) | `{told['version']}` |"


def _variable(variable: Block) -> str:
    kind = variable.attributes.get("type", "any")
    shown = f"{' of '.join(re.findall('[a-z]+', kind.partition('{')[0]))}, below" if "\n" in kind else f"`{kind}`"
    default = variable.attributes.get("default")
    return f"| {_name(variable)} | {_cell(shown)} | {_default(default)} | {_cell(_described(variable))} |"


def _default(expression: str | None) -> str:
    if expression is None:
        return "required"
    flat = re.sub(r"\s+", " ", expression)
    return f"`{_cell(flat)}`" if len(flat) <= _INLINE else "see `variables.tf`"


def _name(block: Block) -> str:
    return f"`{block.labels[0]}`" + (", secret" if block.attributes.get("sensitive") == "true" else "")


def _described(block: Block) -> str:
    if "description" not in block.attributes:
        raise ValueError(f"the {block.kind} {block.labels[0]} lacks a description")
    return text_of(block.attributes["description"])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
