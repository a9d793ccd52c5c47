"""The key of the ids' hash, held to the state that remembers predictions under it."""

from pathlib import Path
from typing import Final

from mlvitals.errors import StateError
from mlvitals.hashing import KeyedHash, load_key
from mlvitals.state import Store

_SETTING: Final = "key of ids"


def hold_key(store: Store, path: Path) -> KeyedHash:
    """Return the keyed hash whose key stands in a file; a state without a key yet is bound to it.

    Under another key no label would find its prediction, and nothing would say so.

    Raises:
        StateError: the key is not the state's, is gone, or is none.

    """
    bound = _bound_to(store)
    if bound is not None and not path.exists():
        raise StateError(
            f"{path}: the key is gone under which the state remembers its predictions: put it back from a backup, "
            "or begin a new state"
        )
    key = _load(path)
    if bound is None:
        with store.transaction() as connection:
            connection.execute("INSERT INTO setting VALUES (?, ?)", (_SETTING, _mark(key)))
    elif bound != _mark(key):
        raise StateError(
            f"{path}: is not the key under which the state remembers its predictions: their labels would not find them"
        )
    return key


def is_key_of(store: Store, path: Path) -> bool:
    """Tell whether a file holds the key that the state is bound to; a state that is bound to none takes any.

    Raises:
        StateError: the file holds no key.

    """
    bound = _bound_to(store)
    return bound is None or (path.exists() and _mark(_load(path)) == bound)


def _load(path: Path) -> KeyedHash:
    try:
        return KeyedHash(load_key(path))
    except ValueError as error:
        raise StateError(str(error)) from None


def _bound_to(store: Store) -> str | None:
    row = store.connection.execute("SELECT value FROM setting WHERE name = ?", (_SETTING,)).fetchone()
    return None if row is None else str(row[0])


def _mark(key: KeyedHash) -> str:
    """Return what tells a key from others without telling it."""
    return key.digest(["mlvitals"])[0].hex()
