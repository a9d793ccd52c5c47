"""The local engine: batches in, emissions out, everything that changes in between in one transaction each."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import pyarrow as pa

from mlvitals import wire
from mlvitals.clock import Clock
from mlvitals.engines.account import Account
from mlvitals.engines.closing import Closer
from mlvitals.engines.intake import PARK_AHEAD, labels_of, rows_by_text, times_of
from mlvitals.engines.judging import Emission, Judge
from mlvitals.engines.model import ModelRun, Reading
from mlvitals.engines.waiting import held_sequences, hold, release
from mlvitals.errors import StateError
from mlvitals.events import Disposition, EventBatch
from mlvitals.state import Store

Emit = Callable[[sqlite3.Connection, Sequence[Emission]], None]

_HELD_UNTIL: Final = "held until"


class LocalEngine:
    """Runs the models of a configuration in this process.

    Args:
        store: the state. runs: the models by name. judges: how each is measured.
        emit: called with what a transaction emits, inside of it.
        until: rows at or after it are held back, and the clock stands there; None to take all rows as they come.

    """

    def __init__(  # noqa: PLR0917  # called once, by the composition root
        self,
        store: Store,
        runs: Mapping[str, ModelRun],
        judges: Mapping[str, Judge],
        account: Account,
        emit: Emit,
        clock: Clock,
        until: int | None = None,
    ) -> None:
        self._store = store
        self._runs = runs
        self._closers = {name: Closer(run, judges[name]) for name, run in runs.items()}
        self._account = account
        self._emit = emit
        self._clock = clock
        self._until = until
        self._broken = False  # a transaction failed

    def begin(self) -> None:
        """Take in what waits no longer: behind an earlier, shorter `--until`, or behind a reference learnt since.

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
        for run in self._runs.values():
            if run.learning.done:
                self._release_to(run)
        with self._transaction() as connection:
            # In one transaction: what has to wait on would otherwise change its place among what came after it.
            for sequence in held_sequences(connection, ""):
                source, event, batch = release(connection, sequence)
                self._take(connection, source, event, batch, measure_lag=False)
                self._flush(connection)

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
            lag = self._until is None
            self._take(connection, source, wire.EVENT_PREDICTION, batch.predictions, measure_lag=lag)
            self._take(connection, source, wire.EVENT_LABEL, batch.labels, measure_lag=lag)
            self._take(connection, source, wire.EVENT_CHANGE, batch.changes, measure_lag=lag)
            connection.execute("INSERT OR REPLACE INTO position VALUES (?, ?)", (source, batch.position))

    def advance_while_running(self) -> None:
        """Close and settle what is due by the events seen and the time that has passed."""
        now = self._clock.now()
        for run in self._runs.values():
            windows = run.config.windows
            lateness, idle = windows.lateness.microseconds, windows.idle.microseconds
            self._advance(run, *run.watermark.while_running(now, lateness=lateness, idle=idle))

    def advance_when_all_is_read(self) -> None:
        """Close and settle what is due once every source has been read to its end."""
        for run in self._runs.values():
            if self._until is not None:
                self._advance(run, self._until, self._until)
            else:
                lateness = run.config.windows.lateness.microseconds
                self._advance(run, *run.watermark.when_all_is_read(lateness=lateness))

    def _advance(self, run: ModelRun, close: int | None, settle: int | None) -> None:
        self._check()
        self._learn(run, close)
        if not run.advance(close, settle) and not self._closers[run.name].is_due():
            return
        steps = self._closers[run.name].steps()
        more = True
        while more:
            with self._transaction() as connection:
                run.dirty = True
                emissions = next(steps, None)
                more = emissions is not None
                if emissions:
                    self._emit(connection, emissions)

    def _learn(self, run: ModelRun, close: int | None) -> None:
        """Take a reference once the stretch that it is learnt from is over, and count what has waited for it."""
        if run.learner is None or close is None:
            return
        # A stretch in which nothing was served is followed by another, which may be over as well.
        while not run.learning.done and run.learning.until is not None and run.learning.until <= close:
            with self._transaction():
                run.dirty = True
                run.learner.finish(run.learning)
            self._release_to(run)

    def _release_to(self, run: ModelRun) -> None:
        for sequence in held_sequences(self._store.connection, run.name):
            with self._transaction() as connection:
                source, _, batch = release(connection, sequence)
                run.take_predictions(self._reading(source, measure_lag=False), batch)

    def _take(
        self, connection: sqlite3.Connection, source: str, event: str, batch: pa.RecordBatch, *, measure_lag: bool
    ) -> None:
        if not batch.num_rows:
            return
        if self._until is not None:
            after = times_of(batch) >= self._until
            if after.any():
                hold(connection, source, "", event, batch.filter(pa.array(after)))
                batch = batch.filter(pa.array(~after))
        reading = self._reading(source, measure_lag=measure_lag)
        for model, rows in rows_by_text(batch, wire.MODEL, "").items():
            mine = batch if len(rows) == batch.num_rows else batch.take(pa.array(rows))
            self._take_of_model(reading, event, model, mine)

    def _take_of_model(self, reading: Reading, event: str, model: str, batch: pa.RecordBatch) -> None:
        run = self._runs.get(model)
        if event == wire.EVENT_CHANGE:
            self._account.add(reading.source, event, model, Disposition.ACCEPTED, batch.num_rows)
        elif run is None:
            self._account.add(reading.source, event, model, Disposition.UNKNOWN_MODEL, batch.num_rows)
        elif event == wire.EVENT_PREDICTION:
            run.take_predictions(reading, batch)
        elif run.join is None:
            self._account.add(reading.source, event, model, Disposition.SKIPPED, batch.num_rows)
        else:
            self._take_labels(run, reading, batch)

    def _take_labels(self, run: ModelRun, reading: Reading, batch: pa.RecordBatch) -> None:
        parked = times_of(batch) > reading.now + PARK_AHEAD
        self._account.add(reading.source, wire.EVENT_LABEL, run.name, Disposition.PARKED, int(parked.sum()))
        run.take_labels(reading, labels_of(batch.filter(pa.array(~parked)), run.key, reading.source))

    def _reading(self, source: str, *, measure_lag: bool) -> Reading:
        return Reading(source=source, now=self._clock.now(), measure_lag=measure_lag)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Run a block in a transaction, and write what the models and the account changed before it commits."""
        self._check()
        self._broken = True
        with self._store.transaction() as connection:
            yield connection
            self._flush(connection)
        self._broken = False

    def _check(self) -> None:
        if self._broken:
            raise StateError("an earlier failure left this engine's memory ahead of its state: open the state again")

    def _flush(self, connection: sqlite3.Connection) -> None:
        for run in self._runs.values():
            run.flush()
        self._account.flush(connection)
