"""`mlvitals outbox`: what waits for each destination, what was refused, and what a person may do about it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlvitals.cli.options import config_option, load_config

if TYPE_CHECKING:
    from mlvitals.delivery import DeadLetter, LaneStatus
    from mlvitals.delivery.intervention import Intervened
    from mlvitals.state import Store

_Row = dict[str, Any]

destination_option = click.option("--destination", help="Of this sink only, by its name in the configuration.")


@click.group("outbox")
def command() -> None:
    """Show what waits to be delivered and what was refused; try it again, or drop it."""


@command.command("show")
@config_option
@destination_option
@click.option("--dead", is_flag=True, help="The dead letters: requests that were refused, with the reasons.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "jsonl"]),
    default="table",
    show_default=True,
    help="A table, or a JSON object for each row.",
)
def show(path: Path, *, destination: str | None, dead: bool, form: str) -> int:
    """Show what waits by destination and route, and why. It may be called while `run` writes."""
    import msgspec  # noqa: PLC0415  # not needed for --help

    from mlvitals.app.kept import reading_state  # noqa: PLC0415

    config = load_config(path)
    with reading_state(config) as store:
        rows = [
            row
            for name in _destinations(store)
            if destination in {None, name}
            for row in (_letters(store, name) if dead else _lanes(store, name))
        ]
    if form == "jsonl":
        for row in rows:
            click.echo(msgspec.json.encode(row))
    else:
        _print(rows, "dead letters" if dead else "outbox")
    return 0


@command.command("retry")
@config_option
@destination_option
@click.option("--dead", is_flag=True, help="Put dead letters back at the end of the queue; enqueued once more.")
def retry(path: Path, *, destination: str | None, dead: bool) -> int:
    """Have a queue that is held or waits tried at once by the next run, or put its dead letters back.

    No run may hold the state. Letters of which some items were taken stay: sent again, those would arrive twice.
    """
    from mlvitals.app import intervene  # noqa: PLC0415  # not needed for --help

    for done in intervene.retry(load_config(path), destination, dead=dead):
        what = f"{done.requests} dead letters ({done.items} items) put back" if dead else _waiting(done)
        left = f", {done.left} stay: some of their items were taken" if done.left else ""
        click.echo(f"{done.destination}: {what}{left}")
    return 0


@command.command("drop")
@config_option
@click.option("--destination", required=True, help="Of this sink, by its name in the configuration.")
@click.option("--dead", is_flag=True, help="Its dead letters, and not what waits.")
@click.option("--yes", is_flag=True, help="Needed: what is dropped is gone for good.")
def drop(path: Path, *, destination: str, dead: bool, yes: bool) -> int:
    """Drop what waits for a destination, and count it as dropped, or forget its dead letters.

    No run may hold the state.
    """
    from mlvitals.app import intervene  # noqa: PLC0415  # not needed for --help

    if not yes:
        what = "the dead letters" if dead else "everything that waits"
        raise click.UsageError(f"{what} of {destination} would be gone for good: say so with --yes")
    for done in intervene.drop(load_config(path), destination, dead=dead):
        kind = "dead letters" if dead else "requests"
        click.echo(f"{done.destination}: {done.requests} {kind} ({done.items} items) dropped")
    return 0


def _waiting(done: "Intervened") -> str:
    if not done.requests:
        return "nothing waits"
    return f"{done.requests} requests ({done.items} items) are tried at once by the next run"


def _destinations(store: "Store") -> list[str]:
    from mlvitals.delivery import queue_statuses  # noqa: PLC0415

    return [queue.destination for queue in queue_statuses(store)]


def _lanes(store: "Store", destination: str) -> Iterator[_Row]:
    from mlvitals.delivery import queue_statuses  # noqa: PLC0415

    for queue in queue_statuses(store):
        if queue.destination == destination:
            yield from (_lane(destination, lane) for lane in queue.lanes)


def _lane(destination: str, lane: "LaneStatus") -> _Row:
    return {
        "destination": destination,
        "route": lane.route,
        "requests": lane.requests,
        "items": lane.items,
        "bytes": lane.size,
        "oldest": _time(lane.oldest),
        "state": "held" if lane.held else "waits" if lane.since is not None else "sends",
        "since": _time(lane.since),
        "next_try": _time(lane.not_before),
        "reason": lane.trouble,
    }


def _letters(store: "Store", destination: str) -> Iterator[_Row]:
    from mlvitals.delivery import dead_letters  # noqa: PLC0415

    yield from map(_letter, dead_letters(store, destination))


def _letter(letter: "DeadLetter") -> _Row:
    return {
        "destination": letter.destination,
        "route": letter.request.route,
        "fate": letter.fate.value,
        "items": letter.request.items,
        "lost": letter.lost,
        "bytes": len(letter.request.body),
        "enqueued": _time(letter.enqueued),
        "refused": _time(letter.buried),
        "reason": letter.reason,
    }


def _print(rows: list[_Row], title: str) -> None:
    from rich.table import Table  # noqa: PLC0415

    from mlvitals.cli.console import cells, console  # noqa: PLC0415

    if not rows:
        click.echo(f"{title}: nothing")
        return
    columns = [name for name in rows[0] if name != "reason"]  # a sentence: no cell of a terminal holds it
    table = Table(*(name.replace("_", " ") for name in columns), title=title, title_justify="left")
    for row in rows:
        values = [row[name] for name in columns]
        texts = ("-" if value is None else f"{value:,}" if isinstance(value, int) else value for value in values)
        table.add_row(*cells(*texts))
    console().print(table)
    for line in dict.fromkeys(
        f"{row['destination']}, {row['route']}: {row['reason']}" for row in rows if row["reason"]
    ):
        click.echo(f"  {line}")


def _time(moment: int | None) -> str | None:
    from mlvitals.clock import SECOND, format_time  # noqa: PLC0415

    return None if moment is None else format_time(moment // SECOND * SECOND)
