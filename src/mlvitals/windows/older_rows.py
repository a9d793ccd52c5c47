"""What a state remembered row by row before `memory`: read once, so that no open prediction is lost to an update."""

import sqlite3
from collections.abc import Iterator
from typing import Final

import numpy as np

from mlvitals.windows.coded import Coded
from mlvitals.windows.predictions import Predictions

_ROWS_AT_ONCE: Final = 65_536
_COLUMNS: Final = (
    "id, version, time, start, uncounted, fingerprint, score, decision, amount, segments, probabilities FROM prediction"
)


def take_older_rows(connection: sqlite3.Connection, model: str) -> Iterator[Predictions]:
    """Yield the predictions that are remembered row by row, which are there no more then."""
    query = f"SELECT {_COLUMNS} WHERE model = ? ORDER BY id, version LIMIT ?"
    while rows := connection.execute(query, (model, _ROWS_AT_ONCE)).fetchall():
        ids, versions, times, starts, uncounted, contents, scores, decisions, amounts, segments, vectors = zip(
            *rows, strict=True
        )
        connection.executemany(
            "DELETE FROM prediction WHERE model = ? AND id = ? AND version = ?",
            ((model, one, version) for one, version in zip(ids, versions, strict=True)),
        )
        yield Predictions(
            ids=np.frombuffer(b"".join(ids), dtype=">u8").astype(np.uint64).reshape(-1, 2),
            versions=Coded.of(versions),
            times=np.array(times, dtype=np.int64),
            starts=np.array(starts, dtype=np.int64),
            uncounted=np.array(uncounted, dtype=bool),
            fingerprints=np.array(contents, dtype=np.int64),
            scores=np.array(scores, dtype=np.float64),  # None becomes NaN
            decisions=Coded.of(decisions),
            amounts=np.array(amounts, dtype=np.float64),
            segments=Coded.of(segments),
            vectors=vectors,
            propensities=np.zeros(len(ids)),
        )
