"""`mlvitals verdict`: whether a page was a true one, so that the promised rate can be checked."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlvitals.cli.options import config_option, load_config

if TYPE_CHECKING:
    import sqlite3

    from mlvitals.config import Config
    from mlvitals.decisions.paging_rate import MeasuredRate
    from mlvitals.decisions.words import Word


@click.command("verdict")
@config_option
@click.argument("episode", required=False)
@click.argument("verdict", required=False, type=click.Choice(["true", "false"]))
@click.option("--reason", default="", help="Why: it is kept with your name, and told in the logs.")
def command(path: Path, *, episode: str | None, verdict: str | None, reason: str) -> int:
    """Say whether the page of an episode was a true one; without one show all episodes, and how often pages were false.

    EPISODE: its id, or how that begins. The last verdict counts. It may be called while `run` writes.
    """
    from mlvitals.app.saying import find_episode, say, word_of  # noqa: PLC0415  # not needed for --help
    from mlvitals.decisions.words import Kind  # noqa: PLC0415

    config = load_config(path)
    if episode is not None:
        if verdict is None or not reason:
            raise click.UsageError("say whether it was true or false, and for what --reason")
        word = word_of(Kind.VERDICT, reason)

        def make(connection: "sqlite3.Connection") -> "Word":
            found = find_episode(connection, episode)
            return replace(word, model=found.model, episode=found.id, verdict=verdict)

        said = say(config, make).word
        click.echo(f"word {said.sequence}: the page of episode {said.episode} was {said.verdict}")
    _show(config)
    return 0


def _show(config: "Config") -> None:
    from mlvitals.app.kept import reading_state  # noqa: PLC0415
    from mlvitals.cli.console import console  # noqa: PLC0415
    from mlvitals.cli.episodes import episode_table  # noqa: PLC0415
    from mlvitals.decisions.episode_rows import read_episodes  # noqa: PLC0415
    from mlvitals.decisions.paging_rate import measured_rate, verdicts  # noqa: PLC0415

    with reading_state(config) as store, store.moment() as connection:
        episodes, known = [*read_episodes(connection)], verdicts(connection)
        rate = measured_rate(connection)
    if episodes:
        console().print(episode_table(episodes, "episodes", known))
    click.echo(_rate(rate, config.decisions.pages_per_week))


def _rate(rate: "MeasuredRate", budget: float) -> str:
    if not rate.weeks:
        return "nothing was observed yet"
    pages = f"{rate.pages} {'page' if rate.pages == 1 else 'pages'} in {rate.weeks:.1f} weeks"
    told = f"{rate.true} true, {rate.false} false, {rate.unjudged} unjudged"
    interval = f"between {rate.lower:.2g} and {rate.upper:.2g} a week (95 %; what is unjudged may be either)"
    return f"{pages}: {told}\nfalse pages: {interval}; the budget is {budget:g}"
