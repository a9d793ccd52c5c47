"""What the commands by which a person speaks share: their options, and what they answer."""

from typing import TYPE_CHECKING

import click

from mlvitals.cli.options import Deadline

if TYPE_CHECKING:
    from mlvitals.app.saying import Said

model_option = click.option("--model", required=True, help="Of this model.")
feature_option = click.option("--feature", default="", help="Of this feature only.")
until_option = click.option("--until", type=Deadline(), help="A time with its zone, or a duration from now: 6h.")
reason_option = click.option("--reason", required=True, help="Why: it is kept with your name, and told in the logs.")


def answer(said: "Said") -> None:
    """Tell what was put down, and what it does to what lasts."""
    from mlvitals.telemetry.pages import in_words, moved  # noqa: PLC0415  # not needed for --help

    click.echo(f"word {said.word.sequence}: {in_words(said.word)}")
    for source, episode in said.lasting.items():
        of = "does not page" if episode is None else f"episode {episode}"
        click.echo(f"  lasts now: {moved(source)} ({of})")
    click.echo("the run heeds it in its next transaction")
