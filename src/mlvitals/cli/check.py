"""`mlvitals check`: whether a configuration would run."""

from pathlib import Path
from typing import Final

import click

from mlvitals.cli.options import config_option, load_config

_WRONG: Final = 2


@click.command("check")
@config_option
def command(path: Path) -> int:
    """Validate the configuration, read its references, reach every source and destination. Nothing is changed."""
    from mlvitals.app.check import check_config  # noqa: PLC0415  # not needed for --help

    config = load_config(path)
    said = f"{len(config.models)} models, {len(config.sources)} sources, {len(config.sinks)} sinks"
    click.echo(f"{'FAULT' if config.faults else 'ok   '} {path}: {said}")
    faults = 0
    for finding in check_config(config):
        click.echo(f"{'ok   ' if finding.good else 'FAULT'} {finding.text}")
        faults += not finding.good
    if config.faults:
        return _WRONG
    return 1 if faults else 0
