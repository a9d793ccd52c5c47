"""`mlvitals render`: dashboards, monitors and documents, from the registry of signals."""

from collections.abc import Iterator
from pathlib import Path

import click

from mlvitals.cli.options import config_option, load_config


@click.command("render")
@click.option("--check", is_flag=True, help="Write nothing; answer 1 where something differs from what is rendered.")
@click.option(
    "-o",
    "--output",
    "root",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default="this folder",
    help="The root of the project: dashboards/, monitors/ and terraform/*/assets/ are filled below it.",
)
@click.option("--tfvars", is_flag=True, help="Write mlvitals.auto.tfvars.json, from a configuration.")
@click.option("--rules", is_flag=True, help="Write mlvitals.rules.yaml for Prometheus, from a configuration.")
@config_option
def command(path: Path, *, check: bool, root: Path, tfvars: bool, rules: bool) -> int:
    """Write dashboards and monitors of every backend, and the rendered parts of the documents that are there.

    With --tfvars the variables of the Terraform modules: environment, tags, and of each model its owner, window,
    lookback, maturities and segments, as the configuration has them. With --rules the rules of Prometheus for its
    owners and windows. The configuration is read for these alone.
    """
    if tfvars or rules:
        return max([_keep(root / name, content, check=check) for name, content in _told(path, tfvars, rules)])
    from mlvitals.assets import render  # noqa: PLC0415  # not needed for --help

    differing, stale = render.differences(root) if check else render.write(root)
    for name in differing:
        click.echo(name, err=check)
    for name in stale:
        click.echo(f"{name} is rendered by nothing: remove it, if it is not yours", err=True)
    if check and (differing or stale):
        click.echo(f"{len(differing)} files differ from what is rendered: run `mlvitals render`", err=True)
        return 1
    if not differing:
        click.echo(f"{len(render.rendered_files())} files and the documents are as they are rendered")
    return 0


def _told(path: Path, tfvars: bool, rules: bool) -> Iterator[tuple[str, bytes]]:  # noqa: FBT001  # as they were given
    """Yield the name and the content of what follows from a configuration and was asked for."""
    import msgspec  # noqa: PLC0415  # not needed for --help

    from mlvitals.assets.facts import groups_of, variables_of  # noqa: PLC0415  # as above
    from mlvitals.assets.prometheus.rules import render_rules  # noqa: PLC0415  # as above

    config = load_config(path)
    if tfvars:
        document = msgspec.json.format(msgspec.json.encode(variables_of(config)), indent=2)
        yield "mlvitals.auto.tfvars.json", document + b"\n"
    if rules:
        yield "mlvitals.rules.yaml", render_rules(groups_of(config))


def _keep(target: Path, content: bytes, *, check: bool) -> int:
    """Write a file, or compare it; return the exit code."""
    if check:
        differs = not target.is_file() or target.read_bytes() != content
        click.echo(f"{target} {'differs from' if differs else 'is'} what the configuration says", err=differs)
        return int(differs)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    click.echo(target)
    return 0
