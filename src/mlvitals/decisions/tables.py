"""What detectors keep between windows, in the transaction of the window."""

import sqlite3
import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.state import Migrations

Floats = npt.NDArray[np.float64]

MIGRATIONS: Final = Migrations(
    owner="decisions",
    steps=(
        (
            """
            CREATE TABLE detectors (
                model TEXT NOT NULL,
                name TEXT NOT NULL,
                basis TEXT NOT NULL,
                start INTEGER NOT NULL,
                word INTEGER NOT NULL,
                state BLOB NOT NULL,
                PRIMARY KEY (model, name)
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE detector_usual (
                model TEXT NOT NULL,
                name TEXT NOT NULL,
                basis TEXT NOT NULL,
                usual BLOB NOT NULL,
                PRIMARY KEY (model, name)
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE detector_window (
                model TEXT NOT NULL,
                name TEXT NOT NULL,
                start INTEGER NOT NULL,
                counts BLOB NOT NULL,
                PRIMARY KEY (model, name, start)
            ) STRICT, WITHOUT ROWID
            """,
        ),
    ),
)

_ZLIB_LEVEL: Final = 1


class Memory:
    """What the detectors of one vector of counts keep: their state, and the windows that they learn from.

    name: of the vector within the model. Every call belongs into the caller's transaction.
    """

    def __init__(self, connection: sqlite3.Connection, model: str, name: str) -> None:
        self._connection = connection
        self.key = model, name

    def read(self, basis: str, arrays: Sequence[Floats]) -> tuple[int, int] | None:
        """Fill arrays with what was saved upon the same basis; return the start of the window and the word heeded.

        None where nothing was saved, or upon another basis, which says nothing of this one.
        """
        row = self._connection.execute(
            "SELECT start, word, state FROM detectors WHERE model = ? AND name = ? AND basis = ?", (*self.key, basis)
        ).fetchone()
        if row is None:
            return None
        start, word, state = row
        numbers = np.frombuffer(zlib.decompress(state), dtype=np.float64)
        if len(numbers) != sum(array.size for array in arrays):
            return None
        place = 0
        for array in arrays:
            array[...] = numbers[place : place + array.size].reshape(array.shape)
            place += array.size
        return start, word

    def write(self, basis: str, start: int, word: int, arrays: Sequence[Floats]) -> None:
        """Save arrays after the window that begins at `start`, and after a word."""
        state = zlib.compress(b"".join(array.tobytes() for array in arrays), _ZLIB_LEVEL)
        self._connection.execute(
            "INSERT INTO detectors VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "basis = excluded.basis, start = excluded.start, word = excluded.word, state = excluded.state",
            (*self.key, basis, start, word, state),
        )

    def usual(self, basis: str) -> bytes | None:
        """Return what was saved as usual upon a basis, None where nothing was."""
        row = self._connection.execute(
            "SELECT usual FROM detector_usual WHERE model = ? AND name = ? AND basis = ?", (*self.key, basis)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def write_usual(self, basis: str, usual: bytes) -> None:
        """Save what is usual upon a basis; what stood on another one is forgotten."""
        self._connection.execute("INSERT OR REPLACE INTO detector_usual VALUES (?, ?, ?, ?)", (*self.key, basis, usual))

    def keep(self, start: int, counts: Floats) -> None:
        """Keep a window to learn from."""
        packed = zlib.compress(counts.astype(np.float64).tobytes(), _ZLIB_LEVEL)
        self._connection.execute(
            "INSERT OR IGNORE INTO detector_window VALUES (?, ?, ?, ?)", (*self.key, start, packed)
        )

    def stretch(self) -> tuple[int, int, int]:
        """Return how many windows there are to learn from, and the starts of the first and the last; 0 for none."""
        count, first, last = self._connection.execute(
            "SELECT count(*), min(start), max(start) FROM detector_window WHERE model = ? AND name = ?", self.key
        ).fetchone()
        return count, first or 0, last or 0

    def kept(self) -> tuple[npt.NDArray[np.int64], Floats]:
        """Return the starts and counts of the windows to learn from, in order."""
        rows = self._connection.execute(
            "SELECT start, counts FROM detector_window WHERE model = ? AND name = ? ORDER BY start", self.key
        ).fetchall()
        starts = np.array([start for start, _ in rows], dtype=np.int64)
        counts = [np.frombuffer(zlib.decompress(packed), dtype=np.float64) for _, packed in rows]
        return starts, np.array(counts) if counts else np.zeros((0, 0))


def forget_detectors(connection: sqlite3.Connection, model: str, patterns: Sequence[str], before: int) -> set[str]:
    """Forget the vectors of counts of which no window was taken since `before`, and return their names.

    patterns: that their names fit, with a star for anything.
    """
    newest = (
        "SELECT name, max(start) AS newest FROM "
        "(SELECT name, start FROM detectors WHERE model = ?1 UNION ALL "
        "SELECT name, start FROM detector_window WHERE model = ?1) WHERE name GLOB ?2 GROUP BY name"
    )
    stale = {
        name
        for pattern in patterns
        for name, start in connection.execute(newest, (model, pattern)).fetchall()
        if start < before
    }
    for table in ("detectors", "detector_usual", "detector_window"):
        connection.executemany(
            f"DELETE FROM {table} WHERE model = ? AND name = ?", [(model, name) for name in sorted(stale)]
        )
    return stale


def judged_since(connection: sqlite3.Connection, model: str, pattern: str, start: int) -> set[str]:
    """Return the names of a model's vectors of counts of which a window was taken that began after `start`.

    pattern: that names fit, with a star for anything.
    """
    rows = connection.execute(
        "SELECT name FROM detectors WHERE model = ? AND name GLOB ? AND start > ?", (model, pattern, start)
    )
    return {name for (name,) in rows}
