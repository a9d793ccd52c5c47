"""A copy of a configuration's state, with the key without which it is worth little."""

from collections.abc import Callable
from pathlib import Path

from mlvitals.app.kept import keeping
from mlvitals.config import Config
from mlvitals.errors import StateError
from mlvitals.state.backup import back_up, copy_private


def copy_state(config: Config, target: Path, *, progress: Callable[[int, int], None]) -> list[Path]:
    """Copy the state to a file, and its key to `<file>.key` unless that is kept elsewhere; return what was written.

    A configuration whose `state.path` is that file goes on from the moment of the copy.

    Raises:
        StateError: there is no state, it is damaged, or the files cannot be written.

    """
    if config.state.url == "none":
        raise StateError("the state is kept nowhere (`state: none`): there is nothing to copy")
    with keeping(config) as kept:
        state = kept.config.state
        if kept.snapshots is not None and kept.version is None:
            raise StateError(f"{kept.snapshots.place}: there is no state to copy")
        back_up(state.path, target, progress=progress)
        if not (state.owns_key and state.key.path.exists()):
            return [target]
        key = target.with_name(f"{target.name}.key")
        copy_private(state.key.path, key)
        return [target, key]
