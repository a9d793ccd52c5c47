"""The tables of episodes, of what lasts, and of what a person said."""

from typing import Final

from mlvitals.state import Migrations

MIGRATIONS: Final = Migrations(
    owner="episodes",
    steps=(
        (
            """
            CREATE TABLE episode (
                id TEXT PRIMARY KEY,
                model TEXT NOT NULL,
                since INTEGER NOT NULL,
                opened INTEGER NOT NULL,
                seen INTEGER NOT NULL,
                until INTEGER,
                ending TEXT,
                findings INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX episode_by_end ON episode (model, until)",
            "CREATE INDEX episode_that_lasts ON episode (opened) WHERE until IS NULL",
            """
            CREATE TABLE episode_part (
                episode TEXT NOT NULL,
                number INTEGER NOT NULL,
                model TEXT NOT NULL,
                found INTEGER NOT NULL,
                over INTEGER,
                finding BLOB NOT NULL,
                origin BLOB NOT NULL,
                PRIMARY KEY (episode, number)
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX part_that_lasts ON episode_part (episode) WHERE over IS NULL",
            # Which models an episode has, and since when; by what other findings are known to be of the same thing.
            """
            CREATE TABLE episode_model (
                episode TEXT NOT NULL,
                model TEXT NOT NULL,
                joined INTEGER NOT NULL,
                PRIMARY KEY (episode, model)
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX episode_model_by_time ON episode_model (model, joined)",
            """
            CREATE TABLE episode_kin (
                kin TEXT NOT NULL,
                episode TEXT NOT NULL,
                PRIMARY KEY (kin, episode)
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX episode_kin_by_episode ON episode_kin (episode)",
            # Detectors that have alarmed and not recovered. One without an episode was silenced before it paged, by a
            # word (`silence`), or for as long as it lasts where there is none.
            """
            CREATE TABLE latch (
                model TEXT NOT NULL,
                version TEXT NOT NULL,
                detector TEXT NOT NULL,
                subject TEXT NOT NULL,
                episode TEXT,
                number INTEGER,
                silence INTEGER,
                finding BLOB NOT NULL,
                origin BLOB NOT NULL,
                PRIMARY KEY (model, version, detector, subject)
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX latch_that_is_silenced ON latch (model) WHERE silence IS NOT NULL",
            "CREATE INDEX latch_by_episode ON latch (episode, silence) WHERE episode IS NOT NULL",
            """
            CREATE TABLE observed (
                model TEXT PRIMARY KEY,
                first INTEGER NOT NULL,
                last INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE word (
                sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                kind TEXT NOT NULL,
                time INTEGER NOT NULL,
                user TEXT NOT NULL,
                reason TEXT NOT NULL,
                model TEXT NOT NULL,
                feature TEXT NOT NULL,
                detector TEXT NOT NULL,
                until INTEGER,
                onset INTEGER,
                episode TEXT NOT NULL,
                verdict TEXT NOT NULL,
                ends INTEGER,
                heeded INTEGER NOT NULL DEFAULT 0,
                silences INTEGER NOT NULL DEFAULT 0
            ) STRICT
            """,
            "CREATE INDEX word_that_waits ON word (sequence) WHERE heeded = 0",
            "CREATE INDEX word_that_silences ON word (model) WHERE silences = 1",
            "CREATE INDEX word_that_rebases ON word (model, sequence) WHERE kind = 'rebase'",
            "CREATE INDEX word_by_episode ON word (episode, sequence) WHERE kind = 'verdict'",
        ),
        # What was at stake when an episode paged, where that is known: told for as long as it lasts.
        ("CREATE TABLE episode_harm (episode TEXT PRIMARY KEY, harm BLOB NOT NULL) STRICT, WITHOUT ROWID",),
    ),
)
