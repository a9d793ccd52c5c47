"""`mlvitals plan`: what a configuration will send, before it sends anything."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mlvitals.cli.options import config_option, load_config

if TYPE_CHECKING:
    from rich.table import Table

    from mlvitals.plan.plan import DestinationPlan, Load, ModelPlan, Plan, Range

_WRONG: Final = 2
_NAMED: Final = 5  # of what is cut, so many are named in the table; JSON names all
_HEADS: Final = ("model", "series", "points a day", "events a day", "MB a day", "MB sent a day")
_KINDS: Final = {
    "feature_in_segments": "features in segments",
    "feature": "features",
    "segment": "segments",
    "signal": "signals",
}


@click.command("plan")
@config_option
@click.option(
    "--prices", "prices_path", type=click.Path(path_type=Path), help="Prices, in place of those of the configuration."
)
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="How it is told."
)
def command(path: Path, prices_path: Path | None, form: str) -> int:
    """Tell how many series, points and documents each model may send, what they cost, and who may page how often.

    Every figure is that of an ordinary day and, after it, the most that there can be. Nothing is sent or changed.
    """
    import msgspec  # noqa: PLC0415  # not needed for --help

    from mlvitals.app.planning import plan_config  # noqa: PLC0415  # as above
    from mlvitals.config import load_prices  # noqa: PLC0415  # as above

    config = load_config(path)
    plan = plan_config(config, config.prices if prices_path is None else load_prices(prices_path, config))
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(plan), indent=2))
    else:
        _print(plan)
    if config.faults:
        return _WRONG
    return 0 if plan.fits and not any(model.fault for model in plan.models) else 1


def _print(plan: "Plan") -> None:
    from mlvitals.cli.console import console  # noqa: PLC0415  # rich
    from mlvitals.cli.pages import allocation_table, told_of_pages  # noqa: PLC0415  # as above

    out = console()
    for destination in plan.destinations:
        out.print(_table(destination))
        for line in _money(destination):
            click.echo(line)
    click.echo(
        f"Each figure: of an ordinary day, when one version serves and nothing warns - at most, with {plan.versions} "
        f"versions at a time. Export level {plan.export}."
    )
    for model in plan.models:
        for line in _told(model):
            click.echo(line)
    for pattern in plan.patterns:
        click.echo(
            f"models {pattern}: unknown until they come; each then takes its base, and of the budget what is left"
        )
    click.echo(_budget(plan))
    out.print(allocation_table(plan.pages))
    for line in told_of_pages(plan.pages, plan.patterns):
        click.echo(line)


def _table(destination: "DestinationPlan") -> "Table":
    from rich.table import Table  # noqa: PLC0415

    from mlvitals.cli.console import cells  # noqa: PLC0415

    table = Table(title=destination.destination, title_justify="left")
    for head in _HEADS:
        table.add_column(head, justify="left" if head == "model" else "right", overflow="fold")
    for name, load in destination.models.items():
        table.add_row(*cells(name, *_figures(load)))
    if destination.job.series.at_most or destination.job.events_per_day.at_most:
        table.add_row(*cells("(the job itself)", *_figures(destination.job)))
    if table.row_count > 1:
        table.add_section()
        table.add_row(*cells("(all)", *_figures(destination.total)))
    return table


def _figures(load: "Load") -> Iterator[str]:
    for whole in (load.series, load.points_per_day, load.events_per_day):
        yield _range(whole)
    for size in (load.content_per_day, load.sent_per_day):
        yield f"{_megabytes(size.ordinary)} - {_megabytes(size.at_most)}"


def _range(figure: "Range") -> str:
    return f"{figure.ordinary:,} - {figure.at_most:,}" if figure.at_most else "none"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.3f}" if size < 100_000_000 else f"{size / 1e6:,.0f}"


def _money(destination: "DestinationPlan") -> Iterator[str]:
    for name, amount in destination.money.items():
        what = "in all" if name == "total" else name.replace("_", " ")
        money = f"{amount.ordinary:,} - {amount.at_most:,} {destination.currency}"
        yield f"{destination.destination}: {what}: {money} a month"


def _told(model: "ModelPlan") -> Iterator[str]:
    if model.fault is not None:
        yield f"FAULT {model.model}: {model.fault}"
    if model.learns:
        yield f"model {model.model}: its reference is not known yet: these figures hold until it is learnt"
    for kind, members in groupby(model.cut, key=lambda cut: cut.kind):
        cuts = list(members)
        named = ", ".join(cut.name for cut in cuts[:_NAMED]) + (", …" if cuts[_NAMED:] else "")
        series = sum(cut.series for cut in cuts)
        yield f"model {model.model}: the budget keeps back {series:,} series of {len(cuts)} {_KINDS[kind]}: {named}"


def _budget(plan: "Plan") -> str:
    if plan.budget is None or plan.left is None:
        return "No budget is set (`budget.series`): all series may leave."
    if plan.left < 0:
        return (
            f"The budget of {plan.budget:,} series lacks {-plan.left:,} for the bases alone, which leave nevertheless."
        )
    kept_back = sum(cut.series for model in plan.models for cut in model.cut)
    return f"Budget: {plan.budget:,} series, {plan.left:,} left; {kept_back:,} are kept back."
