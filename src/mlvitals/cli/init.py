"""`mlvitals init`: a configuration from a sample of a team's own log."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlvitals.errors import ConfigError

if TYPE_CHECKING:
    from mlvitals.setup.inference.infer import Proposal


@click.command("init")
@click.argument("events", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("mlvitals.yaml"),
    show_default=True,
    help="The configuration to write.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@click.option(
    "--names",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A Parquet or CSV file whose columns are the features in order, for a log that does not name them.",
)
@click.option(
    "--sink",
    "sinks",
    multiple=True,
    metavar="NAME",
    help="Where measurements go besides the local store, at its usual address: otlp, prometheus, datadog, opensearch, "
    "elasticsearch or stdout. Repeatable.",
)
def command(events: tuple[str, ...], output: Path, names: Path | None, sinks: tuple[str, ...], *, force: bool) -> int:
    """Write a commented configuration from a sample of a log (JSON Lines, CSV or Parquet; `-` is standard input).

    Give the files of predictions, and those of their labels where they stand apart. The first rows of each are read:
    which field is what is told by names and values. What was found, and what could not be told, goes to stderr.
    """
    from mlvitals.setup.inference.infer import infer  # noqa: PLC0415  # not needed for --help
    from mlvitals.setup.inference.names import read_names  # noqa: PLC0415
    from mlvitals.setup.inference.sample import take_samples  # noqa: PLC0415
    from mlvitals.setup.inference.write import SINKS, write_config  # noqa: PLC0415

    for sink in sinks:
        if sink not in SINKS:
            raise click.UsageError(f"--sink {sink}: one of {', '.join(SINKS)}")
    if output.exists() and not force:
        raise ConfigError(f"{output}: is there already; --force replaces it")
    proposal = infer(take_samples(events), () if names is None else read_names(names))
    text = write_config(proposal, output, sinks)
    output.write_text(text, encoding="utf-8")
    _tell(proposal)
    click.echo(f"{output}: written; next: mlvitals check -c {output}", err=True)
    return 0


def _tell(proposal: "Proposal") -> None:
    from rich.console import Console  # noqa: PLC0415  # not needed for --help
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table("field", "from", "why", "how sure", box=None, pad_edge=False)
    for one in proposal.findings:
        table.add_row(Text(one.field), Text(_visible(one.place)), Text(one.why), one.trust.value)
    profile = proposal.profile
    table.add_row("task", "", f"{len(profile.kinds)} features", profile.task.value)
    Console(stderr=True, highlight=False, soft_wrap=True, width=160).print(table)
    click.echo(f"{proposal.rows:,} rows sampled, {proposal.events:,} events in them", err=True)
    for what in proposal.unknown:
        click.echo(f"not told: {_visible(what)}", err=True)


def _visible(text: str) -> str:
    """Return a text of a log without what would move the cursor."""
    return "".join(one if one.isprintable() else "?" for one in text)
