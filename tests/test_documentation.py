"""Documentation that is wrong fails here: every command, option, key and signal is told, every block is real."""

import re
import subprocess
import sys

import click
import msgspec
import pytest

from mlvitals.cli.main import cli
from mlvitals.config import load
from mlvitals.config.model import Document
from mlvitals.signals.registry import names


@pytest.fixture(scope="module")
def text(repository):
    paths = [*repository.glob("*.md"), *repository.glob("docs/*.md")]
    return {path.relative_to(repository).as_posix(): path.read_text(encoding="utf-8") for path in paths}


@pytest.fixture(scope="module")
def guide(text):
    """All that is written for users."""
    return "\n".join(document for name, document in sorted(text.items()) if name != "CHANGELOG.md")


def blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands(group, prefix=()):
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from commands(command, (*prefix, name))
        else:
            yield (*prefix, name), command


def test_every_configuration_in_the_documents_loads(text, tmp_path):
    found = [block for document in text.values() for block in blocks(document, "yaml")]
    assert found
    for document in text.values():
        for block in blocks(document, "python"):
            if named := re.match(r"# (\w+\.py)\n", block):  # what a configuration's `plugins` may name
                (tmp_path / named[1]).write_text(block, encoding="utf-8")
    for number, block in enumerate(found):
        path = tmp_path / f"{number}.yaml"
        path.write_text(block, encoding="utf-8")
        load(path, {})


def test_every_event_in_the_readme_is_one_that_is_read(text):
    from mlvitals.events import RawBatch  # noqa: PLC0415
    from mlvitals.formats import DecodePlan, MlvitalsFormat  # noqa: PLC0415

    for block in blocks(text["README.md"], "json"):
        raw = RawBatch(data=block.encode(), place="README.md", position=b"")
        batch = MlvitalsFormat().open(DecodePlan()).decode(raw)
        assert batch.account.unparseable == batch.account.skipped == 0
        assert batch.predictions.num_rows + batch.labels.num_rows == len(block.splitlines())


def test_every_command_is_told_and_every_told_command_is_real(text, guide):
    real = {" ".join(name) for name, _ in commands(cli)}
    for name in real:
        assert re.search(rf"mlvitals {name}\b", guide), f"`mlvitals {name}` is told nowhere"
    shown = "\n".join(blocks(text["README.md"], "sh"))
    for told in re.findall(r"mlvitals ((?:(?:reference|outbox|state) )?[a-z]+)", shown):
        assert told in real or told == "y", told


def test_every_option_has_its_help():
    for name, command in commands(cli):
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{' '.join(name)} {parameter.opts}"


def test_every_option_in_the_readme_is_real(text):
    real = {option for _, command in commands(cli) for parameter in command.params for option in parameter.opts}
    lines = [line for block in blocks(text["README.md"], "sh") for line in block.splitlines()]
    for line in lines:
        if line.startswith("mlvitals "):
            assert {*re.findall(r"(?<=\s)--?[a-z]+", line)} <= real, line


def test_every_key_of_the_configuration_is_told(guide):
    for name in _keys(Document):
        assert re.search(rf"\b{name}\b", guide), f"`{name}` is told nowhere"


def test_every_signal_is_told(text):
    for name in names():
        assert f"`{name}`" in text["docs/signals.md"]


def test_every_link_between_documents_leads_somewhere(repository, text):
    for name, document in text.items():
        for target in re.findall(r"\]\((?!https?://)([^)#]+)", document):
            assert ((repository / name).parent / target).exists(), f"{name}: {target}"


def test_help_names_every_command():
    shown = subprocess.run([sys.executable, "-m", "mlvitals", "--help"], capture_output=True, text=True, check=True)
    for name in cli.list_commands(click.Context(cli)):
        assert f"  {name} " in shown.stdout


def test_the_documents_become_pages_without_a_warning(repository, tmp_path):
    build = [sys.executable, "-m", "sphinx", "-q", "-n", "-W", "--keep-going", "-d", tmp_path / "trees"]
    done = subprocess.run(
        [*build, repository / "docs", tmp_path / "pages"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "toctree-wrapper" in (tmp_path / "pages" / "index.html").read_text(encoding="utf-8")


def _keys(struct):
    for field in msgspec.structs.fields(struct):
        yield field.encode_name
        for inner in _structs(field.type):
            yield from _keys(inner)


def _structs(kind):
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [kind]
    return [struct for argument in getattr(kind, "__args__", ()) for struct in _structs(argument)]
