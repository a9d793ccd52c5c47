"""Labels that have met no prediction: it may come yet, or the label is an orphan."""

import sqlite3
from typing import Final

import numpy as np

from mlvitals.windows.coded import Coded, Lexicon
from mlvitals.windows.remembered_rows import LABEL, Rows, Words
from mlvitals.windows.runs import Found

_TOUCHED: Final = "CREATE TEMP TABLE IF NOT EXISTS touched (place INTEGER PRIMARY KEY, id BLOB NOT NULL)"
# CROSS JOIN fixes the order of look-ups: from the few ids that were touched. SQLite, which knows no sizes, would else
# begin with all that waits of the model.
_FIND: Final = """
    SELECT t.place, l.time, l.content, l.version, l.amount, l.source
    FROM touched t CROSS JOIN label l ON l.model = ? AND l.id = t.id
"""


class WaitingLabels:
    """Those of one model, in the state database. Every call belongs into the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, model: str, lexicon: Lexicon) -> None:
        self._connection = connection
        self._model = model
        self._lexicon = lexicon
        connection.execute(_TOUCHED)

    def find(self, heads: Words, tails: Words) -> Found:
        """Return the labels of these ids."""
        if self._connection.execute("SELECT 1 FROM label WHERE model = ? LIMIT 1", (self._model,)).fetchone() is None:
            return Found(np.zeros(0, dtype=np.intp), np.zeros(0, dtype=LABEL.columns))
        self._connection.execute("DELETE FROM touched")
        self._connection.executemany("INSERT INTO touched VALUES (?, ?)", enumerate(_ids(heads, tails)))
        found = self._connection.execute(_FIND, (self._model,)).fetchall()
        places = np.array([place for place, *_ in found], dtype=np.intp)
        rows = np.zeros(len(found), dtype=LABEL.columns)
        rows["head"], rows["tail"] = heads[places], tails[places]
        rows["time"] = rows["until"] = [one[1] for one in found]
        contents, versions, amounts, sources = (Coded.of([one[place] for one in found]) for place in (2, 3, 4, 5))
        rows["content"], rows["content_kind"] = self._lexicon.cells(contents)
        rows["amount"], rows["amount_kind"] = self._lexicon.cells(amounts)
        rows["version"], rows["source"] = self._lexicon.encode(versions), self._lexicon.encode(sources)
        return Found(places, rows)

    def add(self, rows: Rows) -> None:
        """Let labels wait."""
        self._connection.executemany("INSERT INTO label VALUES (?, ?, ?, ?, ?, ?, ?)", self._spelled(rows))

    def remove(self, rows: Rows) -> None:
        """Let labels wait no more."""
        self._connection.executemany(
            "DELETE FROM label WHERE model = ? AND id = ? AND time = ? AND content = ? AND version = ? AND amount = ?",
            [one[:-1] for one in self._spelled(rows)],
        )

    def forget(self, before: int) -> None:
        """Forget the labels of before a time."""
        self._connection.execute("DELETE FROM label WHERE model = ? AND time < ?", (self._model, before))

    def _spelled(self, rows: Rows) -> list[tuple[object, ...]]:
        columns = (
            _ids(rows["head"], rows["tail"]),
            rows["time"].tolist(),
            self._lexicon.read_cells(rows["content"], rows["content_kind"]).to_list(),
            self._lexicon.decode(rows["version"]).to_list(),
            self._lexicon.read_cells(rows["amount"], rows["amount_kind"]).to_list(),
            self._lexicon.decode(rows["source"]).to_list(),
        )
        return [(self._model, *one) for one in zip(*columns, strict=True)]


def _ids(heads: Words, tails: Words) -> list[bytes]:
    data = np.stack([heads, tails], axis=1).astype(">u8").tobytes()
    return [data[place : place + 16] for place in range(0, len(data), 16)]
