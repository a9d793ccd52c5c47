"""`mlvitals drill`: does a page arrive?"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlvitals.cli.options import Deadline, config_option, load_config
from mlvitals.cli.saying import answer, model_option

if TYPE_CHECKING:
    import sqlite3

    from mlvitals.decisions.words import Word


@click.command("drill")
@config_option
@model_option
@click.option(
    "--until",
    type=Deadline(),
    default="15m",
    show_default=True,
    help="When it is over, if no other drill follows: a time with its zone, or a duration from now.",
)
@click.option("--reason", default="does a page arrive?", show_default=True, help="Why: it is kept with your name.")
def command(path: Path, *, model: str, until: int, reason: str) -> int:
    """Page although nothing is wrong: through the job, its destinations, their monitors and the owner's route.

    The page says that it is a drill, of which nobody needs to be woken. It counts as no page, touches no episode, and
    is over at its time: then whoever was paged must hear that, too. It may be called while `run` writes.
    """
    from mlvitals.app.saying import check_scope, say, word_of  # noqa: PLC0415  # not needed for --help
    from mlvitals.clock import SECOND, SystemClock  # noqa: PLC0415
    from mlvitals.decisions.words import Kind  # noqa: PLC0415

    if until <= SystemClock().now():
        raise click.UsageError("--until has passed")
    config = load_config(path)
    word = word_of(Kind.DRILL, reason)

    def make(connection: "sqlite3.Connection") -> "Word":
        check_scope(connection, config, model, "")
        return replace(word, model=model, until=until // SECOND * SECOND)

    answer(say(config, make))
    return 0
