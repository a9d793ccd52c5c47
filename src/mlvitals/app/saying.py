"""A person's word on pages, put down whether or not a run is on; the run heeds it."""

import getpass
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final

from mlvitals.app.kept import keeping
from mlvitals.clock import SystemClock, format_time
from mlvitals.config import Config
from mlvitals.decisions.episode import Episode
from mlvitals.decisions.episode_rows import read_episodes
from mlvitals.decisions.episode_tables import MIGRATIONS
from mlvitals.decisions.episodes import Episodes
from mlvitals.decisions.finding import Source
from mlvitals.decisions.words import SILENCING, Kind, Word, put_down, read_words
from mlvitals.errors import ConfigError, StateError
from mlvitals.state.beside import writing_beside
from mlvitals.state.snapshot import SnapshotRacedError
from mlvitals.windows.kept_layouts import kept_layout

_TRIES: Final = 3
_NAMED: Final = 5
_LONGEST_REASON: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A word that was put down, and what lasts in its scope: each detector with its episode, None where it has none."""

    word: Word
    lasting: Mapping[Source, str | None]


def say(config: Config, make: Callable[[sqlite3.Connection], Word]) -> Said:
    """Put down the word that `make` makes of what the state knows, durably, and return it with its number.

    Where a state is kept in object storage, this is a change of its own to the snapshot: a run that began before finds
    itself overtaken, and is done again by the next one, which heeds the word.

    Raises:
        ConfigError: it speaks of what the state does not know.
        StateError: there is no state, or it cannot be written.

    """
    if config.state.url == "none":
        raise StateError("the state is kept nowhere (`state: none`): nobody would heed it")
    for _ in range(_TRIES - 1):
        with suppress(SnapshotRacedError):
            return _say(config, make)
    return _say(config, make)


def word_of(kind: Kind, reason: str) -> Word:
    """Return a word that is said now, by who is logged in.

    Raises:
        ConfigError: no reason is given.

    """
    reason = " ".join(reason.split())[:_LONGEST_REASON]
    if not reason:
        raise ConfigError("say why: `--reason` is empty")
    return Word(kind=kind, time=SystemClock().now(), user=user_name(), reason=reason)


def user_name() -> str:
    """Return who says it: the name under which this process runs, or the number where that has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container the number may be nobody's
        return f"uid {os.getuid()}"


def check_scope(connection: sqlite3.Connection, config: Config, model: str, feature: str) -> None:
    """Refuse a model that neither the state nor the configuration knows, or a feature that the model does not have.

    Raises:
        ConfigError: with the names that are nearest.

    """
    _check_name("model", model, _models(connection, config))
    if feature:
        _check_name(f"feature of {model}", feature, _features(connection, model))


def check_until(connection: sqlite3.Connection, model: str, until: int) -> None:
    """Refuse an end that has passed already, by the time of the model's windows.

    Raises:
        ConfigError: it has.

    """
    row = connection.execute("SELECT last FROM observed WHERE model = ?", (model,)).fetchone()
    if row is not None and until <= row[0]:
        raise ConfigError(
            f"`--until {format_time(until)}` has passed: windows of {model} are closed up to {format_time(row[0])}"
        )


def find_episode(connection: sqlite3.Connection, name: str) -> Episode:
    """Return the episode with this id, or the only one whose id begins like this.

    Raises:
        ConfigError: there is none, or several.

    """
    episodes = [*read_episodes(connection)]
    found = [one for one in episodes if one.id.startswith(name)]
    if name and len(found) == 1:
        return found[0]
    known = ", ".join(one.id for one in (found or episodes)[:_NAMED])
    several = "several episodes begin with" if found else "there is no episode"
    raise ConfigError(f"{several} `{name}`: {known or 'nothing has paged yet'}")


def find_silence(connection: sqlite3.Connection, number: int) -> Word:
    """Return the `accept --until` or `mute` with this number, that nobody has ended.

    Raises:
        ConfigError: there is none.

    """
    standing = silencing(connection)
    for word in standing:
        if word.sequence == number:
            return word
    known = ", ".join(str(word.sequence) for word in standing) or "nothing is muted"
    raise ConfigError(f"no word {number} keeps anything from paging: {known}")


def silencing(connection: sqlite3.Connection) -> list[Word]:
    """Return every `accept --until` and `mute` whose end the windows of its model have not reached, oldest first.

    Those that the run has not heeded yet are among them, and those that somebody has ended are not.
    """
    words = [*read_words(connection)]
    ended = {word.ends for word in words if word.kind is Kind.UNMUTE}
    reached = dict(connection.execute("SELECT model, last FROM observed"))
    standing = [word for word in words if word.kind in SILENCING and word.sequence not in ended]
    return [word for word in standing if word.model not in reached or word.end > reached[word.model]]


def _say(config: Config, make: Callable[[sqlite3.Connection], Word]) -> Said:
    with keeping(config) as kept:
        with writing_beside(kept.config.state.path, MIGRATIONS) as connection:
            made = make(connection)
            word = replace(made, sequence=put_down(connection, made))
            lasting = Episodes(connection).lasting(word.model)
        kept.keep()
    return Said(word=word, lasting={one: how.episode for one, how in lasting.items() if word.concerns(one)})


def _check_name(what: str, name: str, known: Iterable[str]) -> None:
    names = sorted(known)
    if name in names:
        return
    near = get_close_matches(name, names, n=_NAMED, cutoff=0.5) or names[:_NAMED]
    told = f"did you mean {' or '.join(f'`{one}`' for one in near)}?" if near else "the state knows none"
    raise ConfigError(f"there is no {what} `{name}`: {told}")


def _models(connection: sqlite3.Connection, config: Config) -> set[str]:
    query = " UNION ".join(f"SELECT model FROM {table}" for table in ("progress", "fault", "observed"))
    found = connection.execute(query)
    return {model.name for model in config.models}.union(name for (name,) in found)


def _features(connection: sqlite3.Connection, model: str) -> set[str]:
    """Return the features of a model's newest windows, and those of which anything was found."""
    query = """
        SELECT DISTINCT layout FROM cohort
        WHERE model = ?1 AND start = (SELECT max(start) FROM cohort WHERE model = ?1)
        """
    layouts = [kept_layout(connection, name) for (name,) in connection.execute(query, (model,)).fetchall()]
    latched = connection.execute("SELECT subject FROM latch WHERE model = ? AND detector = 'feature'", (model,))
    return {feature.name for layout in layouts for feature in layout.features}.union(name for (name,) in latched)
