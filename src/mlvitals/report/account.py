"""What became of every row, and what waits for delivery, as a report shows it."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import msgspec

from mlvitals.delivery import Fate, QueueStatus, dead_letters, queue_statuses
from mlvitals.engines.account import read_account, read_held
from mlvitals.engines.model import Progress
from mlvitals.events import Disposition
from mlvitals.state import Store

HELD: Final = "held"
_LETTERS_SHOWN: Final = 5
# What of a row that was no use is worth a second look; the others are as they should be.
_PLAIN: Final = frozenset({Disposition.ACCEPTED.value, Disposition.SKIPPED.value, Disposition.DUPLICATE.value, HELD})


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRows:
    """The rows of one source and kind of event, all models together: disposition to count."""

    source: str
    event: str
    rows: Mapping[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.rows.values())

    @property
    def lost(self) -> int:
        """Rows that say nothing of a model because something was wrong with them."""
        return sum(count for name, count in self.rows.items() if name not in _PLAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A request that was not taken, without its body."""

    destination: str
    fate: str
    reason: str
    buried: int
    items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsAndQueues:
    """The account of a state.

    dispositions: those that occur, in the order of precedence. examples: why rows were unparseable, by source. ignored:
    features that the reference does not have, by model. progress: how far each model has come.
    """

    sources: Sequence[SourceRows]
    dispositions: Sequence[str]
    examples: Sequence[tuple[str, str]]
    ignored: Mapping[str, Sequence[str]]
    progress: Mapping[str, Progress]
    queues: Sequence[QueueStatus]
    letters: Sequence[Letter]
    fates: Sequence[str] = tuple(fate.value for fate in Fate)


def read_rows_and_queues(store: Store) -> RowsAndQueues:
    """Return the account of a state, while another process may write to it."""
    connection = store.connection
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for key, rows in read_account(connection).items():
        of = counts.setdefault((key.source, key.event), {})
        of[key.disposition] = of.get(key.disposition, 0) + rows
    for (source, event), rows in read_held(connection).items():
        counts.setdefault((source, event), {})[HELD] = rows
    present = {name for of in counts.values() for name in of}
    progress = _progress(connection)
    queues = queue_statuses(store)
    return RowsAndQueues(
        sources=[SourceRows(source=source, event=event, rows=of) for (source, event), of in sorted(counts.items())],
        dispositions=[name for name in (*(one.value for one in Disposition), HELD) if name in present],
        examples=connection.execute("SELECT source, reason FROM example ORDER BY 1, 2").fetchall(),
        ignored={model: one.ignored for model, one in progress.items() if one.ignored},
        progress=progress,
        queues=queues,
        letters=[letter for queue in queues if queue.letters for letter in _letters(store, queue.destination)],
    )


def _progress(connection: sqlite3.Connection) -> dict[str, Progress]:
    rows = connection.execute("SELECT model, document FROM progress ORDER BY model")
    return {model: msgspec.json.decode(document, type=Progress) for model, document in rows}


def _letters(store: Store, destination: str) -> list[Letter]:
    return [
        Letter(
            destination=destination,
            fate=letter.fate.value,
            reason=letter.reason,
            buried=letter.buried,
            items=letter.request.items,
        )
        for letter in islice(dead_letters(store, destination), _LETTERS_SHOWN)
    ]
