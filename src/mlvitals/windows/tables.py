"""The tables that windows own: cohorts, what is remembered of predictions, and their labels."""

from typing import Final

from mlvitals.state import Migrations

MIGRATIONS: Final = Migrations(
    owner="windows",
    steps=(
        (
            """
            CREATE TABLE layout (
                hash TEXT PRIMARY KEY,
                document BLOB NOT NULL
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE cohort (
                model TEXT NOT NULL,
                start INTEGER NOT NULL,
                version TEXT NOT NULL,
                segment TEXT NOT NULL,
                end INTEGER NOT NULL,
                layout TEXT NOT NULL,
                served BLOB NOT NULL,
                outcomes BLOB NOT NULL,
                closed INTEGER NOT NULL DEFAULT 0,
                changed INTEGER NOT NULL DEFAULT 0,
                settled INTEGER NOT NULL DEFAULT 0,
                due INTEGER,
                PRIMARY KEY (model, start, version, segment)
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX cohort_by_due ON cohort (model, closed, due)",
            """
            CREATE TABLE settlement (
                model TEXT NOT NULL,
                start INTEGER NOT NULL,
                version TEXT NOT NULL,
                segment TEXT NOT NULL,
                maturity TEXT NOT NULL,
                digest TEXT NOT NULL,
                revision INTEGER NOT NULL,
                PRIMARY KEY (model, start, version, segment, maturity)
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE prediction (
                model TEXT NOT NULL,
                id BLOB NOT NULL,
                version TEXT NOT NULL,
                time INTEGER NOT NULL,
                start INTEGER NOT NULL,
                uncounted INTEGER NOT NULL,
                fingerprint INTEGER NOT NULL,
                score REAL,
                decision TEXT,
                amount REAL,
                segments TEXT NOT NULL,
                PRIMARY KEY (model, id, version)
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX prediction_by_window ON prediction (model, start)",
            """
            CREATE TABLE label (
                model TEXT NOT NULL,
                id BLOB NOT NULL,
                time INTEGER NOT NULL,
                content TEXT NOT NULL,
                version TEXT NOT NULL,
                amount TEXT NOT NULL,
                source TEXT NOT NULL,
                PRIMARY KEY (model, id, time, content, version, amount)
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX label_by_time ON label (model, time)",
        ),
        (
            # What `past` keeps of cohorts that are forgotten.
            """
            CREATE TABLE past (
                model TEXT NOT NULL,
                start INTEGER NOT NULL,
                version TEXT NOT NULL,
                end INTEGER NOT NULL,
                layout TEXT NOT NULL,
                served BLOB NOT NULL,
                PRIMARY KEY (model, start, version)
            ) STRICT, WITHOUT ROWID
            """,
        ),
        (
            "ALTER TABLE cohort ADD COLUMN repeats INTEGER NOT NULL DEFAULT 0",
            """
            CREATE TABLE previous (
                model TEXT NOT NULL,
                version TEXT NOT NULL,
                segment TEXT NOT NULL,
                start INTEGER NOT NULL,
                layout TEXT NOT NULL,
                served BLOB NOT NULL,
                PRIMARY KEY (model, version, segment)
            ) STRICT, WITHOUT ROWID
            """,
        ),
        ("ALTER TABLE prediction ADD COLUMN probabilities BLOB",),
        # Where the vectors counted under a layout have what. Of layouts kept before this step nobody knows it.
        ("ALTER TABLE layout ADD COLUMN places TEXT NOT NULL DEFAULT ''",),
        (
            # What `paired` counts of ids that two versions served.
            """
            CREATE TABLE paired (
                model TEXT NOT NULL,
                start INTEGER NOT NULL,
                version TEXT NOT NULL,
                other TEXT NOT NULL,
                counts BLOB NOT NULL,
                PRIMARY KEY (model, start, version, other)
            ) STRICT, WITHOUT ROWID
            """,
        ),
        (
            # What `matured` keeps of how labels came.
            """
            CREATE TABLE matured (
                model TEXT NOT NULL,
                start INTEGER NOT NULL,
                version TEXT NOT NULL,
                end INTEGER NOT NULL,
                counts BLOB NOT NULL,
                PRIMARY KEY (model, start, version)
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX matured_by_end ON matured (model, end)",
        ),
        (
            # What `memory` keeps by id: rows in packed parts, how often they changed, and the vectors of some. Labels
            # that met nothing yet stay in `label`; in `prediction` stands what was remembered before this step.
            """
            CREATE TABLE remembered (
                sequence INTEGER PRIMARY KEY,
                model TEXT NOT NULL,
                kind TEXT NOT NULL,
                level INTEGER NOT NULL,
                rows INTEGER NOT NULL,
                oldest INTEGER NOT NULL,
                newest INTEGER NOT NULL,
                data BLOB NOT NULL
            ) STRICT
            """,
            "CREATE INDEX remembered_by_level ON remembered (model, kind, level)",
            """
            CREATE TABLE memory (
                model TEXT PRIMARY KEY,
                changes INTEGER NOT NULL,
                forgotten INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE vector (
                model TEXT NOT NULL,
                id BLOB NOT NULL,
                version TEXT NOT NULL,
                until INTEGER NOT NULL,
                data BLOB NOT NULL,
                PRIMARY KEY (model, id, version)
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX vector_by_window ON vector (model, until)",
        ),
        # By age bucket, how many predictions' labels have said different things; outside of the summary, which a
        # corrected label must leave as if it had come at once.
        ("ALTER TABLE cohort ADD COLUMN conflicts BLOB",),
    ),
)
