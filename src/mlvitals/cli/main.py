"""The root command: finds a subcommand when it is called, and turns errors into one line and an exit code."""

import importlib
import sqlite3
import sys
import traceback
from collections.abc import Sequence
from typing import Final

import click

from mlvitals.errors import MlvitalsError

_DEBUG: Final = "--debug"
_UNREADABLE: Final = 3
_INTERRUPTED: Final = 130

# Each command stands in its own module, imported when it is called, so that `--help` costs nothing.
_COMMANDS: Final = {
    "accept": ("mlvitals.cli.accept", "Say that what moved is the new normal, until a time or for good."),
    "check": ("mlvitals.cli.check", "Validate the configuration; reach every source and destination. No side effects."),
    "demo": ("mlvitals.cli.demo", "Run the main job on real house sales and show what it finds."),
    "drill": ("mlvitals.cli.drill", "Page although nothing is wrong, to see whom it reaches."),
    "init": ("mlvitals.cli.init", "Write a commented configuration from a sample of a log."),
    "mute": ("mlvitals.cli.mute", "Say that a disturbance is known: no pages of it until a time."),
    "outbox": ("mlvitals.cli.outbox", "Show what waits to be delivered and what was refused; retry it, or drop it."),
    "plan": ("mlvitals.cli.plan", "Tell beforehand how many series and documents there will be, and what they cost."),
    "reference": ("mlvitals.cli.reference", "Build and inspect references."),
    "render": ("mlvitals.cli.render", "Write dashboards, monitors and documents, from the registry of signals."),
    "replay": ("mlvitals.cli.replay", "Shift and compress the times of events: demos and end-to-end alert tests."),
    "report": ("mlvitals.cli.report", "Write one self-contained page with plots: what moved, since when, how sure."),
    "run": ("mlvitals.cli.run", "The main job: read events, measure windows, deliver."),
    "signals": ("mlvitals.cli.signals", "Show the measurements in the local state."),
    "state": ("mlvitals.cli.state", "Copy the state while it is written, and check that it is sound."),
    "status": ("mlvitals.cli.status", "Show open episodes, positions, the account of rows, watermarks, the outbox."),
    "unmute": ("mlvitals.cli.unmute", "End a mute, or an accept that has a time, before its end."),
    "verdict": ("mlvitals.cli.verdict", "Say whether a page was a true one; show all of them and the measured rate."),
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(_COMMANDS[cmd_name][0]).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{_COMMANDS[cmd_name][0]}.command is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, brief) for name, (_, brief) in sorted(_COMMANDS.items())])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(_DEBUG, is_flag=True, help="Show the whole traceback of an error. May stand anywhere on the line.")
@click.version_option(package_name="mlvitals")
def cli(*, debug: bool) -> None:
    """The vital signs of models in production, inside the observability stack a team already has."""
    del debug


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code.

    0 done; 1 the answer is no; 2 wrong usage or configuration; 3 an input that cannot be read or decided; 130
    interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = _DEBUG in words
    try:
        answer = cli.main(args=[word for word in words if word != _DEBUG], prog_name="mlvitals", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        sys.exit(_INTERRUPTED)
    except click.ClickException as error:
        _show(error)
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001  # a person gets one line; --debug shows where it comes from
        if debug:
            traceback.print_exc()
        click.echo(f"mlvitals: {_line(error)}", err=True)
        sys.exit(error.exit_code if isinstance(error, MlvitalsError) else _UNREADABLE)
    sys.exit(answer if isinstance(answer, int) else 0)


def _show(error: click.ClickException) -> None:
    message = error.format_message()
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None or "\n" in message:  # the help of a command that was called without what it needs
        error.show()
    else:
        click.echo(f"{context.command_path}: {message} ({context.command_path} --help)", err=True)


def _line(error: Exception) -> str:
    """Return one line that says what went wrong; what is a bug is called one."""
    if isinstance(error, MlvitalsError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, sqlite3.DatabaseError):
        return f"the state database: {error}"
    text = " ".join(str(error).split())
    return f"unexpected {type(error).__name__}: {text} (a bug: {_DEBUG} shows where)"
