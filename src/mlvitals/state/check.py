"""Whether a state file is whole, and whose it is: what can be told of it without knowing what its tables mean."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

from mlvitals.state.store import Migrations, Store

_TOLD_AT_MOST: Final = 5


def damage(store: Store) -> list[str]:
    """Return what SQLite finds wrong with the file, the first few things; the whole file is read."""
    try:
        rows = store.connection.execute(f"PRAGMA integrity_check({_TOLD_AT_MOST})").fetchall()
    except sqlite3.DatabaseError as error:
        return [str(error)]
    # One page that is wrong is one row of several lines.
    lines = [line for (text,) in rows for line in str(text).splitlines()]
    return [] if lines == ["ok"] else lines[:_TOLD_AT_MOST]


def newer_tables(store: Store, migrations: Sequence[Migrations]) -> Iterator[str]:
    """Yield a line for every layer whose tables a newer program wrote, or whose layer this one does not know."""
    known = {layer.owner: len(layer.steps) for layer in migrations}
    for owner, version in _versions(store):
        if owner not in known:
            yield f"was written by a newer mlvitals: this program has no `{owner}` tables"
        elif version > known[owner]:
            yield (
                f"was written by a newer mlvitals: its `{owner}` tables have version {version}, "
                f"this program knows {known[owner]}"
            )


def older_tables(store: Store, migrations: Sequence[Migrations]) -> Iterator[str]:
    """Yield a line for every layer whose tables the next run will change."""
    present = dict(_versions(store))
    for layer in migrations:
        version = present.get(layer.owner, 0)
        if version < len(layer.steps):
            yield f"the next run brings its `{layer.owner}` tables from version {version} to {len(layer.steps)}"


def _versions(store: Store) -> list[tuple[str, int]]:
    exists = store.connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'schema_version'").fetchone()
    if not exists[0]:
        return []
    return store.connection.execute("SELECT owner, version FROM schema_version ORDER BY owner").fetchall()
