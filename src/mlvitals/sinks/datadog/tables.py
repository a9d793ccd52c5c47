"""Which value has which tag, so that two values that Datadog would take for one stay two, also after a restart."""

from typing import Final

from mlvitals.state import Migrations

MIGRATIONS: Final = Migrations(
    owner="datadog_sink",
    steps=(
        (
            # `number` counts a destination's rows: a transaction that was taken back shows by a lower greatest one.
            """
            CREATE TABLE datadog_tag (
                destination TEXT NOT NULL,
                number INTEGER NOT NULL,
                key TEXT NOT NULL,
                value TEXT NOT NULL,
                tag TEXT NOT NULL,
                PRIMARY KEY (destination, number),
                UNIQUE (destination, tag)
            ) STRICT, WITHOUT ROWID
            """,
        ),
    ),
)
