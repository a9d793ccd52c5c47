"""`mlvitals status`: what the state holds."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mlvitals.cli.options import config_option, load_config

if TYPE_CHECKING:
    from mlvitals.app.standing import Standing
    from mlvitals.config import Config
    from mlvitals.engines.account import AccountKey
    from mlvitals.state import Store

CHANGES_SHOWN: Final = 5
MODELS_SHOWN: Final = 20  # of more the rows are told together, and what warns of the most troubled alone


@click.command("status")
@config_option
def command(path: Path) -> int:
    """Show open episodes, how models stand, the most troubled first, what warns, what became of rows, what waits.

    It may be called while `run` writes.
    """
    from mlvitals.app.kept import reading_state  # noqa: PLC0415
    from mlvitals.app.standing import standings  # noqa: PLC0415  # not needed for --help
    from mlvitals.cli.console import console, visible  # noqa: PLC0415
    from mlvitals.cli.episodes import episode_table  # noqa: PLC0415
    from mlvitals.decisions.episode_rows import open_episodes  # noqa: PLC0415

    config = load_config(path)
    out = console()
    with reading_state(config) as store, store.moment():
        for line in _faults(config, store):
            out.print(visible(line), style="bold red", markup=False, soft_wrap=True)
        if episodes := open_episodes(store.connection):
            out.print(episode_table(episodes, "open episodes"))
        models = standings(config, store.connection)
        out.print(_models(models))
        if any(one.gravest for one in models):
            out.print(_gravest(models))
        out.print(_account(store))
        for source, reason in store.connection.execute("SELECT source, reason FROM example ORDER BY 1, 2"):
            out.print(visible(f"  {source}: {reason}"), markup=False, soft_wrap=True)
        for line in (*_ignored(store), *_silences(store), *_changes(store)):
            out.print(visible(line), markup=False, soft_wrap=True)
        out.print(_outbox(store))
        for line in _troubles(store):
            out.print(visible(line), markup=False, soft_wrap=True)
    return 0


def _account(store: "Store") -> object:
    from rich.table import Table  # noqa: PLC0415

    from mlvitals.cli.console import cells  # noqa: PLC0415
    from mlvitals.engines.account import read_account, read_held  # noqa: PLC0415

    table = Table("source", "event", "model", "disposition", "rows", title="rows", title_justify="left")
    for key, rows in _summed(read_account(store.connection)).items():
        table.add_row(*cells(key.source, key.event, key.model or "-", key.disposition, f"{rows:,}"))
    for (source, event), rows in read_held(store.connection).items():
        table.add_row(*cells(source, event, "-", "held", f"{rows:,}"))
    return table


def _summed(account: "Mapping[AccountKey, int]") -> "Mapping[AccountKey, int]":
    """Return the account with many models taken together where they met the same fate."""
    named = {key.model for key in account if key.model}
    if len(named) <= MODELS_SHOWN:
        return account
    models: dict[AccountKey, set[str]] = defaultdict(set)
    rows: Counter[AccountKey] = Counter()
    for key, count in account.items():
        together = key._replace(model="")
        models[together].add(key.model)
        rows[together] += count
    return {
        key._replace(model=f"{len(found)} models" if len(found) > 1 else next(iter(found))): rows[key]
        for key, found in models.items()
    }


def _ignored(store: "Store") -> Iterator[str]:
    import msgspec  # noqa: PLC0415

    from mlvitals.engines.model import Progress  # noqa: PLC0415

    for model, document in store.connection.execute("SELECT model, document FROM progress ORDER BY model"):
        names = msgspec.json.decode(document, type=Progress).ignored
        if names:
            yield f"  {model}: features that its reference does not have are ignored: {', '.join(names)}"


def _silences(store: "Store") -> Iterator[str]:
    import msgspec  # noqa: PLC0415

    from mlvitals.engines.model import Progress  # noqa: PLC0415

    for model, document in store.connection.execute("SELECT model, document FROM progress ORDER BY model"):
        silence = msgspec.json.decode(document, type=Progress).silence
        if silence.empty:
            last = f", the last of them from {_time(silence.newest)}"
            yield f"  {model}: nothing was served in the last windows: {silence.empty} were told to be empty{last}"
        if silence.untold:
            yield f"  {model}: {silence.untold:,} further empty windows of long silences were not told one by one"


def _changes(store: "Store") -> Iterator[str]:
    from mlvitals.engines.changes import read_changes  # noqa: PLC0415

    for change in read_changes(store.connection, newest=CHANGES_SHOWN):
        what = " ".join(f"{change.kind} {change.text}".split())
        yield f"  {change.model or 'all models'}: change at {_time(change.time)}: {what}"


def _faults(config: "Config", store: "Store") -> Iterator[str]:
    """Tell what cannot run, each once: parts of the configuration, then models by their own faults."""
    told = [fault.message for fault in config.faults]
    yield from (f"  cannot be used: {message}" for message in told)
    query = "SELECT model, cause, since FROM fault ORDER BY model"
    for model, cause, since in store.connection.execute(query):
        if cause not in told:
            yield f"  {model} has not run since {_time(since)}: {cause}"


def _models(models: "Sequence[Standing]") -> object:
    from rich.table import Table  # noqa: PLC0415

    from mlvitals.cli.console import cells  # noqa: PLC0415

    names = ("model", "stands", "warnings", "closed up to", "settled up to", "windows", "remembered", "labels", "held")
    table = Table(*names, title="models", title_justify="left")
    for one in models:
        how = "cannot run" if one.cause else "learning" if one.learning else "runs" if one.configured else "left out"
        style = "bold red" if one.cause else "yellow" if one.warnings else ""
        counts = map("{:,}".format, (one.windows, one.remembered, one.labels, one.waiting))
        row = cells(one.model, how, str(one.warnings), _time(one.closed), _time(one.settled), *counts)
        table.add_row(*row, style=style)
    return table


def _gravest(models: "Sequence[Standing]") -> object:
    """Return a table of what warns most in each model's newest window."""
    from rich.table import Table  # noqa: PLC0415

    from mlvitals.cli.console import NAMED_FIRST, cells, number  # noqa: PLC0415
    from mlvitals.report.reading import decode_attributes  # noqa: PLC0415

    warned = [one for one in models if one.gravest]
    table = Table("model", "signal", "of", "value", "warns from", title="what warns most now", title_justify="left")
    for one in warned[:MODELS_SHOWN]:
        for row in one.gravest:
            attributes = sorted(decode_attributes(row.attributes).items(), key=lambda pair: pair[0] not in NAMED_FIRST)
            of = " ".join(f"{name}={value}" for name, value in attributes)
            signal = row.signal.removeprefix("mlvitals.")
            table.add_row(*cells(one.model, signal, of, number(row.value), number(row.threshold)))
    if len(warned) > MODELS_SHOWN:
        table.caption = f"and of {len(warned) - MODELS_SHOWN} further models; `mlvitals signals` shows all"
    return table


def _outbox(store: "Store") -> object:
    from rich.table import Table  # noqa: PLC0415

    from mlvitals.cli.console import cells  # noqa: PLC0415
    from mlvitals.delivery import Fate, queue_statuses  # noqa: PLC0415

    table = Table(
        "destination",
        "waiting",
        "bytes",
        "oldest",
        "dead letters",
        *(fate.value for fate in Fate),
        title="outbox",
        title_justify="left",
    )
    for queue in queue_statuses(store):
        row = (queue.destination, str(queue.requests), f"{queue.size:,}", _time(queue.oldest), str(queue.letters))
        table.add_row(*cells(*row, *(f"{queue.totals[fate]:,}" for fate in Fate)))
    return table


def _troubles(store: "Store") -> Iterator[str]:
    from mlvitals.delivery import queue_statuses  # noqa: PLC0415

    for queue in queue_statuses(store):
        for lane in queue.lanes:
            if lane.since is not None:
                held = "held until it is mended, tried now and then" if lane.held else f"since {_time(lane.since)}"
                yield f"  {queue.destination}, {lane.route}: {lane.trouble} ({held})"


def _time(moment: int | None) -> str:
    from mlvitals.clock import format_time  # noqa: PLC0415

    return "-" if moment is None else format_time(moment)
