"""Which episode a finding belongs to: the rules by which one incident is one page."""

import sqlite3
from collections.abc import Mapping
from typing import Final

import msgspec

from mlvitals.clock import DAY
from mlvitals.decisions.episode import GROUP, UPSTREAM, Ending
from mlvitals.decisions.finding import Detector, Finding

_YOUNG_WINDOWS: Final = 3


def young(finding: Finding) -> int:
    """Return how long an incident goes on to show itself in other places: a day, or three windows if that is longer."""
    return max(DAY, _YOUNG_WINDOWS * (finding.end - finding.start))


def kin_of(finding: Finding, origin: Mapping[str, str]) -> list[str]:
    """Return what other findings of the same thing have in common with a finding.

    That is what is watched of the model, whatever the version; and what the feature's group is made from, or the group
    itself where nobody said. A model has one label feed, at whatever age its labels are missed. All features together
    are no thing of their own.
    """
    source = finding.source
    if source.detector is Detector.FEATURES:
        return []
    subject = "" if source.detector is Detector.COVERAGE else source.subject
    own = msgspec.json.encode([source.model, source.detector.value, subject]).decode()
    shared = [f"{kind}:{origin[kind]}" for kind in (UPSTREAM, GROUP) if kind in origin][:1]
    return [f"of:{own}", *shared]


def find_place(connection: sqlite3.Connection, finding: Finding, origin: Mapping[str, str], at: int) -> str | None:
    """Return the episode that a finding joins, None where it begins one of its own.

    at: end of the window in which it comes. The newest of those that fit (by 3 the nearest), in this order:

    1. one that is open, of the same model, with a finding of the same thing, the same group or the same upstream; for
       all features together, one with a finding of this window, which is most of what they show;
    2. one that another model has, of the same upstream, or of the same group where nobody named one, at the same time;
    3. one that the same model has, that was not over when what was found began, and began no longer before it than a
       day, or three windows if that is longer; and no longer after it, unless the model joined it within that time.

    Onsets count, however late something is found: what was predicted in an outage is judged when its labels come, weeks
    after it was over, and is of that outage.
    """
    kin = kin_of(finding, origin)
    return (
        (_of_kin(connection, finding, kin) if kin else _of_features(connection, finding.source.model, at))
        or (_of_others(connection, finding, kin[-1], at) if len(kin) > 1 else None)
        or _contemporary(connection, finding, at)
    )


def _of_kin(connection: sqlite3.Connection, finding: Finding, kin: list[str]) -> str | None:
    query = f"""
        SELECT episode.id FROM episode_kin JOIN episode ON episode.id = episode_kin.episode
        WHERE kin IN ({", ".join("?" * len(kin))}) AND until IS NULL
        AND EXISTS (SELECT 1 FROM episode_model WHERE episode = episode.id AND episode_model.model = ?)
        ORDER BY opened DESC, id LIMIT 1
        """
    return _first(connection.execute(query, (*kin, finding.source.model)))


def _of_features(connection: sqlite3.Connection, model: str, at: int) -> str | None:
    query = """
        SELECT episode.id FROM episode_model JOIN episode ON episode.id = episode_model.episode
        JOIN episode_part ON episode_part.episode = episode.id
        WHERE episode_model.model = ?1 AND episode_part.model = ?1 AND found = ?2 AND until IS NULL
        ORDER BY opened DESC, episode.id LIMIT 1
        """
    return _first(connection.execute(query, (model, at)))


def _of_others(connection: sqlite3.Connection, finding: Finding, shared: str, at: int) -> str | None:
    """Return an episode of the same upstream whose time overlaps, be it that other models are ahead or behind.

    An onset that is estimated to lie long ago says little of what others saw then: no more than a day of it counts. One
    that is open reaches a day beyond where it was last seen, for the other model may not have come further yet.
    """
    reach = young(finding)
    query = """
        SELECT episode.id FROM episode_kin JOIN episode ON episode.id = episode_kin.episode
        WHERE kin = ?1 AND since < ?2 AND coalesce(until, seen + ?3) > ?4 AND ending IS NOT ?5
        AND (until IS NULL OR NOT EXISTS
            (SELECT 1 FROM episode_model WHERE episode = episode.id AND episode_model.model = ?6))
        ORDER BY until IS NOT NULL, opened DESC, id LIMIT 1
        """
    began = max(finding.onset, at - reach)
    return _first(connection.execute(query, (shared, at, reach, began, Ending.ACCEPTED, finding.source.model)))


def _contemporary(connection: sqlite3.Connection, finding: Finding, at: int) -> str | None:
    """Return an episode of the same model that began when what was found did, as far as onsets can be told.

    An onset is estimated too early more often than too late: what began long before an episode, by its own estimate,
    may still be of it where both are found together. What began long after it is not: an outage would be hidden in a
    drift that happens to page a day earlier. What was silenced is told with all else that is told then.
    """
    query = """
        SELECT episode.id FROM episode_model JOIN episode ON episode.id = episode_model.episode
        WHERE episode_model.model = ?1 AND (since >= ?2 - ?3 OR ?6)
        AND (since <= ?2 + ?3 OR joined BETWEEN ?4 - ?3 AND ?4)
        AND (until IS NULL OR (ending = ?5 AND until > ?2))
        ORDER BY abs(since - ?2), opened DESC, id LIMIT 1
        """
    was_silenced = finding.end < at
    values = finding.source.model, finding.onset, young(finding), at, Ending.RECOVERED, was_silenced
    return _first(connection.execute(query, values))


def _first(rows: sqlite3.Cursor) -> str | None:
    row = rows.fetchone()
    return None if row is None else str(row[0])
