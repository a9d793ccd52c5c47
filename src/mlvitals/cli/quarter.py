"""The summary of a quarter in the terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

    from mlvitals.report.quarter import Incident, Quarter


def show_quarter(quarter: "Quarter") -> None:
    """Print what a quarter comes to, and its pages in a table."""
    from mlvitals.cli.console import console, visible  # noqa: PLC0415  # not needed for --help
    from mlvitals.report.quarter_words import leads, title, watched  # noqa: PLC0415

    click.echo(visible(f"{title(quarter)}: {watched(quarter)}."))
    for sentence in leads(quarter):
        click.echo(visible(f"- {sentence}"))
    if quarter.incidents:
        console().print(_table(quarter.incidents))


def _table(incidents: "Sequence[Incident]") -> "Table":
    from rich.table import Table  # noqa: PLC0415

    from mlvitals.cli.console import cells  # noqa: PLC0415
    from mlvitals.report.numbers import duration, moment, number  # noqa: PLC0415
    from mlvitals.report.quarter_words import harm_words  # noqa: PLC0415
    from mlvitals.telemetry.pages import moved  # noqa: PLC0415

    names = ("what moved", "verdict", "page", "well again", "onset to page", "cost at the page", "page to end")
    table = Table(*names, title="pages", title_justify="left")
    for one in incidents:
        episode, stake = one.episode, one.stake
        table.add_row(
            *cells(
                moved(episode.lead.finding.source)
                + (f" and {episode.findings - 1} more" if episode.findings > 1 else ""),
                one.verdict,
                moment(episode.opened),
                "lasts" if one.well is None else moment(one.well),
                duration(one.detection),
                harm_words(one),
                "-" if stake is None else f"{number(round(stake.protected))} {stake.currency}",
            )
        )
    return table
