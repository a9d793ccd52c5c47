"""What a model remembers by id, durably: packed rows in the state, and a working copy in which ids are found.

The working copy follows from the rows in the state alone. It is made when it is first asked for, and made again where
the state is not the one that it was made from: a transaction was taken back.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from mlvitals.errors import StateError
from mlvitals.windows.coded import Lexicon
from mlvitals.windows.remembered_rows import (
    LABEL,
    PREDICTION,
    Kind,
    Rows,
    choose_rows,
    join_rows,
    pack_rows,
    unpack_rows,
)
from mlvitals.windows.runs import Runs

_TOGETHER: Final = 16  # so many parts of a level become one of the next
_ROWS_AT_MOST: Final = 2**18  # of a part
_TEXTS: Final = 2**18
_LEAST: Final = -(2**63)


class Memory:
    """The remembered rows of one model. Every call belongs into the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, model: str, lexicon: Lexicon) -> None:
        self.predictions = Runs(PREDICTION.columns, None)
        self.labels = Runs(LABEL.columns, None)
        self.forgotten = _LEAST
        self._connection = connection
        self._model = model
        self._lexicon = lexicon
        self._changes: int | None = None
        self._texts_at_most = _TEXTS

    def refresh(self) -> None:
        """Make the working copy anew unless it is that of the state, and has no codes of many texts that are gone."""
        changes, forgotten = self._standing()
        if changes == self._changes and len(self._lexicon) <= self._texts_at_most:
            return
        self._lexicon.empty()
        folder = _folder(self._connection)
        self._changes, self.forgotten = changes, forgotten
        self.predictions, self.labels = Runs(PREDICTION.columns, folder), Runs(LABEL.columns, folder)
        for kind in (PREDICTION, LABEL):
            runs = self._runs(kind)
            runs.forget(forgotten)
            for rows in _read(self._connection, self._model, kind, self._lexicon):
                runs.add(rows)
        self._texts_at_most = max(_TEXTS, 2 * len(self._lexicon))

    def append(self, kind: Kind, rows: Rows) -> None:
        """Keep more rows."""
        if not len(rows):
            return
        self._runs(kind).add(rows)
        self._write(kind, 0, rows)
        self._join_parts(kind)
        self._note_change()

    def keep_vectors(self, rows: Rows, vectors: Sequence[bytes | None]) -> None:
        """Keep what is remembered of the probabilities or rankings of predictions, beside their rows."""
        given = [(place, one) for place, one in enumerate(vectors) if one is not None]
        self._connection.executemany(
            "INSERT INTO vector VALUES (?, ?, ?, ?, ?)",
            [(self._model, *self._name(rows[place]), int(rows["until"][place]), one) for place, one in given],
        )

    def vectors(self, rows: Rows) -> list[bytes | None]:
        """Return what is remembered of probabilities or rankings of predictions, None of those without any."""
        found: list[bytes | None] = [None] * len(rows)
        query = "SELECT data FROM vector WHERE model = ? AND id = ? AND version = ?"
        for place in np.flatnonzero(rows["vector"]).tolist():
            (found[place],) = self._connection.execute(query, (self._model, *self._name(rows[place]))).fetchone()
        return found

    def forget(self, before: int) -> None:
        """Forget what is kept for windows that start before a time only."""
        self.refresh()
        about = {"model": self._model, "before": before}
        for query in (
            "DELETE FROM remembered WHERE model = :model AND newest < :before",
            "DELETE FROM vector WHERE model = :model AND until < :before",
        ):
            self._connection.execute(query, about)
        half_over = self._connection.execute(
            "SELECT sequence, kind, level, data FROM remembered "
            "WHERE model = :model AND oldest < :before AND :before - oldest > newest - :before",
            about,
        ).fetchall()
        self.forgotten = before
        for sequence, name, level, data in half_over:
            kind = {one.name: one for one in (PREDICTION, LABEL)}[name]
            self._connection.execute("DELETE FROM remembered WHERE sequence = ?", (sequence,))
            self._write(kind, level, self._kept(unpack_rows(kind, data, self._lexicon)))
        self.predictions.forget(before)
        self.labels.forget(before)
        self._note_change()

    def _runs(self, kind: Kind) -> Runs:
        return self.predictions if kind is PREDICTION else self.labels

    def _name(self, row: np.void) -> tuple[bytes, str]:
        words = np.array([row["head"], row["tail"]], dtype=">u8")
        return words.tobytes(), self._lexicon.text(int(row["version"])) or ""

    def _kept(self, rows: Rows) -> Rows:
        kept = rows["until"] >= self.forgotten
        return rows if kept.all() else choose_rows(rows, kept)

    def _write(self, kind: Kind, level: int, rows: Rows) -> None:
        if len(rows):
            oldest, newest = int(rows["until"].min()), int(rows["until"].max())
            self._connection.execute(
                "INSERT INTO remembered (model, kind, level, rows, oldest, newest, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (self._model, kind.name, level, len(rows), oldest, newest, pack_rows(kind, rows, self._lexicon)),
            )

    def _join_parts(self, kind: Kind) -> None:
        """Make one part of many small ones, so that there are few however rows come."""
        level = 0
        while True:
            parts = self._connection.execute(
                "SELECT sequence, rows FROM remembered WHERE model = ? AND kind = ? AND level = ?",
                (self._model, kind.name, level),
            ).fetchall()
            if len(parts) < _TOGETHER or sum(rows for _, rows in parts) > _ROWS_AT_MOST:
                return
            packed = [
                self._connection.execute("SELECT data FROM remembered WHERE sequence = ?", (sequence,)).fetchone()[0]
                for sequence, _ in parts
            ]
            rows = join_rows([unpack_rows(kind, data, self._lexicon) for data in packed])
            self._connection.executemany(
                "DELETE FROM remembered WHERE sequence = ?", [(sequence,) for sequence, _ in parts]
            )
            level += 1
            self._write(kind, level, self._kept(rows))

    def _standing(self) -> tuple[int, int]:
        query = "SELECT changes, forgotten FROM memory WHERE model = ?"
        row = self._connection.execute(query, (self._model,)).fetchone()
        return (0, _LEAST) if row is None else row

    def _note_change(self) -> None:
        self._changes = self._standing()[0] + 1
        self._connection.execute(
            "INSERT INTO memory VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET "
            "changes = excluded.changes, forgotten = excluded.forgotten",
            (self._model, self._changes, self.forgotten),
        )


def count_remembered(connection: sqlite3.Connection, kind: Kind) -> Mapping[str, int]:
    """Return how many rows of a kind each model remembers."""
    query = (
        "SELECT r.model, sum(r.rows) FROM remembered r JOIN memory m ON m.model = r.model "
        "WHERE r.kind = ? AND r.oldest >= m.forgotten GROUP BY r.model"
    )
    counts = dict(connection.execute(query, (kind.name,)).fetchall())
    partly = connection.execute(
        "SELECT r.model, m.forgotten, r.data FROM remembered r JOIN memory m ON m.model = r.model "
        "WHERE r.kind = ? AND r.oldest < m.forgotten",
        (kind.name,),
    )
    for model, forgotten, data in partly:
        rows = unpack_rows(kind, data, Lexicon())
        counts[model] = counts.get(model, 0) + int((rows["until"] >= forgotten).sum())
    return counts


def unsound_memory(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield a line for every part of what is remembered that cannot be read, or holds other rows than it says."""
    kinds = {one.name: one for one in (PREDICTION, LABEL)}
    columns = "sequence, model, kind, rows, oldest, newest, data"
    for sequence, model, name, count, oldest, newest, data in connection.execute(f"SELECT {columns} FROM remembered"):
        try:
            until = unpack_rows(kinds[name], data, Lexicon())["until"]
        except (StateError, KeyError) as error:
            yield f"model {model}: part {sequence}: {error}"
            continue
        if (len(until), int(until.min()), int(until.max())) != (count, oldest, newest):
            yield f"model {model}: part {sequence} of what is remembered by id holds other rows than it says"


def _read(connection: sqlite3.Connection, model: str, kind: Kind, lexicon: Lexicon) -> Iterator[Rows]:
    parts = connection.execute("SELECT data FROM remembered WHERE model = ? AND kind = ?", (model, kind.name))
    for (data,) in parts:
        yield unpack_rows(kind, data, lexicon)


def _folder(connection: sqlite3.Connection) -> Path | None:
    """Return the folder of the state: where it has room for the state there may be room for a copy."""
    path = connection.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()[0]
    return Path(path).parent if path else None
