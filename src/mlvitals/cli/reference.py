"""`mlvitals reference`: build and inspect references."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlvitals.cli.options import config_option, load_config, pick_model
from mlvitals.cli.progress import counting_rows

if TYPE_CHECKING:
    from mlvitals.windows.reference import Reference


@click.group("reference")
def command() -> None:
    """Build and inspect references: what normal looks like."""


@command.command("build")
@config_option
@click.option("--model", help="The model; not needed where there is only one.")
@click.option("--version", help="Build the training reference of this version instead of the operating one.")
@click.option(
    "--data", "paths", multiple=True, required=True, help="Files of rows: Parquet, CSV or JSON Lines. Repeatable."
)
@click.argument("more", nargs=-1)
@click.option(
    "--complete", is_flag=True, help="The rows are all that was served, not a sample: volume can calibrate on them."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The reference file."
)
def build(
    path: Path,
    *,
    model: str | None,
    version: str | None,
    paths: tuple[str, ...],
    more: tuple[str, ...],
    complete: bool,
    output: Path,
) -> int:
    """Build a reference from rows with predictions (and, where known, labels beside them)."""
    from mlvitals.setup.reference import build_reference  # noqa: PLC0415  # not needed for --help
    from mlvitals.windows.reference import write_reference  # noqa: PLC0415

    chosen = pick_model(load_config(path), model)
    with counting_rows("counting") as progress:
        built = build_reference(chosen, version=version, paths=[*paths, *more], complete=complete, progress=progress)
    write_reference(built.reference, output)
    account = built.account
    click.echo(
        f"{output}: {built.reference.summary.predictions} rows of {chosen.name}, "
        f"{len(built.reference.layout.features)} features, {built.reference.layout.output.task.value}",
        err=True,
    )
    for count, what in ((account.unparseable, "unparseable"), (built.other_models, "of other models or versions")):
        if count:
            click.echo(f"{count} rows left out: {what}", err=True)
    for example in account.examples:
        click.echo(f"  {example}", err=True)
    return 0


@command.command("show")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def show(files: tuple[Path, ...]) -> int:
    """Show what references hold: their origin, features, bins, and how the model did on them."""
    from mlvitals.windows.reference import read_reference  # noqa: PLC0415  # not needed for --help

    for file in files:
        _print(file, read_reference(file))
    return 0


def _print(file: Path, reference: "Reference") -> None:
    from rich.table import Table  # noqa: PLC0415

    from mlvitals.cli.console import console, number  # noqa: PLC0415
    from mlvitals.windows.layout import MISSING  # noqa: PLC0415

    out = console()
    out.print(f"[bold]{file}[/]  model {reference.model} {reference.version or '(all versions)'}")
    facts = {
        "windows": f"{reference.window}, {len(reference.series)} of them",
        "taken as": "all that was served" if reference.complete else "a sample of it",
        **reference.provenance,
        "layout": reference.layout.hash,
        "reference": reference.hash,
    }
    for name, fact in facts.items():
        out.print(f"  {name}: {fact}", markup=False)
    table = Table("feature", "kind", "bins", "missing", "largest bins")
    for feature in reference.layout.features:
        column = reference.summary.feature(feature)
        largest = sorted(range(len(column.counts)), key=lambda index: -int(column.counts[index]))[:3]
        shares = [f"{column.bins.label(index)} {column.counts[index] / column.total:.0%}" for index in largest]
        table.add_row(
            feature.name,
            feature.kind.value,
            str(column.bins.size),
            f"{column.specials[MISSING] / column.total:.1%}",
            "(sensitive)" if feature.sensitive else ", ".join(shares),
        )
    out.print(table)
    output = reference.layout.output
    fine = 0 if output.score is None else output.score.size
    out.print(f"  {output.task.value}: {fine} bins of {output.column}")
    for name, value in _performance(reference).items():
        out.print(f"  {name}: {number(value)}")


def _performance(reference: "Reference") -> dict[str, float]:
    from mlvitals.signals.measure import measure  # noqa: PLC0415
    from mlvitals.signals.spec import Evidence, Stage  # noqa: PLC0415

    outcome = reference.summary.outcome(0)
    if not outcome.labelled:
        return {}
    evidence = Evidence(current=reference.summary, outcome=outcome, maturity="any")
    readings = [reading for _, reading in measure(evidence, Stage.MATURITY)]
    return {one.attributes["metric"]: one.value for one in readings if "metric" in one.attributes}
