"""`mlvitals state`: what an operator does with the state."""

from pathlib import Path

import click

from mlvitals.cli.options import config_option, load_config
from mlvitals.cli.progress import counting_rows


@click.group("state")
def command() -> None:
    """Copy the state while it is written, and check that it is sound."""


@command.command("backup")
@config_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The copy. The key of the ids' hash goes to OUTPUT.key, unless `state.key` names a file of its own.",
)
def backup(path: Path, *, output: Path) -> int:
    """Copy the state as it is at one moment, while `run` goes on. What is there already is replaced once all is copied.

    Both files are readable by their owner only. Set `state.path` to the copy to go on from it.
    """
    from mlvitals.app.copying import copy_state  # noqa: PLC0415  # not needed for --help

    config = load_config(path)
    with counting_rows("copying", unit="pages") as advance:
        copied = 0

        def progress(done: int, _pages: int) -> None:
            nonlocal copied
            advance(done - copied)
            copied = done

        written = copy_state(config, output, progress=progress)
    for file in written:
        click.echo(f"{file}: {file.stat().st_size:,} bytes")
    if len(written) == 1:
        click.echo(f"the key of the ids' hash is not with it: keep {config.state.key.path} too", err=True)
    return 0


@command.command("check")
@config_option
def check(path: Path) -> int:
    """Read the whole state and hold it against the configuration and its files. Nothing is changed; `run` may go on."""
    from mlvitals.app.soundness import check_state  # noqa: PLC0415  # not needed for --help

    faults = 0
    for finding in check_state(load_config(path)):
        click.echo(f"{'ok   ' if finding.good else 'FAULT'} {finding.text}")
        faults += not finding.good
    return 1 if faults else 0
