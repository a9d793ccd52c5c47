"""`mlvitals accept`: what moved is the new normal."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlvitals.cli.options import config_option, load_config
from mlvitals.cli.saying import answer, feature_option, model_option, reason_option, until_option

if TYPE_CHECKING:
    import sqlite3

    from mlvitals.decisions.words import Word


@click.command("accept")
@config_option
@model_option
@feature_option
@until_option
@click.option("--rebase", is_flag=True, help="For good: detectors learn their level anew, from when it moved.")
@reason_option
def command(path: Path, *, model: str, feature: str, until: int | None, rebase: bool, reason: str) -> int:
    """Say that what moved is the new normal, and so end the episode that it is part of.

    With --until nothing of it pages until then, and what still lasts pages after. It may be called while `run` writes.
    """
    from mlvitals.app.saying import check_scope, check_until, say, word_of  # noqa: PLC0415  # not needed for --help
    from mlvitals.decisions.words import Kind  # noqa: PLC0415

    if (until is None) is not rebase:
        raise click.UsageError("say for how long: one of --until and --rebase")
    config = load_config(path)
    word = word_of(Kind.REBASE if rebase else Kind.ACCEPT, reason)

    def make(connection: "sqlite3.Connection") -> "Word":
        check_scope(connection, config, model, feature)
        if until is not None:
            check_until(connection, model, until)
        return replace(word, model=model, feature=feature, until=until)

    answer(say(config, make))
    return 0
