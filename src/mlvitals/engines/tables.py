"""The tables that an engine owns: positions, progress, the account of rows, and rows that wait."""

from typing import Final

from mlvitals.state import Migrations

MIGRATIONS: Final = Migrations(
    owner="engines",
    steps=(
        (
            "CREATE TABLE position (source TEXT PRIMARY KEY, position BLOB NOT NULL) STRICT, WITHOUT ROWID",
            "CREATE TABLE progress (model TEXT PRIMARY KEY, document BLOB NOT NULL) STRICT, WITHOUT ROWID",
            "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
            """
            CREATE TABLE account (
                source TEXT NOT NULL,
                event TEXT NOT NULL,
                model TEXT NOT NULL,
                disposition TEXT NOT NULL,
                rows INTEGER NOT NULL,
                PRIMARY KEY (source, event, model, disposition)
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE TABLE example (source TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (source, reason)) STRICT",
            """
            CREATE TABLE held (
                sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                source TEXT NOT NULL,
                model TEXT NOT NULL,
                event TEXT NOT NULL,
                rows INTEGER NOT NULL,
                batch BLOB NOT NULL
            ) STRICT
            """,
            """
            CREATE TABLE learning (
                sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                model TEXT NOT NULL,
                rows INTEGER NOT NULL,
                batch BLOB NOT NULL
            ) STRICT
            """,
            "CREATE TABLE learnt (model TEXT PRIMARY KEY, reference BLOB NOT NULL) STRICT",
        ),
        (
            """
            CREATE TABLE volume (
                model TEXT NOT NULL,
                start INTEGER NOT NULL,
                predictions INTEGER NOT NULL,
                PRIMARY KEY (model, start)
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE change (
                model TEXT NOT NULL,
                time INTEGER NOT NULL,
                kind TEXT NOT NULL,
                text TEXT NOT NULL,
                PRIMARY KEY (model, time, kind, text)
            ) STRICT, WITHOUT ROWID
            """,
        ),
        (
            """
            CREATE TABLE half_batch (
                sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                source TEXT NOT NULL,
                event TEXT NOT NULL,
                rows INTEGER NOT NULL,
                batch BLOB NOT NULL
            ) STRICT
            """,
            """
            CREATE TABLE half (
                id BLOB PRIMARY KEY,
                seen INTEGER NOT NULL,
                sequence INTEGER,
                row INTEGER,
                model TEXT NOT NULL,
                time INTEGER NOT NULL,
                deadline INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX half_by_deadline ON half (deadline)",
            "CREATE INDEX half_by_model ON half (seen, model, time)",
            "CREATE INDEX half_by_batch ON half (sequence) WHERE sequence IS NOT NULL",
            "CREATE TABLE half_newest (event TEXT PRIMARY KEY, time INTEGER NOT NULL) STRICT, WITHOUT ROWID",
        ),
        (
            # A total that is told must not fall, but an orphan that finds its prediction is none any more.
            "ALTER TABLE account ADD COLUMN taken_back INTEGER NOT NULL DEFAULT 0",
        ),
        (
            """
            CREATE TABLE standing (
                model TEXT NOT NULL,
                version TEXT NOT NULL,
                segment TEXT NOT NULL,
                start INTEGER NOT NULL,
                series BLOB NOT NULL,
                PRIMARY KEY (model, version, segment)
            ) STRICT, WITHOUT ROWID
            """,
        ),
    ),
)
