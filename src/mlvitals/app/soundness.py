"""Whether a state is sound: the file, the accounts in it, and what it shares with the world around it."""

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mlvitals.app.admission import references_of
from mlvitals.app.check import Checked
from mlvitals.app.kept import keeping
from mlvitals.app.pipeline import MIGRATIONS, decode_plan
from mlvitals.config import Config
from mlvitals.decisions.soundness import unsound_decisions
from mlvitals.delivery import Fate, queue_statuses
from mlvitals.engines.ids_key import is_key_of
from mlvitals.errors import MlvitalsError, StateError
from mlvitals.sources.progress import read_ahead
from mlvitals.state import Store
from mlvitals.state.check import damage, newer_tables, older_tables
from mlvitals.windows.memory import count_remembered, unsound_memory
from mlvitals.windows.remembered_rows import PREDICTION
from mlvitals.windows.soundness import unsound_windows, windows_under_others

# The log grows to about four megabytes between checkpoints, and a closing of many windows is one transaction.
LEAST_ROOM: Final = 256 * 1024 * 1024
_MEGABYTE: Final = 1e6


def check_state(config: Config) -> Iterator[Checked]:
    """Yield what was found of a configuration's state. Nothing is changed, and `run` may write meanwhile."""
    if config.state.url == "none":
        yield _good("is kept nowhere (`state: none`)")
        return
    with keeping(config) as kept:
        state, place = kept.config.state, kept.snapshots.place if kept.snapshots else str(kept.config.state.path)
        if not state.path.exists():
            yield _fault(f"{place}: there is no state yet")
            return
        try:
            store = Store.open_read_only(state.path)
        except StateError as error:
            yield _fault(str(error))
            return
        with store, store.moment():  # each check holds one table against another
            yield from _check_store(kept.config, store, place)
        if config.state.on_disk:
            yield from _check_surroundings(state.path, state.key.path)


def _check_store(config: Config, store: Store, place: str) -> Iterator[Checked]:
    wrong = damage(store)
    yield from (_fault(f"{place}: {line}") for line in wrong)
    if wrong:
        return
    yield _good(f"{place}: whole, {store.path.stat().st_size / _MEGABYTE:,.1f} MB")
    newer, older = [*newer_tables(store, MIGRATIONS)], [*older_tables(store, MIGRATIONS)]
    yield from (_fault(f"{place} {line}") for line in newer)
    yield from (_good(f"{place}: {line}") for line in older)
    if newer or older:
        yield Checked(good=not newer, text="what the tables hold was not looked at, for they are of another version")
        return
    yield from _check_key(config, store)
    yield from _check_accounts(store)
    yield from _check_windows(config, store)
    yield from _check_memory(store)
    yield from _check_decisions(store)
    yield from _check_positions(config, store)


def _check_key(config: Config, store: Store) -> Iterator[Checked]:
    path = config.state.key.path
    try:
        belongs = is_key_of(store, path)
    except StateError as error:
        yield _fault(str(error))
        return
    yield (
        _good("the ids' key is the state's")
        if belongs
        else _fault(f"{path}: is not the key under which the state remembers its predictions, or is gone")
    )


def _check_accounts(store: Store) -> Iterator[Checked]:
    """Hold every destination's equation: what was enqueued has met one fate, or waits."""
    for queue in queue_statuses(store):
        ended = sum(items for fate, items in queue.totals.items() if fate is not Fate.ENQUEUED)
        enqueued, found = queue.totals[Fate.ENQUEUED], ended + queue.items
        if enqueued == found:
            yield _good(f"sink {queue.destination}: {enqueued:,} items enqueued, each accounted for")
        else:
            yield _fault(f"sink {queue.destination}: {enqueued:,} items were enqueued, {found:,} are accounted for")


def _check_windows(config: Config, store: Store) -> Iterator[Checked]:
    wrong = [*unsound_windows(store.connection)]
    yield from (_fault(line) for line in wrong)
    if not wrong:
        yield _good("windows: every one can be read as it was counted")
    for model in config.models:
        try:
            references = references_of(model)
        except MlvitalsError:
            continue  # `mlvitals check` tells it
        known = [references.layout(version) for version in ("", *model.versions)]
        layouts = frozenset(layout.hash for layout in known if layout is not None)
        others = windows_under_others(store.connection, model.name, layouts) if layouts else 0
        if others:
            yield _good(
                f"model {model.name}: {others} open windows were begun under another reference than is configured; "
                "they are closed under it, and the next begin under the new one"
            )


def _check_memory(store: Store) -> Iterator[Checked]:
    wrong = [*unsound_memory(store.connection)]
    yield from (_fault(line) for line in wrong)
    if not wrong:
        remembered = sum(count_remembered(store.connection, PREDICTION).values())
        yield _good(f"remembered by id: {remembered:,} predictions can be read, and their labels")


def _check_decisions(store: Store) -> Iterator[Checked]:
    wrong = [*unsound_decisions(store.connection)]
    yield from (_fault(line) for line in wrong)
    if not wrong:
        (lasting,) = store.connection.execute("SELECT count(*) FROM episode WHERE until IS NULL").fetchone()
        yield _good(f"decisions: episodes and detectors can be read and fit together, {lasting} open")


def _check_positions(config: Config, store: Store) -> Iterator[Checked]:
    """Hold how far files were read against the files."""
    positions = dict(store.connection.execute("SELECT source, position FROM position ORDER BY source"))
    for source in config.sources:
        opened = source.open(decode_plan(config, {}, source.role))
        position = positions.pop(opened.name, None)
        opened.close()
        if position is None:
            yield _good(f"source {opened.name}: nothing of it was read yet")
            continue
        wrong = [*read_ahead(position)] if source.__struct_config__.tag == "file" else []
        yield from (_fault(f"source {opened.name}: {line}") for line in wrong)
        if not wrong:
            yield _good(f"source {opened.name}: stands where its files are")
    for name in positions:
        yield _good(f"source {name}: was read once and is not configured now")


def _check_surroundings(path: Path, key: Path) -> Iterator[Checked]:
    for file in (path, key):
        if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077:
            yield _fault(f"{file}: others than its owner may read or write it: chmod 600")
    free = shutil.disk_usage(path.parent).free
    text = f"{path.parent}: {free / _MEGABYTE:,.0f} MB of room"
    yield Checked(good=free >= LEAST_ROOM, text=text if free >= LEAST_ROOM else f"{text}, too little to go on")


def _good(text: str) -> Checked:
    return Checked(good=True, text=text)


def _fault(text: str) -> Checked:
    return Checked(good=False, text=text)
