"""`mlvitals signals`: the measurements in the local state."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mlvitals.cli.options import config_option, load_config

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from mlvitals.signals.measurement import Measurement

# As many windows as a sparkline has room for beside the rest of a row.
_SPARK_WINDOWS: Final = 24

_HEADS: Final = ("model", "signal", "attributes", "last windows", "window", "value", "warns from", "rows", "status")
_SPARE: Final = ("last windows", "rows", "window", "warns from")  # in this order a narrow terminal goes without them
_FOLDED: Final = frozenset({"signal", "attributes"})  # the attributes first, as far as this width
_ATTRIBUTES_WIDTH: Final = 10
# As they are spelled everywhere: the enumeration of them is not loaded for --help.
_STATUSES: Final = ("ok", "warning", "alert", "insufficient_data", "no_data")

_Key = tuple[str, str, str, tuple[tuple[str, str], ...]]


@click.command("signals")
@config_option
@click.option("--signal", help="Only this signal, such as mlvitals.performance.score; `mlvitals.` may be left out.")
@click.option("--model", help="Only this model.")
@click.option(
    "--status",
    "statuses",
    type=click.Choice(_STATUSES),
    multiple=True,
    help="Only series whose newest value has this status; several may be given.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "jsonl"]),
    default="table",
    show_default=True,
    help="A row for each series with a sparkline of its last windows, for people; or whole measurements, a JSON line "
    "each.",
)
def command(path: Path, *, signal: str | None, model: str | None, statuses: tuple[str, ...], form: str) -> int:
    """Show measurements, each at its highest revision, in the order of model, version, window and signal."""
    import msgspec  # noqa: PLC0415  # not needed for --help

    from mlvitals.app.kept import reading_state  # noqa: PLC0415
    from mlvitals.sinks.local import measurements  # noqa: PLC0415

    config = load_config(path)
    if signal is not None:
        signal = _full_name(signal, config.signals.specs)
    if model is not None and model not in {one.name for one in config.models} and config.pattern_of(model) is None:
        raise click.UsageError(f"there is no model `{model}`; `mlvitals status` lists them")
    if not any(type(sink).__name__ == "LocalSink" for sink in config.sinks):
        click.echo("the configuration has no sink of type local: nothing is kept here", err=True)
    with reading_state(config) as store:
        read = partial(measurements, store, signal=signal, model=model)
        found = _newest_with(statuses, read) if statuses else read()
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


def _key(one: "Measurement") -> _Key:
    """Return what the measurements of a series have in common: model, version, signal, attributes."""
    return one.model, one.model_version, one.signal, tuple(sorted(one.attributes.items()))


def _newest_with(statuses: "Collection[str]", read: "Callable[[], Iterable[Measurement]]") -> "Iterator[Measurement]":
    """Yield the measurements of the series whose newest one has such a status, reading twice to keep none of them."""
    newest = {_key(one): one.status.value for one in read()}
    chosen = {key for key, status in newest.items() if status in statuses}
    return (one for one in read() if _key(one) in chosen)


def _print_table(found: "Iterable[Measurement]") -> None:
    from mlvitals.cli.console import console  # noqa: PLC0415

    series: dict[_Key, _Series] = {}
    for one in found:
        series.setdefault(_key(one), _Series(one)).add(one)
    out = console()
    if not series:
        out.print("no measurements")
        return
    rows = [_row(key, kept, blocks=not out.options.ascii_only) for key, kept in series.items()]
    if out.is_terminal:
        for table in _tables(rows, list(series), out.width):
            out.print(table)
        return
    for row in (_HEADS, *(row.values() for row in rows)):
        click.echo("\t".join(map(str, row)))


def _row(key: _Key, kept: _Series, *, blocks: bool) -> "dict[str, Text]":
    """Return a series' cells by the heads of their columns."""
    from rich.text import Text  # noqa: PLC0415

    from mlvitals.cli.console import STATUS_STYLES, cells, number, sparkline  # noqa: PLC0415

    model, version, signal, attributes = key
    last = kept.last
    texts = cells(
        f"{model} {version}",
        signal.removeprefix("mlvitals."),
        " ".join(f"{name}={value}" for name, value in attributes),
        sparkline(kept.values, blocks=blocks),
        last.window_start.removesuffix("T00:00:00Z"),
        number(last.value),
        number(last.threshold),
        f"{last.samples:,}",
    )
    return dict(zip(_HEADS, (*texts, Text(last.status.value, STATUS_STYLES[last.status])), strict=True))


def _tables(rows: "Sequence[dict[str, Text]]", keys: Sequence[_Key], width: int) -> "Iterator[Table]":
    """Yield one table where all fits in the width; else one for each model version, with the columns that have room.

    Then the model is the title, attributes are told by their values, and columns go in the order of `_SPARE`.
    """
    if _width(rows, _HEADS) <= width:
        yield _table(rows, _HEADS, width)
        return
    from mlvitals.cli.console import NAMED_FIRST, cells  # noqa: PLC0415

    narrow = []
    for row, (*_, attributes) in zip(rows, keys, strict=True):
        ordered = sorted(attributes, key=lambda one: one[0] not in NAMED_FIRST)
        (told,) = cells(" ".join(value for _, value in ordered))
        narrow.append({**row, "attributes": told})
    heads = [head for head in _HEADS if head != "model"]
    for spare in _SPARE:
        if _width(narrow, heads) <= width:
            break
        heads.remove(spare)
    for model, group in groupby(narrow, key=itemgetter("model")):
        table = _table(list(group), heads, width)
        table.title, table.title_justify = model, "left"
        yield table


def _width(rows: "Sequence[dict[str, Text]]", heads: Sequence[str]) -> int:
    """Return the columns of a terminal that a table takes without folding: its cells, each padded, and its rules."""
    return 1 + sum(3 + max(len(head), *(row[head].cell_len for row in rows)) for head in heads)


def _table(rows: "Sequence[dict[str, Text]]", heads: Sequence[str], width: int) -> "Table":
    """Return a table that takes at most a width: what is too much folds the attributes, and only then the signal."""
    from rich.table import Table  # noqa: PLC0415

    rest = _width(rows, [head for head in heads if head != "attributes"])
    table = Table()
    for head in heads:
        most = max(_ATTRIBUTES_WIDTH, width - rest - 3) if head == "attributes" else None
        table.add_column(head, overflow="fold", no_wrap=head not in _FOLDED, max_width=most)
    for row in rows:
        table.add_row(*(row[head] for head in heads))
    return table
