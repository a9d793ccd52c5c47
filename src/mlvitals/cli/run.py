"""`mlvitals run`: the main job."""

import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mlvitals.cli.options import Moment, Span, config_option, load_config
from mlvitals.cli.progress import counting_rows

if TYPE_CHECKING:
    from mlvitals.app.run import RunReport
    from mlvitals.delivery import DrainReport
    from mlvitals.events import ReadAccount

_INCOMPLETE: Final = 1
_UNREAD: Final = 3
_INTERRUPTED: Final = 130


@click.command("run")
@config_option
@click.option("--once", is_flag=True, help="Read what is there, close by event time, deliver, exit.")
@click.option(
    "--until",
    type=Moment(),
    help="Like --once, with the clock and every watermark at this time; rows at or after it are held back. "
    "Repeatable with a later time.",
)
@click.option(
    "--patience",
    type=Span(),
    default="2m",
    show_default=True,
    help="With --once or --until: how long to wait for destinations that do not answer. What they did not take is sent "
    "by the next run.",
)
def command(path: Path, *, once: bool, until: int | None, patience: float) -> int:
    """Read events, measure windows as they close and cohorts as they mature, deliver.

    Without --once it follows the sources until it is stopped (SIGTERM, Ctrl-C): it then finishes the batch at hand.
    On SIGHUP it reads the configuration again. A model that cannot run is told, and holds up no other.
    """
    from mlvitals.app.follow import run_until_stopped  # noqa: PLC0415  # not needed for --help
    from mlvitals.app.run import run_once  # noqa: PLC0415

    config = load_config(path)
    once = once or until is not None
    with counting_rows("reading") as progress:
        if once:
            report = run_once(config, until=until, progress=progress, patience=patience)
        else:
            report = run_until_stopped(config, progress=progress, tell=_tell, again=partial(load_config, path))
    for problem in (*report.broken, *report.problems):
        _tell(problem)
    _tell_account(report.account)
    for drain in report.drains:
        _tell_delivery(drain)
    return _answer(report, once=once)


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _tell_account(account: "ReadAccount") -> None:
    """Tell how many rows were read, and which of them nobody could."""
    line = f"{account.rows} rows read"
    if account.unparseable:
        line += f", {account.unparseable} of them unparseable"
        line += f" ({account.examples[0]})" if account.examples else ""
    _tell(line)


def _tell_delivery(drain: "DrainReport") -> None:
    line = f"{drain.destination}: {drain.delivered} items delivered"
    names = ("rejected", "dead", "expired", "superseded")
    lost = {name: getattr(drain, name) for name in names}
    line += "".join(f", {count} {fate}" for fate, count in lost.items() if count)
    line += f", {drain.waiting} requests wait" if drain.waiting else ""
    line += f" ({drain.trouble})" if drain.trouble else ""
    _tell(line)
    for warning in drain.warnings:
        _tell(f"{drain.destination}: {warning}")


def _answer(report: "RunReport", *, once: bool) -> int:
    """Return the exit code; to stop a job that follows its sources is its proper end."""
    if report.signal is not None:
        return 0 if report.signal == signal.SIGTERM and not once else _INTERRUPTED
    if report.unread:
        return _UNREAD
    return 0 if report.delivered and not report.broken else _INCOMPLETE
