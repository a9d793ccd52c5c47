"""Episodes as they are kept in the state."""

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from mlvitals.decisions.episode import Ending, Episode, Harm, Part
from mlvitals.decisions.finding import Finding, Source

PARTS_TOLD: Final = 20  # of an episode, and of its models; one dead feature store has thousands

_COLUMNS: Final = """
    id, model, since, opened, seen, until, ending, findings, (SELECT harm FROM episode_harm WHERE episode = id)
    """


def read_episode(connection: sqlite3.Connection, name: str, *, told: int = PARTS_TOLD) -> Episode:
    """Return the episode with this id, and as many of its findings and models as are to be told.

    Raises:
        KeyError: there is none, or it was forgotten.

    """
    row = connection.execute(f"SELECT {_COLUMNS} FROM episode WHERE id = ?", (name,)).fetchone()
    if row is None:
        raise KeyError(name)
    return _episode(connection, row, told)


def read_episodes(connection: sqlite3.Connection, model: str | None = None) -> Iterator[Episode]:
    """Yield all episodes that are remembered: those that are open first, then the newest; of one model, or of all."""
    query = f"""
        SELECT {_COLUMNS} FROM episode
        WHERE ?1 IS NULL OR id IN (SELECT episode FROM episode_model WHERE model = ?1)
        ORDER BY until IS NOT NULL, opened DESC, id
        """
    for row in connection.execute(query, (model,)).fetchall():
        yield _episode(connection, row, PARTS_TOLD)


def open_episodes(connection: sqlite3.Connection) -> list[Episode]:
    """Return the episodes that are open, the newest first."""
    query = f"SELECT {_COLUMNS} FROM episode WHERE until IS NULL ORDER BY opened DESC, id"
    return [_episode(connection, row, PARTS_TOLD) for row in connection.execute(query).fetchall()]


def keep_harm(connection: sqlite3.Connection, episode: str, harm: Harm) -> None:
    """Keep what is at stake as an episode pages; what was kept when it first did stays."""
    connection.execute("INSERT OR IGNORE INTO episode_harm VALUES (?, ?)", (episode, msgspec.json.encode(harm)))


def encode(what: Finding | Mapping[str, str]) -> bytes:
    """Return a finding, or what is told of its group, as it is kept."""
    return msgspec.json.encode(what, order="deterministic")


def decode_finding(document: bytes) -> Finding:
    """Return a finding that was kept."""
    return msgspec.json.decode(document, type=Finding)


def decode_origin(document: bytes) -> Mapping[str, str]:
    """Return what was told of a finding's group."""
    return msgspec.json.decode(document, type=dict[str, str])


def source_row(source: Source) -> tuple[str, str, str, str]:
    """Return a detector as it stands in a row."""
    return source.model, source.version, source.detector.value, source.subject


def is_silenced(connection: sqlite3.Connection, name: str) -> bool:
    """Tell whether an episode lasts, and all that lasts of it is muted."""
    query = "SELECT count(*), count(silence) FROM latch WHERE episode = ?"
    lasting, silenced = connection.execute(query, (name,)).fetchone()
    return bool(lasting) and lasting == silenced


def end_if_over(connection: sqlite3.Connection, name: str, at: int, ending: Ending) -> bool:
    """End an episode of which nothing lasts any more; tell whether it did."""
    query = """
        UPDATE episode SET until = max(seen, ?2), seen = max(seen, ?2), ending = ?3 WHERE id = ?1 AND until IS NULL
        AND NOT EXISTS (SELECT 1 FROM episode_part WHERE episode = ?1 AND over IS NULL) RETURNING id
        """
    return connection.execute(query, (name, at, ending)).fetchone() is not None


def _episode(
    connection: sqlite3.Connection,
    row: tuple[str, str, int, int, int, int | None, str | None, int, bytes | None],
    told: int,
) -> Episode:
    name, model, since, opened, seen, until, ending, findings, harm = row
    query = "SELECT found, over, finding, origin FROM episode_part WHERE episode = ? ORDER BY number LIMIT ?"
    parts = [
        Part(finding=decode_finding(finding), origin=decode_origin(origin), found=found, over=over)
        for found, over, finding, origin in connection.execute(query, (name, told))
    ]
    query = "SELECT model FROM episode_model WHERE episode = ? ORDER BY model <> ?, joined, model LIMIT ?"
    models = [one for (one,) in connection.execute(query, (name, model, told))]
    return Episode(
        id=name,
        model=model,
        since=since,
        opened=opened,
        seen=seen,
        until=until,
        ending=None if ending is None else Ending(ending),
        findings=findings,
        parts=parts,
        models=models,
        silenced=is_silenced(connection, name),
        harm=None if harm is None else msgspec.json.decode(harm, type=Harm),
    )
