"""The local engine: batches in, emissions out, everything that changes in between in one transaction each."""

import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final, TypeVar

import pyarrow as pa

from mlvitals import wire
from mlvitals.clock import Clock
from mlvitals.engines.account import Account
from mlvitals.engines.changes import Change, record_changes
from mlvitals.engines.closing import Told
from mlvitals.engines.intake import PARK_AHEAD, labels_of, times_of
from mlvitals.engines.model import ModelRun, Reading
from mlvitals.engines.pairing import Pairing, not_past
from mlvitals.engines.parting import part_by_text
from mlvitals.engines.roster import Admit, Member, Roster, is_of_state, nobody
from mlvitals.engines.waiting import held_sequences, hold, release
from mlvitals.errors import StateError
from mlvitals.events import Disposition, EventBatch
from mlvitals.hashing import KeyedHash
from mlvitals.state import Store

Emit = Callable[[sqlite3.Connection, Sequence[Told | Change]], None]
Part = tuple[str, pa.RecordBatch]  # a kind of event, and its rows

_T = TypeVar("_T")

_HELD_UNTIL: Final = "held until"


class LocalEngine:
    """Runs the models of a configuration in this process.

    What is done for one model is undone alone if it fails: the model is out from then on, its rows wait until the state
    is opened again, and the others go on.

    Args:
        store: the state.
        members: the models that run, by name. faults: why others cannot. admit: asked for a model that is in neither.
        emit: called with what a transaction emits, inside of it.
        key: of the ids' keyed hash.
        until: rows at or after it are held back, and the clock stands there; None to take all rows as they come.

    """

    def __init__(
        self,
        store: Store,
        account: Account,
        emit: Emit,
        clock: Clock,
        *,
        key: KeyedHash,
        members: Mapping[str, Member],
        faults: Mapping[str, str] | None = None,
        admit: Admit = nobody,
        until: int | None = None,
    ) -> None:
        self._store = store
        self._roster = Roster(store.connection, account, members=members, faults=faults or {}, admit=admit)
        self._account = account
        self._pairing = Pairing(store.connection, account, key)
        self._emit = emit
        self._clock = clock
        self._until = until
        self._broken = False  # a transaction failed
        self.closing_seconds: float | None = None  # what it took to close what was due of a model, the last time

    @property
    def faults(self) -> Mapping[str, str]:
        """The models that cannot run, each with the cause."""
        return self._roster.faults

    def begin(self) -> None:
        """Take in what waits no longer.

        It was behind an earlier, shorter `--until`, behind a reference learnt since, or its model could not run.

        Raises:
            StateError: `--until` goes back behind an earlier one.

        """
        with self._transaction() as connection:
            row = connection.execute("SELECT value FROM setting WHERE name = ?", (_HELD_UNTIL,)).fetchone()
            before = None if row is None else int(row[0])
            if self._until is not None:
                if before is not None and self._until < before:
                    raise StateError("`--until` must not go back behind an earlier run of the same state")
                connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (_HELD_UNTIL, str(self._until)))
        for run in list(self._roster.runs.values()):
            if run.learning.done:
                self._release_to(run.name)
        self._take_back()
        with self._transaction() as connection:
            # In one transaction: what has to wait on would otherwise change its place among what came after it.
            for sequence in held_sequences(connection, ""):
                source, event, batch = release(connection, sequence)
                self._take(connection, source, [(event, batch)], measure_lag=False)

    def position(self, source: str) -> bytes | None:
        """Return where a source stood after the last batch that is durable, None at its beginning."""
        row = self._store.connection.execute("SELECT position FROM position WHERE source = ?", (source,)).fetchone()
        return None if row is None else row[0]

    def process(self, source: str, batch: EventBatch) -> None:
        """Count a batch and remember the source's position after it, in one transaction.

        An exception leaves the state as it was; the engine then serves no more, for its memory is ahead of the state.
        """
        with self._transaction() as connection:
            self._account.add_read(source, batch.account)
            parts = [
                (wire.EVENT_PREDICTION, batch.predictions),
                (wire.EVENT_LABEL, batch.labels),
                (wire.EVENT_CHANGE, batch.changes),
                *batch.halves.items(),
            ]
            self._take(connection, source, parts, measure_lag=self._until is None)
            connection.execute("INSERT OR REPLACE INTO position VALUES (?, ?)", (source, batch.position))

    def advance_while_running(self) -> None:
        """Close and settle what is due by the events seen and the time that has passed."""
        now = self._clock.now()
        waiting = self._give_up(self._pairing.clock_while_running(now))
        for run in list(self._roster.runs.values()):
            windows = run.config.windows
            lateness, idle = windows.lateness.microseconds, windows.idle.microseconds
            due = run.watermark.while_running(now, lateness=lateness, idle=idle)
            self._advance(run, *not_past(waiting.get(run.name), *due))

    def advance_when_all_is_read(self) -> None:
        """Close and settle what is due once every source has been read to its end."""
        waiting = self._give_up(self._pairing.clock_when_all_is_read() if self._until is None else self._until)
        for run in list(self._roster.runs.values()):
            lateness = run.config.windows.lateness.microseconds
            due = (self._until, self._until)
            if self._until is None:
                due = run.watermark.when_all_is_read(lateness=lateness)
            self._advance(run, *not_past(waiting.get(run.name), *due))

    def _give_up(self, clock: int | None) -> dict[str, int]:
        """Count requests that got no response; return, for each model, since when one is still waited for."""
        if clock is not None:
            with self._transaction() as connection:
                for paired in self._pairing.expire(clock):
                    self._take(
                        connection, paired.source, [(wire.EVENT_PREDICTION, paired.predictions)], measure_lag=False
                    )
        return self._pairing.least_waiting()

    def _advance(self, run: ModelRun, close: int | None, settle: int | None) -> None:
        self._check()
        if not self._learn(run, close):
            return
        closer = self._roster.closers[run.name]
        if not run.advance(close, settle) and not closer.is_due():
            return
        began = time.monotonic()
        steps = closer.steps()
        more = True
        while more:
            with self._transaction() as connection:
                more = bool(self._attempt(connection, run, partial(self._step, connection, run, steps)))
        self.closing_seconds = time.monotonic() - began

    def _step(self, connection: sqlite3.Connection, run: ModelRun, steps: Iterator[list[Told]]) -> bool:
        run.dirty = True
        emissions = next(steps, None)
        if emissions:
            self._emit(connection, emissions)
        return emissions is not None

    def _learn(self, run: ModelRun, close: int | None) -> bool:
        """Take a reference once its stretch is over, and count what has waited; tell whether the model is well."""
        if run.learner is None or close is None:
            return True
        # A stretch in which nothing was served is followed by another, which may be over as well.
        while not run.learning.done and run.learning.until is not None and run.learning.until <= close:
            with self._transaction() as connection:
                run.dirty = True
                self._attempt(connection, run, partial(run.learner.finish, run.learning))
            if run.name in self._roster.runs:
                self._release_to(run.name)
            if run.name not in self._roster.runs:
                return False
        return True

    def _take_back(self) -> None:
        """Give what waits for models that could not run to those that can now."""
        now = self._clock.now()
        with self._transaction():
            for name, cause in list(self._roster.faults.items()):
                self._roster.note(name, cause, now)
            noted = self._roster.noted()
            for name in noted:
                self._roster.find(name, now)
        for name in noted:
            if name not in self._roster.faults:
                self._release_to(name)
            if name not in self._roster.faults:
                with self._transaction():
                    self._roster.forgive(name)

    def _release_to(self, name: str) -> None:
        """Count what has waited for a model, as far as it stays well."""
        run = self._roster.runs.get(name)
        sequences = held_sequences(self._store.connection, name)
        steps = [[sequence] for sequence in sequences]
        if run is not None and run.learner is not None and not run.learning.done:
            steps = [sequences]  # what has to wait on would otherwise change its place among what comes after it
        for step in steps:
            if name in self._roster.faults:
                return
            with self._transaction() as connection:
                if run is None:
                    self._release(connection, name, None, step)
                else:
                    self._attempt(connection, run, partial(self._release, connection, name, run, step))

    def _release(self, connection: sqlite3.Connection, name: str, run: ModelRun | None, sequences: list[int]) -> None:
        for sequence in sequences:
            source, event, batch = release(connection, sequence)
            self._count(self._reading(source, measure_lag=False), name, run, [(event, batch)])

    def _take(self, connection: sqlite3.Connection, source: str, parts: Sequence[Part], *, measure_lag: bool) -> None:
        reading = self._reading(source, measure_lag=measure_lag)
        of_models: dict[str, list[Part]] = defaultdict(list)
        for event, batch in self._pair(connection, source, parts, measure_lag=measure_lag):
            for name, mine in part_by_text(self._hold_back(connection, source, event, batch), wire.MODEL, ""):
                if event == wire.EVENT_CHANGE:
                    self._take_changes(connection, reading, name, mine)
                else:
                    of_models[name].append((event, mine))
        for name, mine in of_models.items():
            self._take_of_model(connection, reading, name, mine)

    def _pair(
        self, connection: sqlite3.Connection, source: str, parts: Sequence[Part], *, measure_lag: bool
    ) -> list[Part]:
        """Take the predictions that halves complete, each as its response's source; return the other parts."""
        halves = {
            event: self._hold_back(connection, source, event, batch)
            for event, batch in parts
            if event in (wire.EVENT_REQUEST, wire.EVENT_RESPONSE)
        }
        for one in self._pairing.take(source, halves, self._clock.now()) if halves else ():
            self._take(connection, one.source, [(wire.EVENT_PREDICTION, one.predictions)], measure_lag=measure_lag)
        return [part for part in parts if part[0] not in halves]

    def _take_changes(self, connection: sqlite3.Connection, reading: Reading, name: str, batch: pa.RecordBatch) -> None:
        """Keep and tell the changes of a model, well or not, or (without a name) of all of them."""
        disposition = Disposition.UNKNOWN_MODEL
        if not name or self._roster.find(name, reading.now) is not None or name in self._roster.faults:
            disposition = Disposition.ACCEPTED
            news = record_changes(connection, name, batch)
            if news:
                self._emit(connection, news)
        self._account.add(reading.source, wire.EVENT_CHANGE, name, disposition, batch.num_rows)

    def _hold_back(
        self, connection: sqlite3.Connection, source: str, event: str, batch: pa.RecordBatch
    ) -> pa.RecordBatch:
        """Put rows at or after `--until` aside; return the others."""
        if self._until is None or not batch.num_rows:
            return batch
        after = times_of(batch) >= self._until
        if not after.any():
            return batch
        hold(connection, source, "", event, batch.filter(pa.array(after)))
        return batch.filter(pa.array(~after))

    def _take_of_model(
        self, connection: sqlite3.Connection, reading: Reading, name: str, parts: Sequence[Part]
    ) -> None:
        run = self._roster.find(name, reading.now)
        if run is not None:
            self._attempt(connection, run, partial(self._count, reading, name, run, parts))
        if name in self._roster.faults:  # be it since this very moment
            for event, batch in parts:
                self._roster.hold(reading.source, event, name, batch)
        elif run is None:
            self._count(reading, name, None, parts)

    def _count(self, reading: Reading, name: str, run: ModelRun | None, parts: Sequence[Part]) -> None:
        for event, batch in parts:
            if run is None:
                self._account.add(reading.source, event, name, Disposition.UNKNOWN_MODEL, batch.num_rows)
            elif event == wire.EVENT_PREDICTION:
                run.take_predictions(reading, batch)
            elif run.join is None:
                self._account.add(reading.source, event, name, Disposition.SKIPPED, batch.num_rows)
            else:
                self._take_labels(run, reading, batch)

    def _take_labels(self, run: ModelRun, reading: Reading, batch: pa.RecordBatch) -> None:
        parked = times_of(batch) > reading.now + PARK_AHEAD
        self._account.add(reading.source, wire.EVENT_LABEL, run.name, Disposition.PARKED, int(parked.sum()))
        run.take_labels(reading, labels_of(batch.filter(pa.array(~parked)), run.key, reading.source))

    def _reading(self, source: str, *, measure_lag: bool) -> Reading:
        return Reading(source=source, now=self._clock.now(), measure_lag=measure_lag)

    def _attempt(self, connection: sqlite3.Connection, run: ModelRun, work: Callable[[], _T]) -> _T | None:
        """Do work for one model and write what it changed; if it fails, undo it alone, take the model out, return None.

        An error of the state itself is every model's, and raised.
        """
        connection.execute("SAVEPOINT model")
        try:
            with self._account.undone_on_failure():
                done = work()
                run.flush()
        except Exception as error:
            if is_of_state(error):
                raise
            connection.execute("ROLLBACK TO model")
            self._roster.fail(run.name, error, self._clock.now())
            done = None
        connection.execute("RELEASE model")
        return done

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Run a block in a transaction, and write what it changed of the account before it commits."""
        self._check()
        self._broken = True
        with self._store.transaction() as connection:
            yield connection
            self._flush(connection)
        self._broken = False

    def _flush(self, connection: sqlite3.Connection) -> None:
        self._account.flush(connection)

    def _check(self) -> None:
        if self._broken:
            raise StateError("an earlier failure left this engine's memory ahead of its state: open the state again")
