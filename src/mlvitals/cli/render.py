"""`mlvitals render`: dashboards, monitors and documents, from the registry of signals."""

from pathlib import Path

import click


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
def command(*, check: bool, root: Path) -> int:
    """Write dashboards and monitors of every backend, and the rendered parts of the documents that are there."""
    from mlvitals.assets import render  # noqa: PLC0415  # not needed for --help

    changed = render.differences(root) if check else render.write(root)
    for path in changed:
        click.echo(path, err=check)
    if check and changed:
        click.echo(f"{len(changed)} files differ from what is rendered: run `mlvitals render`", err=True)
        return 1
    if not changed:
        click.echo(f"{len(render.rendered_files())} files and the documents are as they are rendered")
    return 0
