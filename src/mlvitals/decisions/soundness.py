"""Whether what the state keeps of episodes and detectors can be read, and fits together."""

import sqlite3
import zlib
from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np

from mlvitals.decisions.episode_rows import decode_finding, decode_origin

_NUMBER: Final = np.dtype(np.float64).itemsize


def unsound_decisions(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield a line for every episode and every detector of which something cannot be read, or is not there."""
    yield from _episodes(connection)
    yield from _latches(connection)
    yield from _detectors(connection)


def _episodes(connection: sqlite3.Connection) -> Iterator[str]:
    query = "SELECT id, findings, count(number) FROM episode LEFT JOIN episode_part ON episode = id GROUP BY id"
    for name, told, found in connection.execute(query):
        if told != found:
            yield f"episode {name}: has {found} of its {told} findings"
    query = "SELECT DISTINCT episode FROM episode_part WHERE episode NOT IN (SELECT id FROM episode) ORDER BY 1"
    for (name,) in connection.execute(query):
        yield f"episode {name}: has findings and is not there"
    query = "SELECT episode, finding, origin FROM episode_part ORDER BY episode, number"
    for name in dict.fromkeys(name for name, *documents in connection.execute(query) if not _readable(*documents)):
        yield f"episode {name}: a finding of it cannot be read"
    query = (
        "SELECT id FROM episode WHERE until IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM latch WHERE latch.episode = episode.id) ORDER BY id"
    )
    for (name,) in connection.execute(query):
        yield f"episode {name}: is open, and nothing of it lasts"


def _latches(connection: sqlite3.Connection) -> Iterator[str]:
    query = (
        "SELECT latch.model, detector, subject, latch.finding, latch.origin, latch.episode, part.number "
        "FROM latch LEFT JOIN episode_part AS part "
        "ON (part.episode, part.number) = (latch.episode, latch.number) AND part.over IS NULL ORDER BY 1, 2, 3"
    )
    for model, detector, subject, finding, origin, episode, part in connection.execute(query):
        what = f"model {model}: the alarm of {' '.join(filter(None, (detector, subject)))}"
        if not _readable(finding, origin):
            yield f"{what} cannot be read"
        if episode is not None and part is None:
            yield f"{what} is no lasting part of its episode {episode}"


def _detectors(connection: sqlite3.Connection) -> Iterator[str]:
    tables = (
        ("detectors", "state", _numbers),
        ("detector_window", "counts", _numbers),
        ("detector_usual", "usual", _map),
    )
    for table, column, reads in tables:
        query = f"SELECT model, name, {column} FROM {table} ORDER BY 1, 2"
        wrong = ((model, name) for model, name, packed in connection.execute(query) if not reads(packed))
        for model, name in dict.fromkeys(wrong):
            yield f"model {model}: what the detectors of {name} keep cannot be read ({column})"


def _readable(finding: bytes, origin: bytes) -> bool:
    try:
        decode_finding(finding)
        decode_origin(origin)
    except msgspec.DecodeError:
        return False
    return True


def _numbers(packed: bytes) -> bool:
    try:
        return len(zlib.decompress(packed)) % _NUMBER == 0
    except zlib.error:
        return False


def _map(packed: bytes) -> bool:
    try:
        return isinstance(msgspec.msgpack.decode(packed), dict)
    except msgspec.DecodeError:
        return False
