"""The outbox: requests wait here, as the very bytes to send, in the transaction that made them."""

import sqlite3
from collections.abc import Iterable
from typing import Final, NamedTuple

from mlvitals.delivery.sink import Outcome, Request
from mlvitals.state import Migrations, Store

MIGRATIONS: Final = Migrations(
    owner="delivery",
    steps=(
        (
            """
            CREATE TABLE outbox (
                sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                destination TEXT NOT NULL,
                route TEXT NOT NULL,
                body BLOB NOT NULL,
                items INTEGER NOT NULL,
                first INTEGER NOT NULL,
                last INTEGER NOT NULL,
                enqueued INTEGER NOT NULL,
                attempts INTEGER NOT NULL DEFAULT 0,
                not_before INTEGER NOT NULL DEFAULT 0,
                held TEXT NOT NULL DEFAULT ''
            ) STRICT
            """,
            "CREATE INDEX outbox_by_destination ON outbox (destination, sequence)",
            """
            CREATE TABLE dead_letter (
                sequence INTEGER PRIMARY KEY,
                destination TEXT NOT NULL,
                route TEXT NOT NULL,
                body BLOB NOT NULL,
                items INTEGER NOT NULL,
                first INTEGER NOT NULL,
                last INTEGER NOT NULL,
                enqueued INTEGER NOT NULL,
                buried INTEGER NOT NULL,
                reason TEXT NOT NULL
            ) STRICT
            """,
            """
            CREATE TABLE delivery_total (
                destination TEXT NOT NULL,
                fate TEXT NOT NULL,
                requests INTEGER NOT NULL,
                items INTEGER NOT NULL,
                PRIMARY KEY (destination, fate)
            ) STRICT, WITHOUT ROWID
            """,
        ),
    ),
)
