"""`mlvitals check`: whether a configuration would run."""

from pathlib import Path

import click

from mlvitals.cli.options import config_option, load_config


@click.command("check")
@config_option
def command(path: Path) -> int:
    """Validate the configuration, read its references, reach every source and destination. Nothing is changed."""
    from mlvitals.app.check import check_config  # noqa: PLC0415  # not needed for --help

    config = load_config(path)
    click.echo(f"ok    {path}: {len(config.models)} models, {len(config.sources)} sources, {len(config.sinks)} sinks")
    faults = 0
    for finding in check_config(config):
        click.echo(f"{'ok   ' if finding.good else 'FAULT'} {finding.text}")
        faults += not finding.good
    return 1 if faults else 0
