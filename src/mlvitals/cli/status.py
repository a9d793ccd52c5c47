"""`mlvitals status`: what the state holds."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mlvitals.cli.options import config_option, load_config

if TYPE_CHECKING:
    from mlvitals.state import Store

CHANGES_SHOWN: Final = 5


@click.command("status")
@config_option
def command(path: Path) -> int:
    """Show what became of every row, how far each model has come, and what waits for delivery.

    It may be called while `run` writes.
    """
    from mlvitals.cli.console import console  # noqa: PLC0415  # not needed for --help
    from mlvitals.state import Store  # noqa: PLC0415

    config = load_config(path)
    out = console()
    with Store.open_read_only(config.state.path) as store:
        out.print(_account(store))
        for source, reason in store.connection.execute("SELECT source, reason FROM example ORDER BY 1, 2"):
            out.print(f"  {source}: {reason}", markup=False, soft_wrap=True)
        out.print(_models(store))
        for line in (*_ignored(store), *_silences(store), *_changes(store)):
            out.print(line, markup=False, soft_wrap=True)
        out.print(_outbox(store))
        for line in _troubles(store):
            out.print(line, markup=False, soft_wrap=True)
    return 0


def _account(store: "Store") -> object:
    from rich.table import Table  # noqa: PLC0415

    from mlvitals.engines.account import read_account, read_held  # noqa: PLC0415

    table = Table("source", "event", "model", "disposition", "rows", title="rows", title_justify="left")
    for key, rows in read_account(store.connection).items():
        table.add_row(key.source, key.event, key.model or "-", key.disposition, f"{rows:,}")
    for (source, event), rows in read_held(store.connection).items():
        table.add_row(source, event, "-", "held", f"{rows:,}")
    return table


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


def _models(store: "Store") -> object:
    import msgspec  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from mlvitals.engines.model import Progress  # noqa: PLC0415

    table = Table(
        "model",
        "closed up to",
        "settled up to",
        "windows",
        "remembered",
        "labels",
        "reference",
        title="models",
        title_justify="left",
    )
    for model, document in store.connection.execute("SELECT model, document FROM progress ORDER BY model"):
        progress = msgspec.json.decode(document, type=Progress)
        learning = progress.learning
        table.add_row(
            model,
            _time(progress.closed),
            _time(progress.settled),
            *(f"{_count(store, name, model):,}" for name in ("cohort", "prediction", "label")),
            "learning" if learning.until is not None and not learning.done else "frozen",
        )
    return table


def _outbox(store: "Store") -> object:
    from rich.table import Table  # noqa: PLC0415

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
        table.add_row(
            queue.destination,
            str(queue.requests),
            f"{queue.size:,}",
            _time(queue.oldest),
            str(queue.letters),
            *(f"{queue.totals[fate]:,}" for fate in Fate),
        )
    return table


def _troubles(store: "Store") -> Iterator[str]:
    from mlvitals.delivery import queue_statuses  # noqa: PLC0415

    for queue in queue_statuses(store):
        if queue.trouble:
            held = "held until it is mended, tried again by every run" if queue.held else f"since {_time(queue.since)}"
            yield f"  {queue.destination}: {queue.trouble} ({held})"


def _count(store: "Store", table: str, model: str) -> int:
    (count,) = store.connection.execute(f"SELECT count(*) FROM {table} WHERE model = ?", (model,)).fetchone()
    return int(count)


def _time(moment: int | None) -> str:
    from mlvitals.clock import format_time  # noqa: PLC0415

    return "-" if moment is None else format_time(moment)
