"""`mlvitals replay`: events again, at another time and speed."""

import sys
from pathlib import Path

import click

from mlvitals.cli.options import Moment


@click.command("replay")
@click.argument("events", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--start", default="now", show_default=True, help="When the first day of the events shall begin: now, or a time."
)
@click.option(
    "--speed",
    type=float,
    default=1440.0,
    show_default=True,
    help="How many times as fast: 1440 puts a day into a minute.",
)
@click.option(
    "--reference",
    "references",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A reference file to shrink with the events; needs --output. Repeatable.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder for files of the same names; without it, one stream to stdout.",
)
def command(
    events: tuple[Path, ...], *, start: str, speed: float, references: tuple[Path, ...], output: Path | None
) -> int:
    """Shift and compress the times of events, labels and rows for references by one factor."""
    from mlvitals.clock import MINUTE, SystemClock  # noqa: PLC0415  # not needed for --help
    from mlvitals.replay import Shift, find_origin, shift_events, shift_reference  # noqa: PLC0415
    from mlvitals.windows.reference import read_reference, write_reference  # noqa: PLC0415

    if not 0 < speed < float("inf"):
        raise click.BadParameter("must be a positive number", param_hint="--speed")
    if references and output is None:
        raise click.UsageError("--reference needs --output")
    # From a whole minute on, the shrunken windows keep the limits of the original ones.
    begin = SystemClock().now() // MINUTE * MINUTE if start == "now" else Moment().convert(start, None, None)
    shift = Shift(start=begin, origin=find_origin(events), speed=speed)
    account = shift_events(events, shift, sys.stdout.buffer if output is None else output)
    if output is not None:
        for path in references:
            write_reference(shift_reference(read_reference(path), shift), output / path.name)
    click.echo(f"{account.events} events shifted, {account.unchanged} lines passed unchanged", err=True)
    return 0
