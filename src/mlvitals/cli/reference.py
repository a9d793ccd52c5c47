"""`mlvitals reference`: build, inspect and compare references."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlvitals.cli.options import Span, config_option, load_config, pick_model
from mlvitals.cli.progress import counting_rows
from mlvitals.clock import SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlvitals.setup.comparing import ColumnDifference
    from mlvitals.windows.reference import Reference


@click.group("reference")
def command() -> None:
    """Build, inspect and compare references: what normal looks like."""


@command.command("build")
@config_option
@click.option("--model", help="The model; not needed where there is only one.")
@click.option("--version", help="Build the training reference of this version instead of the operating one.")
@click.option(
    "--data",
    "paths",
    multiple=True,
    help="Files of rows: Parquet, CSV or JSON Lines, read as the configuration reads its own of that kind. Repeatable; "
    "not with --since.",
)
@click.argument("more", nargs=-1)
@click.option(
    "--since",
    type=Span(),
    help="Take the rows from the configuration's own sources: those of so long before the newest prediction, as 28d.",
)
@click.option(
    "--complete/--sample",
    default=None,
    help="Whether the rows are all that was served, so that volume can calibrate on them: a sample with --data, "
    "complete with --since, where nothing is said.",
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
    since: float | None,
    complete: bool | None,
    output: Path,
) -> int:
    """Build a reference from rows with predictions (and, where known, labels beside them)."""
    from mlvitals.setup.reference import build_reference, build_reference_since  # noqa: PLC0415  # not for --help
    from mlvitals.sources import Role  # noqa: PLC0415
    from mlvitals.windows.reference import write_reference  # noqa: PLC0415

    if (since is None) == (not paths):
        raise click.UsageError("give the rows either with --data or with --since")
    config = load_config(path)
    chosen = pick_model(config, model)
    with counting_rows("counting") as progress:
        if since is None:
            built = build_reference(
                chosen,
                version=version,
                paths=[*paths, *more],
                complete=bool(complete),
                formats=[source.format for source in config.sources if source.role is not Role.LABELS],
                progress=progress,
            )
        else:
            built = build_reference_since(
                chosen,
                version=version,
                sources=config.sources,
                length=int(since * SECOND),
                complete=complete is not False,
                progress=progress,
            )
    write_reference(built.reference, output)
    account = built.account
    click.echo(
        f"{output}: {built.reference.summary.predictions} rows of {chosen.name}, "
        f"{len(built.reference.layout.features)} features, {built.reference.layout.output.task.value}",
        err=True,
    )
    for count, what in (
        (account.unparseable, "unparseable"),
        (built.other_models, "of other models or versions"),
    ):
        if count:
            click.echo(f"{count} rows left out: {what}", err=True)
    for example in account.examples:
        click.echo(f"  {example}", err=True)
    return 0


@command.command("diff")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "jsonl"]),
    default="table",
    show_default=True,
    help="A table for people, or a JSON line for each column.",
)
def diff(before: Path, after: Path, *, form: str) -> int:
    """Compare two references: features that came, went or changed, and how far each moved.

    Exits with 0 where the layouts are the same and no distance is past its threshold, with 1 otherwise.
    """
    import msgspec  # noqa: PLC0415  # not needed for --help

    from mlvitals.setup.comparing import Change, compare_references  # noqa: PLC0415
    from mlvitals.windows.reference import read_reference  # noqa: PLC0415

    sides = read_reference(before), read_reference(after)
    found = compare_references(*sides)
    if form == "jsonl":
        for one in found:
            click.echo(msgspec.json.encode(one))
    else:
        _print_differences((before, after), sides, found)
    return 1 if any(one.change is not Change.SAME or one.warns for one in found) else 0


def _print_differences(
    files: tuple[Path, Path], sides: "tuple[Reference, Reference]", found: "Sequence[ColumnDifference]"
) -> None:
    from rich.table import Table  # noqa: PLC0415

    from mlvitals.cli.console import cells, console, number, visible  # noqa: PLC0415

    out = console()
    for name, file, side in zip(("before", "after"), files, sides, strict=True):
        rows = f"{side.summary.predictions:,} rows of {side.model} {side.version or '(all versions)'}"
        line = f"  {name}: {file}: {rows}, {_span(side)}, layout {side.layout.hash}"
        out.print(visible(line), markup=False, soft_wrap=True)
    table = Table("column", "change", "kind", "bins", "psi", "location", "status")
    for one in found:
        distances = [one.distances.get(method) for method in ("psi", "location")]
        moved = ["-" if d is None else f"{number(d.value)} ± {number(d.noise)}" for d in distances]
        statuses = [distance.status.value for distance in one.distances.values()]
        status = "warning" if one.warns else next(iter(statuses), "-")
        sizes = (_arrow(one.kinds), _arrow(one.bins))
        row = cells(one.name, one.change.value, *sizes, *moved, status)
        table.add_row(*row, style="yellow" if one.warns else "")
    out.print(table)
    out.print("  distances are approximate where the bins differ", markup=False)


def _arrow(sides: tuple[object, object]) -> str:
    before, after = ("-" if side is None else str(side) for side in sides)
    return before if before == after else f"{before} → {after}"


def _span(reference: "Reference") -> str:
    from mlvitals.clock import format_time  # noqa: PLC0415

    if not reference.series:
        return "no times"
    first, last = (format_time(start) for start in (min(reference.series), max(reference.series)))
    return f"windows of {reference.window} from {first} to {last}"


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
    from rich.text import Text  # noqa: PLC0415

    from mlvitals.cli.console import cells, console, number, visible  # noqa: PLC0415
    from mlvitals.decisions.promises import promises  # noqa: PLC0415
    from mlvitals.engines.selfchecking import PROVENANCE, selfcheck_of  # noqa: PLC0415
    from mlvitals.windows.bins import MISSING  # noqa: PLC0415

    out = console()
    model = visible(f"  model {reference.model} {reference.version or '(all versions)'}")
    out.print(Text.assemble((str(file), "bold"), model))
    facts = {
        "windows": f"{reference.window}, {len(reference.series)} of them",
        "taken as": "all that was served" if reference.complete else "a sample of it",
        **{name: fact for name, fact in reference.provenance.items() if name != PROVENANCE},
        "layout": reference.layout.hash,
        "reference": reference.hash,
    }
    for name, fact in facts.items():
        out.print(visible(f"  {name}: {fact}"), markup=False)
    table = Table("feature", "kind", "bins", "missing", "largest bins")
    for feature in reference.layout.features:
        column = reference.summary.feature(feature)
        largest = sorted(range(len(column.counts)), key=lambda index: -int(column.counts[index]))[:3]
        shares = [f"{column.bins.label(index)} {column.counts[index] / column.total:.0%}" for index in largest]
        missing = f"{column.specials[MISSING] / column.total:.1%}"
        most = "(sensitive)" if feature.sensitive else ", ".join(shares)
        table.add_row(*cells(feature.name, feature.kind.value, str(column.bins.size), missing, most))
    out.print(table)
    output = reference.layout.output
    fine = 0 if output.score is None else output.score.size
    cut = f"cut at {', '.join(map(str, output.cutoffs))}" if output.cutoffs else f"{fine} bins of {output.column}"
    out.print(f"  {output.task.value}: {cut}")
    for name, value in _performance(reference).items():
        out.print(f"  {name}: {number(value)}")
    out.print("  as an operating reference, what may page:")
    for promise in promises(reference):
        out.print(f"  {', '.join(promise.detectors)}: {promise.words}", markup=False, soft_wrap=True)
    checked = selfcheck_of(reference)
    none = "none in the file: it is made with a reference of two weeks of whole windows or more"
    out.print(f"  self-check: {none if checked is None else checked.words}", markup=False, soft_wrap=True)


def _performance(reference: "Reference") -> dict[str, float]:
    from mlvitals.signals.measure import measure  # noqa: PLC0415
    from mlvitals.signals.spec import Evidence, Stage  # noqa: PLC0415

    outcome = reference.summary.outcome(0)
    if not outcome.labelled:
        return {}
    evidence = Evidence(current=reference.summary, outcome=outcome, maturity="any")
    readings = [reading for _, reading in measure(evidence, Stage.MATURITY)]
    return {one.attributes["metric"]: one.value for one in readings if "metric" in one.attributes}
