"""What people's words do to what lasts: latches are let go or silenced, episodes end as accepted."""

import sqlite3
from collections.abc import Iterator

from mlvitals.decisions.episode import Ending, Happening, What
from mlvitals.decisions.episode_rows import decode_finding, end_if_over, read_episode, source_row
from mlvitals.decisions.finding import Finding, Source
from mlvitals.decisions.words import Kind, Word, longest, mark_heeded, silences, unheeded


def heed_words(connection: sqlite3.Connection) -> list[Happening]:
    """Do what was said and not heeded yet, in the order in which it was; return the words, and what they did."""
    return [happening for word in unheeded(connection) for happening in _heed(connection, word)]


def silence_latch(connection: sqlite3.Connection, source: Source, word: int | None) -> None:
    """Note by which word a detector that has alarmed is silenced, or that it is not any more."""
    connection.execute(
        "UPDATE latch SET silence = ? WHERE (model, version, detector, subject) = (?, ?, ?, ?)",
        (word, *source_row(source)),
    )


def _heed(connection: sqlite3.Connection, word: Word) -> Iterator[Happening]:
    lasting = [finding for finding in _latched(connection, word.model) if word.concerns(finding.source)]
    onset = min((finding.onset for finding in lasting), default=word.time) if word.kind is Kind.REBASE else None
    mark_heeded(connection, word, onset)
    yield Happening(what=What.SAID, model=word.model, time=word.time, word=word)
    if word.kind is Kind.MUTE:
        _mute(connection, word, lasting)
    elif word.kind in (Kind.ACCEPT, Kind.REBASE):
        yield from _accept(connection, word, lasting)


def _latched(connection: sqlite3.Connection, model: str) -> list[Finding]:
    query = "SELECT finding FROM latch WHERE model = ? ORDER BY version, detector, subject"
    return [decode_finding(document) for (document,) in connection.execute(query, (model,))]


def _mute(connection: sqlite3.Connection, word: Word, lasting: list[Finding]) -> None:
    """Have what lasts page at the end of the word; what is silenced for longer, or for good, stays so."""
    standing = silences(connection, word.model)
    for finding in lasting:
        best = longest(standing, finding.source, word.end)
        query = """
            UPDATE latch SET silence = ? WHERE (model, version, detector, subject) = (?, ?, ?, ?)
            AND (episode IS NOT NULL OR silence IS NOT NULL)
            """
        connection.execute(query, (None if best is None else best.sequence, *source_row(finding.source)))


def _accept(connection: sqlite3.Connection, word: Word, lasting: list[Finding]) -> Iterator[Happening]:
    """Take what lasts out of its episode; until a time it waits silenced, else its detector begins anew."""
    ended = []
    for finding in lasting:
        row = source_row(finding.source)
        where = "(model, version, detector, subject) = (?, ?, ?, ?)"
        name, number = connection.execute(f"SELECT episode, number FROM latch WHERE {where}", row).fetchone()
        if word.kind is Kind.REBASE:
            connection.execute(f"DELETE FROM latch WHERE {where}", row)
        else:
            change = f"UPDATE latch SET episode = NULL, number = NULL, silence = ? WHERE {where}"
            connection.execute(change, (word.sequence, *row))
        if name is not None:
            ended.append((name, number))
    for name, number in ended:
        query = (
            "UPDATE episode_part SET over = (SELECT seen FROM episode WHERE id = ?1) WHERE episode = ?1 AND number = ?2"
        )
        connection.execute(query, (name, number))
    for name in dict.fromkeys(name for name, _ in ended):
        if end_if_over(connection, name, 0, Ending.ACCEPTED):
            episode = read_episode(connection, name)
            yield Happening(what=What.CLOSED, model=word.model, time=episode.seen, episode=episode, word=word)
