"""`mlvitals report`: one page that shows what the state holds, or what a quarter came to."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mlvitals.cli.options import Moment, config_option, load_config

if TYPE_CHECKING:
    from mlvitals.config import Config
    from mlvitals.decisions.paging_rate import Period

NEWEST: Final = "newest"


class QuarterName(click.ParamType[str]):
    """A quarter such as `2026Q3`, or the newest that is over."""

    name = "quarter"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the quarter that a person typed, as it was typed."""
        from mlvitals.report.calendar import parse_quarter  # noqa: PLC0415  # not needed for --help

        text = str(value)
        try:
            if text != NEWEST:
                parse_quarter(text)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return text


@click.command("report")
@config_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The page: one HTML file that fetches nothing; report.html, or quarter.html, where it is left out.",
)
@click.option("--model", help="The model to tell in depth; the one that warns most where it is left out.")
@click.option("--since", type=Moment(), help="No window that starts before; the newest 500 where it is left out.")
@click.option("--until", type=Moment(), help="With --quarter and --since: no page after this time.")
@click.option(
    "--quarter",
    type=QuarterName(),
    is_flag=False,
    flag_value=NEWEST,
    help="Tell a quarter of all models instead, here and as a page: the newest that is over, or one like 2026Q3.",
)
def command(
    path: Path, *, output: Path | None, model: str | None, since: int | None, until: int | None, quarter: str | None
) -> int:
    """Write a page with plots: all models in a table, and one in depth, from its events to what it is worth.

    With --quarter: what pages came and what they were worth, and who is not watched, for whoever pays.

    It may be called while `run` writes, and needs neither the key nor the sources.
    """
    if quarter is None:
        if until is not None:
            raise click.UsageError("--until goes with --quarter")
        output = output or Path("report.html")
        written, told = write_report(load_config(path), output, model=model, since=since)
    else:
        if model is not None:
            raise click.UsageError("--quarter tells of all models: leave --model out")
        written, told = _tell_quarter(path, output or Path("quarter.html"), _period(quarter, since, until)), ""
    click.echo(f"{written}: {f'{told} in depth, ' if told else ''}{written.stat().st_size / 1e6:.2f} MB", err=True)
    return 0


def _period(quarter: str, since: int | None, until: int | None) -> "Period | None":
    """Return the period that was asked for, None for the newest quarter that is over."""
    from mlvitals.decisions.paging_rate import Period  # noqa: PLC0415  # not needed for --help
    from mlvitals.report.calendar import parse_quarter  # noqa: PLC0415

    if since is None and until is None:
        return None if quarter == NEWEST else parse_quarter(quarter)
    if quarter != NEWEST or since is None or until is None or since >= until:
        raise click.UsageError("give a quarter, or --since and a later --until")
    return Period(since, until)


def _tell_quarter(path: Path, output: Path, period: "Period | None") -> Path:
    from mlvitals.app.kept import reading_state  # noqa: PLC0415
    from mlvitals.cli.quarter import show_quarter  # noqa: PLC0415
    from mlvitals.clock import SystemClock  # noqa: PLC0415
    from mlvitals.report.quarter import read_quarter  # noqa: PLC0415
    from mlvitals.report.quarter_page import make_quarter_page  # noqa: PLC0415

    config = load_config(path)
    with reading_state(config) as store, store.moment():
        quarter = read_quarter(store, config, period)
    written = _write(output, make_quarter_page(quarter, config, now=SystemClock().now()))
    show_quarter(quarter)
    return written


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
    return _write(output, page.html), shown(page.model) if page.model else ""


def _write(output: Path, html: str) -> Path:
    """Write a page, whole or not at all."""
    draft = output.with_name(output.name + ".part")
    draft.parent.mkdir(parents=True, exist_ok=True)
    draft.write_text(html, encoding="utf-8", errors="replace")
    draft.replace(output)
    return output
