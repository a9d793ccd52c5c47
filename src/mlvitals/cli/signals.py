"""`mlvitals signals`: the measurements in the local state."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlvitals.cli.options import config_option, load_config

if TYPE_CHECKING:
    from mlvitals.signals.measurement import Measurement


@click.command("signals")
@config_option
@click.option("--signal", help="Only this signal, such as mlvitals.performance.score.")
@click.option("--model", help="Only this model.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "jsonl"]),
    default="table",
    show_default=True,
    help="A table for people, or whole measurements, a JSON line each.",
)
def command(path: Path, *, signal: str | None, model: str | None, form: str) -> int:
    """Show measurements, each at its highest revision, in the order of model, version, window and signal."""
    import msgspec  # noqa: PLC0415  # not needed for --help

    from mlvitals.signals.registry import REGISTRY  # noqa: PLC0415
    from mlvitals.sinks.local import measurements  # noqa: PLC0415
    from mlvitals.state import Store  # noqa: PLC0415

    config = load_config(path)
    if signal is not None and signal not in REGISTRY:
        raise click.UsageError(f"there is no signal `{signal}`; docs/signals.md lists them")
    if model is not None and model not in {one.name for one in config.models}:
        raise click.UsageError(f"there is no model `{model}`")
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


def _print_table(found: Iterable["Measurement"]) -> None:
    from rich.table import Table  # noqa: PLC0415

    from mlvitals.cli.console import STATUS_STYLES, console, number  # noqa: PLC0415

    table = Table("window", "model", "signal", "attributes", "value", "samples", "status")
    rows = 0
    for one in found:
        rows += 1
        attributes = " ".join(f"{name}={value}" for name, value in one.attributes.items())
        table.add_row(
            one.window_start.removesuffix("T00:00:00Z"),
            f"{one.model} {one.model_version}",
            one.signal.removeprefix("mlvitals."),
            attributes,
            number(one.value),
            str(one.samples),
            f"[{STATUS_STYLES[one.status]}]{one.status.value}[/]",
        )
    console().print(table if rows else "no measurements")
