"""`mlvitals run`: the main job."""

from pathlib import Path

import click

from mlvitals.cli.options import Moment, config_option, load_config
from mlvitals.cli.progress import counting_rows


@click.command("run")
@config_option
@click.option("--once", is_flag=True, help="Read what is there, close by event time, deliver, exit.")
@click.option(
    "--until",
    type=Moment(),
    help="Like --once, with the clock and every watermark at this time; rows at or after it are held back. "
    "Repeatable with a later time.",
)
def command(path: Path, *, once: bool, until: int | None) -> int:
    """Read events, measure windows as they close and cohorts as they mature, deliver.

    Without --once it follows the sources until it is stopped (SIGTERM, Ctrl-C): it then finishes the batch at hand.
    """
    from mlvitals.app.run import run_once, run_until_stopped  # noqa: PLC0415  # not needed for --help

    config = load_config(path)
    with counting_rows("reading") as progress:
        if once or until is not None:
            report = run_once(config, until=until, progress=progress)
        else:
            report = run_until_stopped(config, progress=progress)
    click.echo(f"{report.rows} rows read", err=True)
    for drain in report.drains:
        line = f"{drain.destination}: {drain.delivered} items delivered"
        lost = {"rejected": drain.rejected, "dead": drain.dead, "expired": drain.expired}
        line += "".join(f", {count} {fate}" for fate, count in lost.items() if count)
        line += f", {drain.waiting} requests wait" if drain.waiting else ""
        line += f" ({drain.trouble})" if drain.trouble else ""
        click.echo(line, err=True)
        for warning in drain.warnings:
            click.echo(f"{drain.destination}: {warning}", err=True)
    return 0 if report.delivered else 1
