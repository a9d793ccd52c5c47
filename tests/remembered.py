"""What a state remembers by id, row by row, whatever parts it is kept in."""

import sqlite3
from typing import Any

from mlvitals.windows.coded import Lexicon
from mlvitals.windows.memory import Memory
from mlvitals.windows.remembered_rows import LABEL, PREDICTION

Rows = list[tuple[Any, ...]]


def read_remembered(connection: sqlite3.Connection) -> dict[str, Rows]:
    """Return the predictions (model, id, version, time, start, …) and the labels (model, id, time, …), in order."""
    predictions: Rows = []
    labels = connection.execute("SELECT model, id, time, content, version, amount, source FROM label").fetchall()
    for (model,) in connection.execute("SELECT model FROM memory").fetchall():
        lexicon = Lexicon()
        memory = Memory(connection, model, lexicon)
        memory.refresh()
        rows = memory.predictions.all()
        predictions += zip(
            *([model] * len(rows), _ids(rows)),
            lexicon.decode(rows["version"]).to_list(),
            *(rows[name].tolist() for name in ("time", "start", "uncounted", "fingerprint", "until")),
            map(str, rows["score"].tolist()),
            lexicon.decode(rows["decision"]).to_list(),
            map(str, rows["amount"].tolist()),
            lexicon.decode(rows["segments"]).to_list(),
            memory.vectors(rows),
            strict=True,
        )
        rows = memory.labels.all()
        kept = zip(
            *([model] * len(rows), _ids(rows), rows["time"].tolist()),
            lexicon.read_cells(rows["content"], rows["content_kind"]).to_list(),
            lexicon.decode(rows["version"]).to_list(),
            lexicon.read_cells(rows["amount"], rows["amount_kind"]).to_list(),
            lexicon.decode(rows["source"]).to_list(),
            strict=True,
        )
        labels += set(kept)  # one that is kept for longer now stands there twice
    return {PREDICTION.name: sorted(predictions, key=repr), LABEL.name: sorted(labels, key=repr)}


def _ids(rows: Any) -> list[bytes]:
    return [
        head.to_bytes(8, "big") + tail.to_bytes(8, "big")
        for head, tail in zip(rows["head"].tolist(), rows["tail"].tolist(), strict=True)
    ]
