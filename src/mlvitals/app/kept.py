"""The state of a job without a disk: fetched before a run, kept before anything leaves and again after."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from mlvitals.config import Config
from mlvitals.config.model import KeyConfig, StateConfig
from mlvitals.errors import ConfigError, StateError
from mlvitals.state import Store
from mlvitals.state.scratch import scratch_folder
from mlvitals.state.snapshot import SnapshotStore, pack, unpack
from mlvitals.transport.object_store import open_snapshots

_NOWHERE: Final = "none"
_PACKED: Final = "snapshot"


@dataclass(slots=True)
class Kept:
    """A state that may be kept elsewhere than where a run works on it.

    config: with the state where the run works on it. snapshots: where it is kept, None for where it stands, or nowhere.
    version: of the snapshot that this run has last seen or made.
    """

    config: Config
    snapshots: SnapshotStore | None = None
    version: str | None = None

    def keep(self) -> None:
        """Make everything that is committed outlast the run.

        Raises:
            SnapshotRacedError: another run has kept its own meanwhile; nothing of this one is.
            StateError: it cannot be kept, or nobody knows whether it was.

        """
        if self.snapshots is None:
            return
        state = self.config.state
        packed = state.path.with_name(_PACKED)
        pack(state.path, state.key.path if state.owns_key else None, packed)
        self.version = self.snapshots.replace(packed, self.version)
        packed.unlink()


@contextmanager
def keeping(config: Config) -> Iterator[Kept]:
    """Have the state at hand for a run, wherever it is kept.

    Raises:
        StateError: it cannot be fetched, or is damaged.
        ConfigError: it says no place where a state can be kept.

    """
    if config.state.on_disk:
        yield Kept(config)
        return
    snapshots = _snapshots(config.state)
    with scratch_folder() as folder:
        state = _beside(config.state, folder)
        version = None if snapshots is None else _fetch(snapshots, state)
        yield Kept(msgspec.structs.replace(config, state=state), snapshots, version)


@contextmanager
def reading_state(config: Config) -> Iterator[Store]:
    """Open the state for reading, wherever it is kept, while another process may write.

    Raises:
        StateError: there is none yet, it is kept nowhere, or it cannot be read.

    """
    if config.state.url == _NOWHERE:
        raise StateError("the state is kept nowhere (`state: none`): there is nothing to read")
    with keeping(config) as kept:
        if kept.snapshots is not None and kept.version is None:
            raise StateError(f"{kept.snapshots.place}: there is no state yet; `mlvitals run --once` makes it")
        with Store.open_read_only(kept.config.state.path) as store:
            yield store


def require_disk(config: Config) -> None:
    """Refuse to follow sources where the state is kept only at a run's end.

    Raises:
        ConfigError: it is.

    """
    if not config.state.on_disk:
        raise ConfigError("a state that is not on a disk is for `--once` and `--until` - at `$.state.url`")


def _snapshots(state: StateConfig) -> SnapshotStore | None:
    return None if state.url is None or state.url == _NOWHERE else open_snapshots(state.url, state.endpoint)


def _beside(state: StateConfig, folder: Path) -> StateConfig:
    """Return where a run works; a key that does not go with the state stays where it is."""
    path = folder / "state.db"
    key = KeyConfig(path=path.with_name("state.db.key")) if state.owns_key else state.key
    return msgspec.structs.replace(state, path=path, key=key)


def _fetch(snapshots: SnapshotStore, state: StateConfig) -> str | None:
    packed = state.path.with_name(_PACKED)
    version = snapshots.fetch(packed)
    if version is None:
        return None
    try:
        unpack(packed, state.path, state.path.with_name("state.db.key"))
    except StateError as error:
        raise StateError(f"{snapshots.place}: {error}") from error.__cause__
    packed.unlink()
    return version
