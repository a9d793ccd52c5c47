"""`mlvitals report`: one page that shows what the state holds."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlvitals.cli.options import Moment, config_option, load_config

if TYPE_CHECKING:
    from mlvitals.config import Config


@click.command("report")
@config_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("report.html"),
    show_default=True,
    help="The page: one HTML file that fetches nothing.",
)
@click.option("--model", help="The model to tell in depth; the one that warns most where it is left out.")
@click.option("--since", type=Moment(), help="No window that starts before; the newest 500 where it is left out.")
def command(path: Path, *, output: Path, model: str | None, since: int | None) -> int:
    """Write a page with plots: all models in a table, and one in depth, from its events to what it is worth.

    It may be called while `run` writes, and needs neither the key nor the sources.
    """
    written, told = write_report(load_config(path), output, model=model, since=since)
    click.echo(f"{written}: {f'{told} in depth, ' if told else ''}{written.stat().st_size / 1e6:.2f} MB", err=True)
    return 0


def write_report(
    config: "Config", output: Path, *, model: str | None = None, since: int | None = None
) -> tuple[Path, str]:
    """Write the report of a configuration's state, whole or not at all; return its path and the model told in depth."""
    from mlvitals.app.kept import reading_state  # noqa: PLC0415  # not needed for --help
    from mlvitals.clock import SystemClock  # noqa: PLC0415
    from mlvitals.report.names import shown  # noqa: PLC0415
    from mlvitals.report.page import make_page  # noqa: PLC0415

    with reading_state(config) as store:
        page = make_page(store, config, now=SystemClock().now(), model=model, since=since)
    draft = output.with_name(output.name + ".part")
    draft.parent.mkdir(parents=True, exist_ok=True)
    draft.write_text(page.html, encoding="utf-8", errors="replace")
    draft.replace(output)
    return output, shown(page.model) if page.model else ""
