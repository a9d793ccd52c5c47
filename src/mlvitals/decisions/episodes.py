"""Episodes: one incident is one page, however many detectors, features and models see it.

    episodes = Episodes(connection)  # all that it knows is in the state: made anew wherever it is needed

    # in the transaction in which a window of a model closes, with what its detectors say:
    happenings = episodes.take(Span(model, start, end), findings, recoveries, origin=groups.told, quiets=quiets)

    # in any transaction, as often as the job comes round: what people said since
    happenings = episodes.heed()

    # what the statuses of a model's measurements are to say
    episodes.lasting(model)  # {source: Lasting(episode, leads, silenced)}

Everything happens in the caller's transaction, and is a function of what was taken and said, in that order: the same
input makes the same episodes with the same ids. `Happening.what.pages` tells whether somebody is woken; every happening
is to be told as a log record. Detectors that a person has told to learn anew are asked for by `words.rebases`.

`origin` gives what is known of a feature's group (`group`, `group_owner`, `upstream`), as `FeatureGroups.told` does.
`quiets` are the stretches after change events of the model: a finding whose onset lies in one is told, and does not
page for as long as it lasts.

A detector that says nothing any more (its version has gone) must be given a `Recovery`, or its episode stays open until
a person accepts it.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mlvitals.clock import DAY
from mlvitals.decisions.episode import Ending, Happening, Quiet, Span, What
from mlvitals.decisions.episode_rows import (
    PARTS_TOLD,
    decode_finding,
    decode_origin,
    encode,
    end_if_over,
    is_silenced,
    read_episode,
    source_row,
)
from mlvitals.decisions.finding import Detector, Finding, Recovery, Source
from mlvitals.decisions.heeding import heed_words, silence_latch
from mlvitals.decisions.placing import find_place, kin_of
from mlvitals.decisions.words import longest, silences
from mlvitals.hashing import content_hash

# How long what has ended is remembered: a year of pages with their verdicts, and a month more to judge the last.
HORIZON: Final = 400 * DAY

Origin = Callable[[str | None], Mapping[str, str]]

_ID_DIGITS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasting:
    """A detector that has alarmed and not recovered.

    episode: of which it is part, None where it was silenced before it paged. leads: its model opened the episode, so
    that its status is `alert`; of others it stays at `warning`. silenced: it is muted or accepted, or came soon after a
    change.
    """

    episode: str | None
    leads: bool
    silenced: bool

    @property
    def alerts(self) -> bool:
        """Whether the status is `alert`."""
        return self.leads and not self.silenced


class Episodes:
    """The episodes of all models, over a connection to the state."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def take(
        self,
        span: Span,
        findings: Sequence[Finding],
        recoveries: Sequence[Recovery] = (),
        *,
        origin: Origin = lambda _: {},
        quiets: Iterable[Quiet] = (),
    ) -> list[Happening]:
        """Take what the detectors of a model say as a window closes; return what that does to episodes, in order.

        Windows of one model are taken in the order of their ends. Those of different models may come in any order.
        """
        happenings = [happening for one in recoveries for happening in self._recover(one)]
        self._observe(span)
        happenings += self._resume(span)
        quiets = tuple(quiets)
        for finding in findings:
            source = finding.source
            feature = source.subject if source.detector is Detector.FEATURE else None
            happenings.append(self._find(finding, dict(origin(feature)), span.end, quiets))
        return happenings

    def heed(self) -> list[Happening]:
        """Do what people said since the last time; return what that does to episodes, and the words themselves."""
        return heed_words(self._connection)

    def lasting(self, model: str) -> dict[Source, Lasting]:
        """Return the detectors of a model that have alarmed and not recovered."""
        query = """
            SELECT version, detector, subject, latch.episode, episode.model = latch.model, silence
            FROM latch LEFT JOIN episode ON episode.id = latch.episode WHERE latch.model = ?
            """
        return {
            Source(model, version, Detector(detector), subject): Lasting(
                episode=name, leads=bool(leads), silenced=name is None or silence is not None
            )
            for version, detector, subject, name, leads, silence in self._connection.execute(query, (model,))
        }

    def _observe(self, span: Span) -> None:
        """Note how far a model has been seen, and with it what lasts of it."""
        self._connection.execute(
            "INSERT INTO observed VALUES (?1, ?2, ?3) "
            "ON CONFLICT (model) DO UPDATE SET first = min(first, ?2), last = max(last, ?3)",
            (span.model, span.start, span.end),
        )
        self._connection.execute(
            "UPDATE episode SET seen = max(seen, ?2) "
            "WHERE id IN (SELECT episode FROM latch WHERE model = ?1 AND episode IS NOT NULL)",
            (span.model, span.end),
        )

    def _recover(self, recovery: Recovery) -> Iterator[Happening]:
        row = self._connection.execute(
            "DELETE FROM latch WHERE (model, version, detector, subject) = (?, ?, ?, ?) RETURNING episode, number",
            source_row(recovery.source),
        ).fetchone()
        if row is None or row[0] is None:
            return
        name, number = row
        self._connection.execute(
            "UPDATE episode_part SET over = ? WHERE episode = ? AND number = ?", (recovery.end, name, number)
        )
        if end_if_over(self._connection, name, recovery.end, Ending.RECOVERED):
            episode = read_episode(self._connection, name)
            yield Happening(what=What.CLOSED, model=recovery.source.model, time=recovery.end, episode=episode)

    def _resume(self, span: Span) -> Iterator[Happening]:
        """Page for what was silenced up to now and still lasts."""
        query = """
            SELECT episode, silence, finding, origin FROM latch
            WHERE model = ? AND silence IS NOT NULL ORDER BY version, detector, subject
            """
        latched = self._connection.execute(query, (span.model,)).fetchall()
        standing = silences(self._connection, span.model) if latched else []
        for name, silence, finding, origin in (
            (name, silence, decode_finding(finding), decode_origin(origin))
            for name, silence, finding, origin in latched
        ):
            word = longest(standing, finding.source, span.end)
            if word is not None:
                if word.sequence != silence:
                    silence_latch(self._connection, finding.source, word.sequence)
            elif name is None:
                yield self._place(finding, origin, span.end)
            else:
                again = is_silenced(self._connection, name)
                silence_latch(self._connection, finding.source, None)
                if again:
                    yield self._happening(What.REPEATED, name, finding, origin, span.end)

    def _find(self, finding: Finding, origin: Mapping[str, str], at: int, quiets: Sequence[Quiet]) -> Happening:
        row = self._connection.execute(
            "SELECT episode, silence FROM latch WHERE (model, version, detector, subject) = (?, ?, ?, ?)",
            source_row(finding.source),
        ).fetchone()
        if row is not None and row[0] is not None:  # it alarms once more, having told of no recovery
            self._add(row[0], finding, origin, at, row[1])
            return self._happening(What.JOINED, row[0], finding, origin, at)
        word = longest(silences(self._connection, finding.source.model), finding.source, at)
        quiet = next((one for one in quiets if one.covers(finding)), None)
        if word is None and quiet is None:
            return self._place(finding, origin, at)
        # What follows a change does not page for as long as it lasts, whatever else is said of it.
        self._latch(finding, origin, (None, None, None if word is None or quiet is not None else word.sequence))
        return Happening(
            what=What.SILENCED,
            model=finding.source.model,
            time=at,
            finding=finding,
            origin=origin,
            word=word,
            quiet=quiet,
        )

    def _place(self, finding: Finding, origin: Mapping[str, str], at: int) -> Happening:
        """Let a finding join the episode that it belongs to, or begin one."""
        name = find_place(self._connection, finding, origin, at)
        if name is None:
            name = self._open(finding, at)
            what = What.OPENED
        else:
            what = What.REPEATED if is_silenced(self._connection, name) else What.JOINED
        self._add(name, finding, origin, at)
        return self._happening(what, name, finding, origin, at)

    def _open(self, finding: Finding, at: int) -> str:
        self._forget(finding.source.model, at - HORIZON)
        name = content_hash(encode(finding), str(at).encode())[:_ID_DIGITS]
        self._connection.execute(
            "INSERT INTO episode VALUES (?, ?, ?, ?, ?, NULL, NULL, 0)",
            (name, finding.source.model, finding.onset, at, at),
        )
        return name

    def _add(self, name: str, finding: Finding, origin: Mapping[str, str], at: int, silence: int | None = None) -> None:
        (findings,) = self._connection.execute(
            "UPDATE episode SET findings = findings + 1, until = NULL, ending = NULL, seen = max(seen, ?2) "
            "WHERE id = ?1 RETURNING findings",
            (name, at),
        ).fetchone()
        model = finding.source.model
        self._connection.execute(
            "INSERT INTO episode_part VALUES (?, ?, ?, ?, NULL, ?, ?)",
            (name, findings, model, at, encode(finding), encode(origin)),
        )
        self._connection.execute("INSERT OR IGNORE INTO episode_model VALUES (?, ?, ?)", (name, model, at))
        kin = [(one, name) for one in kin_of(finding, origin)]
        self._connection.executemany("INSERT OR IGNORE INTO episode_kin VALUES (?, ?)", kin)
        self._latch(finding, origin, (name, findings, silence))

    def _latch(
        self, finding: Finding, origin: Mapping[str, str], where: tuple[str | None, int | None, int | None]
    ) -> None:
        """Note that a detector has alarmed: in which part of which episode, silenced by which word."""
        row = source_row(finding.source)
        before = self._connection.execute(
            "DELETE FROM latch WHERE (model, version, detector, subject) = (?, ?, ?, ?) RETURNING episode, number", row
        ).fetchone()
        if before is not None:
            self._connection.execute(
                "UPDATE episode_part SET over = ? WHERE (episode, number) = (?, ?)", (finding.end, *before)
            )
        self._connection.execute(
            "INSERT INTO latch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, *where, encode(finding), encode(origin))
        )

    def _happening(self, what: What, name: str, finding: Finding, origin: Mapping[str, str], at: int) -> Happening:
        told = PARTS_TOLD if what.pages else 1  # what leads it: of a thousand that join each needs no more
        episode = read_episode(self._connection, name, told=told)
        model = finding.source.model
        return Happening(what=what, model=model, time=at, episode=episode, finding=finding, origin=origin)

    def _forget(self, model: str, before: int) -> None:
        """Forget what a model opened and what ended before a time; another one's events may be of another year."""
        query = "SELECT id FROM episode WHERE model = ? AND until < ?"
        for (name,) in self._connection.execute(query, (model, before)).fetchall():
            for table in ("episode_part", "episode_model", "episode_kin", "episode_harm"):
                self._connection.execute(f"DELETE FROM {table} WHERE episode = ?", (name,))
            self._connection.execute("DELETE FROM episode WHERE id = ?", (name,))
