"""Joining a request to its response: halves wait for each other, and leave as one prediction."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlvitals import wire
from mlvitals.clock import MINUTE
from mlvitals.engines.account import Account
from mlvitals.engines.intake import PARK_AHEAD, times_of
from mlvitals.engines.waiting import decode_rows, encode_rows
from mlvitals.events import Disposition, canonical_text
from mlvitals.formats.rows import unify
from mlvitals.hashing import KeyedHash

NO_RESPONSE: Final = "no response"
WAITING_BYTES: Final = 1 << 30

_IDLE: Final = 5 * MINUTE  # how long a kind of half may be silent before the clock takes its place
_SEEN: Final = {wire.EVENT_REQUEST: 1, wire.EVENT_RESPONSE: 2}
_BOTH: Final = 3
_EVENT_OF: Final = {seen: event for event, seen in _SEEN.items()}
_FROM_RESPONSE: Final = (wire.ERROR, wire.LATENCY_MS)

Rows = npt.NDArray[np.int64]


class Paired(NamedTuple):
    """Predictions that halves have become, and the source of the responses (of the requests that got none)."""

    source: str
    predictions: pa.RecordBatch


class _Known(NamedTuple):
    """What is known of an id: which halves were seen, and where the one that waits stands (sequence 0: this batch)."""

    seen: int
    sequence: int | None
    row: int | None


@dataclass(slots=True)
class _Arrived:
    """The halves of one kind in a batch."""

    event: str
    batch: pa.RecordBatch
    ids: list[bytes]
    models: list[str]
    times: list[int]
    deadlines: list[int]


class Pairing:
    """The halves of all models. Every call belongs into the caller's transaction.

    A half waits in its batch's columns; of each id one row says what was seen. It stays until the deadline is over, so
    that a half that comes again is known. Of several the first counts. Neither depends on how batches are cut.
    """

    def __init__(self, connection: sqlite3.Connection, account: Account, key: KeyedHash) -> None:
        self._connection = connection
        self._account = account
        self._hash = key
        self._arrived: dict[str, int] = {}

    def take(self, source: str, halves: Mapping[str, pa.RecordBatch], now: int) -> list[Paired]:
        """Take a batch's halves; return the predictions that they complete."""
        arrived = [
            self._arrive(event, self._park(source, event, halves[event], now), now)
            for event in (wire.EVENT_REQUEST, wire.EVENT_RESPONSE)
            if event in halves and halves[event].num_rows
        ]
        known = self._known({one for half in arrived for one in half.ids})
        pairs: dict[int, list[tuple[int, int]]] = defaultdict(list)  # sequence of the other half: its row, our row
        for half in arrived:
            self._meet(source, half, known, pairs)
        by_event = {half.event: half.batch for half in arrived}
        merged = [self._merge(source, sequence, places, by_event) for sequence, places in sorted(pairs.items())]
        self._wait(source, arrived, known)
        return merged

    def expire(self, clock: int) -> list[Paired]:
        """Give up what has waited until before the clock: requests fail, responses are orphans."""
        self._connection.execute("DELETE FROM half WHERE seen = ? AND deadline < ?", (_BOTH, clock))
        due: dict[int, list[int]] = defaultdict(list)
        query = "DELETE FROM half WHERE deadline < ? RETURNING sequence, row"
        for sequence, row in self._connection.execute(query, (clock,)):
            due[sequence].append(row)
        failed = []
        for sequence, rows in sorted(due.items()):
            source, event, batch = self._give(sequence, sorted(rows))
            if event == wire.EVENT_REQUEST:
                failed.append(Paired(source, _as_failed(batch)))
            else:
                self._count(source, event, batch, Disposition.ORPHAN)
        return failed

    def clock_when_all_is_read(self) -> int | None:
        """Return the newest time of any half, None where there are none."""
        newest = self._newest()
        return max(newest.values(), default=None)

    def clock_while_running(self, now: int) -> int | None:
        """Return the time up to which both kinds have come; one that is silent for a while moves on with the clock."""
        newest = self._newest()
        if not newest:
            return None
        moved = []
        for event in _SEEN:
            silent = now - self._arrived.setdefault(event, now)
            time = newest.get(event)
            if silent >= _IDLE:
                moved.append(max(newest.values()) + (silent if time is not None else 0))
            elif time is not None:
                moved.append(time)
            else:
                return None
        return min(moved)

    def least_waiting(self) -> dict[str, int]:
        """Return, for each model, the time of the oldest request that waits: its window must not close before."""
        query = "SELECT model, min(time) FROM half WHERE seen = ? GROUP BY model"
        return dict(self._connection.execute(query, (_SEEN[wire.EVENT_REQUEST],)))

    def _park(self, source: str, event: str, batch: pa.RecordBatch, now: int) -> pa.RecordBatch:
        ahead = times_of(batch) > now + PARK_AHEAD
        if not ahead.any():
            return batch
        self._count(source, event, batch.filter(pa.array(ahead)), Disposition.PARKED)
        return batch.filter(pa.array(~ahead))

    def _arrive(self, event: str, batch: pa.RecordBatch, now: int) -> _Arrived:
        times = times_of(batch)
        if len(times):
            self._arrived[event] = now
            self._connection.execute(
                "INSERT INTO half_newest VALUES (?, ?) ON CONFLICT DO UPDATE SET time = max(time, excluded.time)",
                (event, int(times.max())),
            )
        models = canonical_text(batch.column(wire.MODEL)).cast(pa.string()).to_pylist()
        ids = canonical_text(batch.column(wire.PREDICTION_ID)).cast(pa.string()).to_pylist()
        keys = self._hash.digest(f"{model}\0{one}" for model, one in zip(models, ids, strict=True))
        deadlines = np.asarray(batch.column(wire.DEADLINE).cast(pa.int64())).tolist()
        return _Arrived(event, batch, keys, models, times.tolist(), deadlines)

    def _known(self, ids: set[bytes]) -> dict[bytes, _Known]:
        execute = self._connection.execute
        execute("CREATE TEMP TABLE IF NOT EXISTS half_touched (id BLOB PRIMARY KEY) WITHOUT ROWID")
        execute("DELETE FROM half_touched")
        self._connection.executemany("INSERT INTO half_touched VALUES (?)", ((one,) for one in sorted(ids)))
        rows = execute("SELECT id, seen, sequence, row FROM half_touched JOIN half USING (id)")
        return {one: _Known(*rest) for one, *rest in rows}

    def _meet(
        self,
        source: str,
        half: _Arrived,
        known: dict[bytes, _Known],
        pairs: dict[int, list[tuple[int, int]]],
    ) -> None:
        mine = _SEEN[half.event]
        repeated: list[int] = []
        for row, one in enumerate(half.ids):
            before = known.get(one)
            if before is None:
                known[one] = _Known(mine, 0, row)
            elif before.seen & mine:
                repeated.append(row)
            else:
                pairs[before.sequence or 0].append((before.row or 0, row))
                known[one] = _Known(_BOTH, None, None)
        self._count(source, half.event, half.batch.take(pa.array(repeated, pa.int64())), Disposition.DUPLICATE)

    def _merge(
        self, source: str, sequence: int, places: Sequence[tuple[int, int]], by_event: Mapping[str, pa.RecordBatch]
    ) -> Paired:
        """Join the rows of one waiting batch (or of this one) with ours; a prediction is counted with its response."""
        theirs, ours = [place for place, _ in places], [place for _, place in places]
        if sequence:
            of, event, waiting = self._give(sequence, theirs)
        else:
            of, event = source, wire.EVENT_REQUEST
            waiting = by_event[event].take(pa.array(theirs, pa.int64()))
        if event == wire.EVENT_REQUEST:
            self._count(of, event, waiting, Disposition.JOINED)
            return Paired(source, merge(waiting, by_event[wire.EVENT_RESPONSE].take(pa.array(ours, pa.int64()))))
        requests = by_event[wire.EVENT_REQUEST].take(pa.array(ours, pa.int64()))
        self._count(source, wire.EVENT_REQUEST, requests, Disposition.JOINED)
        return Paired(of, merge(requests, waiting))

    def _wait(self, source: str, arrived: Sequence[_Arrived], known: Mapping[bytes, _Known]) -> None:
        """Keep the halves that have met nothing, and what was seen of every id."""
        write = (
            "INSERT INTO half VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET seen = excluded.seen, "
            "sequence = excluded.sequence, row = excluded.row, deadline = max(deadline, excluded.deadline)"
        )
        for half in arrived:
            alone = [row for row, one in enumerate(half.ids) if known[one] == _Known(_SEEN[half.event], 0, row)]
            sequence = self._keep(source, half.event, half.batch.take(pa.array(alone, pa.int64())))
            rows: list[tuple[bytes, int, int | None, int | None, str, int, int]] = []
            for place, row in enumerate(alone):
                what = (half.models[row], half.times[row], half.deadlines[row])
                rows.append((half.ids[row], _SEEN[half.event], sequence, place, *what))
            for row, one in enumerate(half.ids):
                if known[one].seen == _BOTH:
                    rows.append((one, _BOTH, None, None, half.models[row], half.times[row], half.deadlines[row]))
            self._connection.executemany(write, rows)
        self._bound()

    def _keep(self, source: str, event: str, batch: pa.RecordBatch) -> int | None:
        if not batch.num_rows:
            return None
        data = encode_rows(batch)
        return self._connection.execute(
            "INSERT INTO half_batch (source, event, rows, batch) VALUES (?, ?, ?, ?)",
            (source, event, batch.num_rows, data),
        ).lastrowid

    def _give(self, sequence: int, rows: Sequence[int]) -> tuple[str, str, pa.RecordBatch]:
        """Take rows out of a waiting batch."""
        source, event, left, data = self._connection.execute(
            "UPDATE half_batch SET rows = rows - ? WHERE sequence = ? RETURNING source, event, rows, batch",
            (len(rows), sequence),
        ).fetchone()
        if left == 0:
            self._connection.execute("DELETE FROM half_batch WHERE sequence = ?", (sequence,))
        return source, event, decode_rows(data).take(pa.array(rows, pa.int64()))

    def _bound(self) -> None:
        """Give up the batches that have waited longest where all of them take too much room."""
        query = "SELECT coalesce(sum(length(batch)), 0) FROM half_batch"
        while self._connection.execute(query).fetchone()[0] > WAITING_BYTES:
            (sequence,) = self._connection.execute("SELECT min(sequence) FROM half_batch").fetchone()
            rows = self._connection.execute("DELETE FROM half WHERE sequence = ? RETURNING row", (sequence,))
            source, event, batch = self._give(sequence, sorted(row for (row,) in rows))
            self._count(source, event, batch, Disposition.EXPIRED)

    def _newest(self) -> dict[str, int]:
        return dict(self._connection.execute("SELECT event, time FROM half_newest"))

    def _count(self, source: str, event: str, batch: pa.RecordBatch, disposition: Disposition) -> None:
        models = canonical_text(batch.column(wire.MODEL)).cast(pa.string()).to_pylist()
        for model, rows in sorted(Counter(models).items()):
            self._account.add(source, event, model, disposition, rows)


def not_past(waiting: int | None, close: int | None, settle: int | None) -> tuple[int | None, int | None]:
    """Return up to where a model may close and settle, so that a request that waits is not late when it is decided."""
    if waiting is None:
        return close, settle
    return (None if close is None else min(close, waiting)), (None if settle is None else min(settle, waiting))


def merge(requests: pa.RecordBatch, responses: pa.RecordBatch) -> pa.RecordBatch:
    """Return the predictions of requests and their responses, row by row.

    The time is the request's. What both hold is taken from the request, but the prediction, the error and the latency
    from the response. Where no latency is logged, it is the time between the two if the responses' times are kept.
    """
    columns = dict(_merged(requests, responses))
    responded = columns.pop(wire.RESPONDED, None)
    if responded is not None:
        between = pc.cast(pc.microseconds_between(requests.column(wire.TIMESTAMP), responded), pa.float64())
        known, passed = unify(columns.get(wire.LATENCY_MS, pa.nulls(len(requests))), pc.divide(between, 1000.0))
        columns[wire.LATENCY_MS] = pc.coalesce(known, passed)
    return pa.RecordBatch.from_pydict(columns)


def _merged(requests: pa.RecordBatch, responses: pa.RecordBatch) -> Iterator[tuple[str, pa.Array]]:
    for name in dict.fromkeys([*requests.schema.names, *responses.schema.names]):
        arrays = [batch.column(name) for batch in (requests, responses) if name in batch.schema.names]
        if name == wire.TIMESTAMP:
            yield name, arrays[0]
        elif name != wire.DEADLINE:
            if name.startswith(f"{wire.PREDICTION}.") or name in _FROM_RESPONSE:
                arrays.reverse()
            yield name, arrays[0] if len(arrays) == 1 else pc.coalesce(*unify(*map(_plain, arrays)))


def _as_failed(requests: pa.RecordBatch) -> pa.RecordBatch:
    columns = {name: requests.column(name) for name in requests.schema.names if name != wire.DEADLINE}
    error = pa.repeat(pa.scalar(NO_RESPONSE), requests.num_rows)
    known = columns.get(wire.ERROR)
    columns[wire.ERROR] = error if known is None else pc.coalesce(*unify(_plain(known), error))
    return pa.RecordBatch.from_pydict(columns)


def _plain(array: pa.Array) -> pa.Array:
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
