"""Which models run, which cannot and why, and the rows that wait for those until they are well."""

import sqlite3
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from mlvitals.engines.account import Account
from mlvitals.engines.closing import Closer
from mlvitals.engines.deciding import Deciding
from mlvitals.engines.judging import Judge
from mlvitals.engines.model import ModelRun
from mlvitals.engines.waiting import held_bytes, hold
from mlvitals.errors import MlvitalsError
from mlvitals.events import Disposition
from mlvitals.state import Migrations

MIGRATIONS: Final = Migrations(
    owner="roster",
    steps=(
        (
            "CREATE TABLE discovered (model TEXT PRIMARY KEY, sequence INTEGER NOT NULL) STRICT, WITHOUT ROWID",
            """
            CREATE TABLE fault (
                model TEXT PRIMARY KEY,
                cause TEXT NOT NULL,
                since INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID
            """,
        ),
    ),
)

# Compressed rows that wait for models that cannot run. A disk has room for as much as a reference may be learnt from;
# one model may take a quarter, so that it leaves room for others that break with it.
WAITING_BYTES: Final = 1 << 30
WAITING_BYTES_OF_MODEL: Final = WAITING_BYTES // 4


@dataclass(frozen=True, slots=True)
class Member:
    """A model that can run, how it is measured, and what decides whether it pages."""

    run: ModelRun
    judge: Judge
    deciding: Deciding


Admit = Callable[[str], Member | str | None]
"""Asked for a model by its name: it, why it cannot run, or None where it is none of ours."""


def nobody(_name: str) -> None:
    """Admit no model."""


class Roster:
    """The models of one engine. Every call belongs into the caller's transaction.

    Args:
        members: those that run, by name. faults: why others cannot. admit: asked for a name that is in neither.

    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        account: Account,
        *,
        members: Mapping[str, Member],
        faults: Mapping[str, str],
        admit: Admit,
    ) -> None:
        self.runs: dict[str, ModelRun] = {}
        self.closers: dict[str, Closer] = {}
        self.faults: dict[str, str] = dict(faults)
        self._connection = connection
        self._account = account
        self._admit = admit
        self._waiting = Counter(held_bytes(connection))
        for name, member in members.items():
            self._add(name, member)

    def find(self, name: str, now: int) -> ModelRun | None:
        """Return a model that runs, one that joins now among them."""
        if name not in self.runs and name not in self.faults:
            found = self._admit(name)
            if isinstance(found, Member):
                self._add(name, found)
            elif found is not None:
                self.note(name, found, now)
        return self.runs.get(name)

    def noted(self) -> list[str]:
        """Return the models that could not run when last seen, for which rows may wait, in order."""
        return [name for (name,) in self._connection.execute("SELECT model FROM fault ORDER BY model")]

    def note(self, name: str, cause: str, now: int) -> None:
        """Note that a model cannot run, since now if it could before."""
        self.faults[name] = cause
        self._connection.execute(
            "INSERT INTO fault VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET cause = excluded.cause", (name, cause, now)
        )

    def forgive(self, name: str) -> None:
        """Note that a model that could not run is well, or none of ours any more, and nothing waits for it."""
        self._connection.execute("DELETE FROM fault WHERE model = ?", (name,))

    def fail(self, name: str, error: Exception, now: int) -> None:
        """Take a model out, whose memory is ahead of its state now."""
        del self.runs[name], self.closers[name]
        self.note(name, cause_of(error), now)

    def hold(self, source: str, event: str, name: str, batch: pa.RecordBatch) -> None:
        """Put rows of a model that cannot run aside, as far as the bounds leave room; what is beyond is dropped.

        A bound is passed by one batch at most. Once it is, nothing is held any more: that way what waits has no holes.
        """
        if self._waiting[name] < WAITING_BYTES_OF_MODEL and self._waiting.total() < WAITING_BYTES:
            self._waiting[name] += hold(self._connection, source, name, event, batch)
        else:
            self._account.add(source, event, name, Disposition.DROPPED, batch.num_rows)

    def _add(self, name: str, member: Member) -> None:
        self.runs[name] = member.run
        self.closers[name] = Closer(member.run, member.judge, member.deciding)


def cause_of(error: Exception) -> str:
    """Return one line that says why a model failed; what is a bug is called one, with its place."""
    text = " ".join(str(error).split())
    if isinstance(error, MlvitalsError):
        return text
    place = traceback.extract_tb(error.__traceback__)[-1:]
    at = f", at {Path(place[0].filename).name}:{place[0].lineno}" if place else ""
    return f"unexpected {type(error).__name__}: {text} (a bug{at})"


def is_of_state(error: Exception) -> bool:
    """Tell whether an error is the state's and thus every model's: a full disk, a damaged file, no memory."""
    own = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.NotSupportedError)
    return isinstance(error, sqlite3.DatabaseError | MemoryError) and not isinstance(error, own)
