"""`mlvitals mute`: a known disturbance, of which nobody needs to be woken."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlvitals.cli.options import config_option, load_config
from mlvitals.cli.saying import answer, feature_option, until_option
from mlvitals.decisions.finding import Detector

if TYPE_CHECKING:
    import sqlite3

    from mlvitals.config import Config
    from mlvitals.decisions.words import Word


@click.command("mute")
@config_option
@click.option("--model", help="Of this model.")
@feature_option
@click.option("--detector", type=click.Choice([one.value for one in Detector]), help="Of these only.")
@until_option
@click.option("--reason", default="", help="Why: it is kept with your name, and told in the logs.")
@click.option("--list", "listed", is_flag=True, help="Show what is muted or accepted until a time, and say nothing.")
def command(
    path: Path, *, model: str | None, feature: str, detector: str | None, until: int | None, reason: str, listed: bool
) -> int:
    """Say that a disturbance is known: no pages of it until a time. Its episode stays, and pages then if it lasts.

    It may be called while `run` writes.
    """
    from mlvitals.app.saying import check_scope, check_until, say, word_of  # noqa: PLC0415  # not needed for --help
    from mlvitals.decisions.words import Kind  # noqa: PLC0415

    config = load_config(path)
    if listed:
        _list(config)
        return 0
    if model is None or until is None or not reason:
        raise click.UsageError("say of which --model, --until when, and for what --reason; or ask with --list")
    if feature and detector not in (None, Detector.FEATURE):
        raise click.UsageError(f"--detector {detector} watches no feature: leave out one of --feature and --detector")
    word = word_of(Kind.MUTE, reason)

    def make(connection: "sqlite3.Connection") -> "Word":
        check_scope(connection, config, model, feature)
        check_until(connection, model, until)
        return replace(word, model=model, feature=feature, detector=detector or "", until=until)

    answer(say(config, make))
    return 0


def _list(config: "Config") -> None:
    from rich.table import Table  # noqa: PLC0415

    from mlvitals.app.kept import reading_state  # noqa: PLC0415
    from mlvitals.app.saying import silencing  # noqa: PLC0415
    from mlvitals.cli.console import cells, console  # noqa: PLC0415
    from mlvitals.clock import format_time  # noqa: PLC0415

    with reading_state(config) as store, store.moment() as connection:
        words = silencing(connection)
    if not words:
        click.echo("nothing is muted")
        return
    names = ("word", "kind", "model", "feature", "detector", "until", "by", "why", "heeded")
    table = Table(*names, title="what does not page", title_justify="left")
    for word in words:
        scope = (word.model, word.feature or "all", word.detector or "all")
        row = (str(word.sequence), word.kind.value, *scope, format_time(word.end), word.user, word.reason)
        table.add_row(*cells(*row, "yes" if word.heeded else "waits for the run"))
    console().print(table)
