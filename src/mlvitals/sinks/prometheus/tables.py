"""What is kept between scrapes, and over a restart."""

from typing import Final

from mlvitals.state import Migrations

MIGRATIONS: Final = Migrations(
    owner="prometheus_sink",
    steps=(
        (
            # `labels` as a scrape spells them; `stored` by the wall clock, `shown` is how long from then.
            """
            CREATE TABLE scraped_series (
                destination TEXT NOT NULL,
                signal TEXT NOT NULL,
                labels TEXT NOT NULL,
                value REAL NOT NULL,
                time INTEGER NOT NULL,
                stored INTEGER NOT NULL,
                shown INTEGER NOT NULL,
                PRIMARY KEY (destination, signal, labels)
            ) STRICT, WITHOUT ROWID
            """,
        ),
    ),
)
