"""Change events: what people say they did, kept so that what was measured can be read beside it."""

import sqlite3
from collections.abc import Iterator
from typing import Final, NamedTuple

import pyarrow as pa

from mlvitals import wire
from mlvitals.engines.intake import times_of
from mlvitals.events import canonical_text

CHANGES_KEPT: Final = 1_000  # of each model, the newest; some 10 a day over the longest usual horizon
TEXT_KEPT: Final = 1_000  # characters of a text


class Change(NamedTuple):
    """A change event. `model` is empty where it concerns all of them; `time` is in microseconds since the epoch."""

    time: int
    model: str
    kind: str
    text: str


def record_changes(connection: sqlite3.Connection, model: str, batch: pa.RecordBatch) -> list[Change]:
    """Keep the change events of a model (or, with an empty name, of all), and return those that are news.

    One that is kept already changes nothing. What is kept is a function of the set of events, whatever their order: the
    newest by time, kind and text. One that is too old to be kept is news, and again so each time that it comes.
    """
    kinds, texts = (
        [value or "" for value in canonical_text(batch.column(name)).cast(pa.string()).to_pylist()]
        for name in (wire.KIND, wire.TEXT)
    )
    changes = (
        Change(time, model, kind, text[:TEXT_KEPT])
        for time, kind, text in zip(times_of(batch).tolist(), kinds, texts, strict=True)
    )
    news = [
        one
        for one in changes
        if connection.execute(
            "INSERT OR IGNORE INTO change VALUES (?, ?, ?, ?)", (one.model, one.time, one.kind, one.text)
        ).rowcount
    ]
    connection.execute(
        "DELETE FROM change WHERE model = ?1 AND (time, kind, text) < "
        "(SELECT time, kind, text FROM change WHERE model = ?1 "
        "ORDER BY time DESC, kind DESC, text DESC LIMIT 1 OFFSET ?2)",
        (model, CHANGES_KEPT - 1),
    )
    return news


def read_changes(connection: sqlite3.Connection, model: str | None = None, newest: int = -1) -> Iterator[Change]:
    """Yield change events, newest first.

    Args:
        connection: to the state.
        model: whose, with those of all models among them; None for everyone's.
        newest: how many at most; -1 for all that are kept.

    """
    rows = connection.execute(
        "SELECT time, model, kind, text FROM change WHERE ?1 IS NULL OR model IN (?1, '') "
        "ORDER BY time DESC, model, kind, text LIMIT ?2",
        (model, newest),
    )
    yield from (Change(*row) for row in rows)
