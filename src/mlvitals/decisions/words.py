"""What a person says of pages: put down by any process, heeded by the one that runs, kept for good."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mlvitals.decisions.finding import Detector, Source


class Kind(StrEnum):
    """What can be said.

    accept: this is normal until a time. rebase: it is the new normal; detectors learn their level anew. mute: a known
    disturbance. unmute: the end of an earlier `accept` or `mute`. verdict: whether a page was a true one. drill: page
    until a time although nothing is wrong, to see whom it reaches.
    """

    ACCEPT = "accept"
    REBASE = "rebase"
    MUTE = "mute"
    UNMUTE = "unmute"
    VERDICT = "verdict"
    DRILL = "drill"


SILENCING: Final = (Kind.ACCEPT, Kind.MUTE)
TRUE: Final = "true"
FALSE: Final = "false"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a person said: who, when (microseconds since the epoch), what, and why.

    sequence: its place among all words, 0 until it is put down. model, feature, detector: of what, empty for every one.
    until: the end of an `accept`, a `mute` or a `drill`. onset: since when a `rebase` learns anew, known once it is
    heeded. episode, verdict: of a `verdict`. ends: the sequence of the word that an `unmute` ends.
    """

    kind: Kind
    time: int
    user: str
    reason: str
    model: str = ""
    feature: str = ""
    detector: str = ""
    until: int | None = None
    onset: int | None = None
    episode: str = ""
    verdict: str = ""
    ends: int | None = None
    sequence: int = 0
    heeded: bool = False

    @property
    def end(self) -> int:
        """The end of the newest window of which it speaks, of one without a time when it was said."""
        return self.time if self.until is None else self.until

    def concerns(self, source: Source) -> bool:
        """Tell whether a detector is within the scope of the word."""
        return (
            source.model == self.model
            and self.feature in ("", _feature(source))
            and self.detector in ("", source.detector.value)
        )


def put_down(connection: sqlite3.Connection, word: Word) -> int:
    """Keep a word in the caller's transaction, for the run to heed; return its place among all words."""
    place = connection.execute(
        "INSERT INTO word (kind, time, user, reason, model, feature, detector, until, episode, verdict, ends) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING sequence",
        (
            word.kind,
            word.time,
            word.user,
            word.reason,
            word.model,
            word.feature,
            word.detector,
            word.until,
            word.episode,
            word.verdict,
            word.ends,
        ),
    ).fetchone()
    return int(place[0])


def read_words(connection: sqlite3.Connection) -> Iterator[Word]:
    """Yield everything that was ever said, oldest first."""
    yield from _read(connection, "TRUE")


def unheeded(connection: sqlite3.Connection) -> list[Word]:
    """Return what was said and not heeded yet, oldest first."""
    return [*_read(connection, "heeded = 0")]


def silences(connection: sqlite3.Connection, model: str | None = None) -> list[Word]:
    """Return what keeps findings from paging, oldest first: of a model, or of all; their ends may have passed."""
    return [*_read(connection, "heeded = 1 AND silences = 1 AND (?1 IS NULL OR model = ?1)", (model,))]


def drills(connection: sqlite3.Connection, now: int) -> list[Word]:
    """Return the drills that last at a time by the clock, oldest first, whether or not the run has heeded them yet."""
    return [*_read(connection, "kind = 'drill' AND until > ?1", (now,))]


def longest(words: Sequence[Word], source: Source, at: int) -> Word | None:
    """Return the word that keeps a detector from paging in a window that ends at `at`, the one that lasts longest."""
    fitting = [word for word in words if word.concerns(source) and at <= word.end]
    return max(fitting, key=lambda word: (word.end, word.sequence), default=None)


def rebases(connection: sqlite3.Connection, model: str, after: int = 0) -> list[Word]:
    """Return the words by which detectors of a model learn their level anew, after a place among all words.

    What was heeded only, so that its `onset` is known: the earliest of what lasted in its scope, or of what was said
    where nothing did.
    """
    where = "heeded = 1 AND kind = 'rebase' AND model = ?1 AND sequence > ?2"
    return [*_read(connection, where, (model, after))]


def mark_heeded(connection: sqlite3.Connection, word: Word, onset: int | None) -> None:
    """Note that a word was heeded: it silences from now on if it is of that kind, or ends the one that does."""
    connection.execute(
        "UPDATE word SET heeded = 1, onset = ?, silences = ? WHERE sequence = ?",
        (onset, word.kind in SILENCING, word.sequence),
    )
    if word.kind is Kind.UNMUTE:
        connection.execute("UPDATE word SET silences = 0 WHERE sequence = ?", (word.ends,))


def _read(connection: sqlite3.Connection, where: str, values: tuple[object, ...] = ()) -> Iterator[Word]:
    names = "kind, time, user, reason, model, feature, detector, until, onset, episode, verdict, ends, sequence, heeded"
    rows = connection.execute(f"SELECT {names} FROM word WHERE {where} ORDER BY sequence", values)
    for kind, *texts, until, onset, episode, verdict, ends, sequence, heeded in rows.fetchall():
        time, user, reason, model, feature, detector = texts
        yield Word(
            kind=Kind(kind),
            time=time,
            user=user,
            reason=reason,
            model=model,
            feature=feature,
            detector=detector,
            until=until,
            onset=onset,
            episode=episode,
            verdict=verdict,
            ends=ends,
            sequence=sequence,
            heeded=bool(heeded),
        )


def _feature(source: Source) -> str:
    """Return the feature of a detector; what is no feature's is within no scope that names one."""
    return source.subject if source.detector is Detector.FEATURE else "\0"
