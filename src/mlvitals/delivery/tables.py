"""The tables of delivery. Bodies stand last in a row, so that counting never reads them."""

from typing import Final

from mlvitals.state import Migrations

MIGRATIONS: Final = Migrations(
    owner="delivery",
    steps=(
        (
            # A request that is split leaves two in its place: `part` grows by a digit, so that order is kept.
            """
            CREATE TABLE outbox (
                destination TEXT NOT NULL,
                sequence INTEGER NOT NULL,
                part TEXT NOT NULL,
                enqueued INTEGER NOT NULL,
                route TEXT NOT NULL,
                items INTEGER NOT NULL CHECK (items > 0),
                size INTEGER NOT NULL,
                first INTEGER NOT NULL,
                last INTEGER NOT NULL,
                body BLOB NOT NULL,
                PRIMARY KEY (destination, sequence, part)
            ) STRICT
            """,
            "CREATE INDEX outbox_bounds ON outbox (destination, enqueued, size, items)",
            """
            CREATE TABLE dead_letter (
                sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                destination TEXT NOT NULL,
                fate TEXT NOT NULL,
                reason TEXT NOT NULL,
                enqueued INTEGER NOT NULL,
                buried INTEGER NOT NULL,
                route TEXT NOT NULL,
                items INTEGER NOT NULL,
                lost INTEGER NOT NULL,
                size INTEGER NOT NULL,
                first INTEGER NOT NULL,
                last INTEGER NOT NULL,
                body BLOB NOT NULL
            ) STRICT
            """,
            "CREATE INDEX dead_letter_by_destination ON dead_letter (destination, sequence)",
            # One row for each destination in trouble; the next request that is taken removes it.
            """
            CREATE TABLE delivery_trouble (
                destination TEXT PRIMARY KEY,
                held INTEGER NOT NULL,
                reason TEXT NOT NULL,
                since INTEGER NOT NULL,
                failures INTEGER NOT NULL,
                not_before INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE delivery_total (
                destination TEXT NOT NULL,
                fate TEXT NOT NULL,
                items INTEGER NOT NULL,
                PRIMARY KEY (destination, fate)
            ) STRICT, WITHOUT ROWID
            """,
        ),
        (
            # Each route is a lane with a trouble of its own; what troubled a whole destination shows again when tried.
            "DROP TABLE delivery_trouble",
            """
            CREATE TABLE delivery_trouble (
                destination TEXT NOT NULL,
                route TEXT NOT NULL,
                held INTEGER NOT NULL,
                reason TEXT NOT NULL,
                since INTEGER NOT NULL,
                failures INTEGER NOT NULL,
                not_before INTEGER NOT NULL,
                PRIMARY KEY (destination, route)
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX outbox_by_route ON outbox (destination, route, sequence, part)",
            # The moment up to which a destination's queue has aged.
            "CREATE TABLE delivery_seen (destination TEXT PRIMARY KEY, moment INTEGER NOT NULL) STRICT, WITHOUT ROWID",
        ),
    ),
)
