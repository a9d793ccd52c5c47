"""Rows that wait: held back by `--until`, served while a reference is being learnt, or of a model that cannot run."""

import sqlite3
from collections.abc import Iterator

import pyarrow as pa
from pyarrow import ipc

_OPTIONS = ipc.IpcWriteOptions(compression="zstd")


def encode_rows(batch: pa.RecordBatch) -> bytes:
    """Return a batch as bytes that need nothing else to be read."""
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, batch.schema, options=_OPTIONS) as writer:
        writer.write_batch(batch)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def decode_rows(data: bytes) -> pa.RecordBatch:
    """Return the batch that `encode_rows` was given."""
    with ipc.open_stream(data) as reader:
        return reader.read_next_batch()


def hold(connection: sqlite3.Connection, source: str, model: str, event: str, batch: pa.RecordBatch) -> int:
    """Put rows aside until they may be counted; return the bytes that they take.

    `model` is set where only this model waits for them.
    """
    if not batch.num_rows:
        return 0
    data = encode_rows(batch)
    connection.execute(
        "INSERT INTO held (source, model, event, rows, batch) VALUES (?, ?, ?, ?, ?)",
        (source, model, event, batch.num_rows, data),
    )
    return len(data)


def held_bytes(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the bytes that wait for models that cannot run."""
    return dict(
        connection.execute(
            "SELECT model, sum(length(batch)) FROM held WHERE model IN (SELECT model FROM fault) GROUP BY model"
        )
    )


def held_sequences(connection: sqlite3.Connection, model: str) -> list[int]:
    """Return the waiting batches in order: of one model, or (model "") those that wait for the clock."""
    rows = connection.execute("SELECT sequence FROM held WHERE model = ? ORDER BY sequence", (model,))
    return [sequence for (sequence,) in rows]


def release(connection: sqlite3.Connection, sequence: int) -> tuple[str, str, pa.RecordBatch]:
    """Take a waiting batch out: its source, its kind of event and its rows."""
    source, event, data = connection.execute(
        "DELETE FROM held WHERE sequence = ? RETURNING source, event, batch", (sequence,)
    ).fetchone()
    return source, event, decode_rows(data)


def spool(connection: sqlite3.Connection, model: str, batch: pa.RecordBatch) -> int:
    """Keep rows that a reference will be learnt from; return the bytes that they take."""
    data = encode_rows(batch)
    connection.execute("INSERT INTO learning (model, rows, batch) VALUES (?, ?, ?)", (model, batch.num_rows, data))
    return len(data)


def spooled(connection: sqlite3.Connection, model: str) -> Iterator[pa.RecordBatch]:
    """Yield the rows kept for a model, in order."""
    sequences = connection.execute(
        "SELECT sequence FROM learning WHERE model = ? ORDER BY sequence", (model,)
    ).fetchall()
    for (sequence,) in sequences:
        (data,) = connection.execute("SELECT batch FROM learning WHERE sequence = ?", (sequence,)).fetchone()
        yield decode_rows(data)


def forget_spooled(connection: sqlite3.Connection, model: str) -> None:
    """Delete the rows kept for a model."""
    connection.execute("DELETE FROM learning WHERE model = ?", (model,))
