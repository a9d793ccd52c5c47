"""`mlvitals signals`: the measurements in the local state."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mlvitals.cli.options import config_option, load_config

if TYPE_CHECKING:
    from mlvitals.signals.measurement import Measurement

# As many windows as a sparkline has room for beside the rest of a row.
_SPARK_WINDOWS: Final = 24


@click.command("signals")
@config_option
@click.option("--signal", help="Only this signal, such as mlvitals.performance.score; `mlvitals.` may be left out.")
@click.option("--model", help="Only this model.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "jsonl"]),
    default="table",
    show_default=True,
    help="A row for each series with a sparkline of its last windows, for people; or whole measurements, a JSON line "
    "each.",
)
def command(path: Path, *, signal: str | None, model: str | None, form: str) -> int:
    """Show measurements, each at its highest revision, in the order of model, version, window and signal."""
    import msgspec  # noqa: PLC0415  # not needed for --help

    from mlvitals.sinks.local import measurements  # noqa: PLC0415
    from mlvitals.state import Store  # noqa: PLC0415

    config = load_config(path)
    if signal is not None:
        signal = _full_name(signal, config.signals.specs)
    if model is not None and model not in {one.name for one in config.models} and config.pattern_of(model) is None:
        raise click.UsageError(f"there is no model `{model}`; `mlvitals status` lists them")
    if not any(type(sink).__name__ == "LocalSink" for sink in config.sinks):
        click.echo("the configuration has no sink of type local: nothing is kept here", err=True)
    with Store.open_read_only(config.state.path) as store:
        found = measurements(store, signal=signal, model=model)
        if form == "jsonl":
            for one in found:
                click.echo(msgspec.json.encode(one))
        else:
            _print_table(found)
    return 0


def _full_name(signal: str, known: Collection[str]) -> str:
    """Return a signal's name, which the table shows without our prefix."""
    for name in (signal, f"mlvitals.{signal}"):
        if name in known:
            return name
    near = get_close_matches(f"mlvitals.{signal.removeprefix('mlvitals.')}", known, n=1)
    hint = f"; did you mean `{near[0]}`?" if near else "; docs/signals.md lists ours"
    raise click.UsageError(f"there is no signal `{signal}`{hint}")


class _Series:
    """What a row shows of a series: its last values and its last measurement."""

    __slots__ = ("last", "values")

    def __init__(self, first: "Measurement") -> None:
        self.last = first
        self.values: list[float | None] = []

    def add(self, one: "Measurement") -> None:
        self.last = one
        self.values.append(one.value)
        del self.values[:-_SPARK_WINDOWS]


def _print_table(found: Iterable["Measurement"]) -> None:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from mlvitals.cli.console import STATUS_STYLES, cells, console, number, sparkline  # noqa: PLC0415

    series: dict[tuple[str, ...], _Series] = {}
    for one in found:
        attributes = " ".join(f"{name}={value}" for name, value in sorted(one.attributes.items()))
        key = (one.model, one.model_version, one.signal, attributes)
        series.setdefault(key, _Series(one)).add(one)
    out = console()
    if not series:
        out.print("no measurements")
        return
    heads = ("model", "signal", "attributes", "last windows", "window", "value", "warns from", "rows", "status")
    table = Table(*heads)
    for (model, version, signal, attributes), kept in series.items():
        last = kept.last
        table.add_row(
            *cells(f"{model} {version}", signal.removeprefix("mlvitals."), attributes),
            sparkline(kept.values, blocks=not out.options.ascii_only),
            last.window_start.removesuffix("T00:00:00Z"),
            number(last.value),
            number(last.threshold),
            f"{last.samples:,}",
            Text(last.status.value, STATUS_STYLES[last.status]),
        )
    if out.is_terminal:
        out.print(table)
        return
    for row in (heads, *zip(*(column.cells for column in table.columns), strict=True)):
        click.echo("\t".join(map(str, row)))
