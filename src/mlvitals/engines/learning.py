"""Learning the operating reference from the first stretch that is served (`operating: {first: 14d}`)."""

import sqlite3
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlvitals import wire
from mlvitals.engines.layouts import References, provisional_layout
from mlvitals.engines.waiting import forget_spooled, spool, spooled, spooled_bytes
from mlvitals.events import column
from mlvitals.windows.layout import Layout
from mlvitals.windows.reference import Reference, encode_reference
from mlvitals.windows.taking import take_reference
from mlvitals.windows.window import WindowSize

Rows = npt.NDArray[np.intp]
Times = npt.NDArray[np.int64]

SPOOL_BYTES: Final = 1 << 30


class LearningState(msgspec.Struct, kw_only=True):
    """Where learning stands.

    until: the end of the stretch, set by its first row: rows of windows from then on wait for the reference.
    full: the spool has reached its bound, and what comes later is not learnt from.
    regression: what the first row showed of the kind of prediction.
    """

    until: int | None = None
    full: bool = False
    regression: bool = False
    done: bool = False


class Learner:
    """Learns one model's operating reference. Every call belongs into the caller's transaction."""

    def __init__(
        self, connection: sqlite3.Connection, model: str, size: WindowSize, length: int, references: References
    ) -> None:
        self._connection = connection
        self._model = model
        self._size = size
        self._length = length
        self._references = references

    def begin(self, state: LearningState, batch: pa.RecordBatch, first: int) -> None:
        """Set the stretch by the first row of the model, where it is not set yet."""
        if state.until is None:
            end = self._size.start(first) + self._length
            state.until = end if self._size.start(end) == end else self._size.end(self._size.start(end))
            valued = column(batch, wire.PREDICTION_VALUE) is not None and column(batch, wire.PREDICTION_SCORE) is None
            state.regression = self._references.choice.task is not None or valued

    def keep(self, state: LearningState, batch: pa.RecordBatch, rows: Rows) -> None:
        """Keep accepted rows of the stretch, as far as a reference is taken from them."""
        if state.full or state.done or not len(rows):
            return
        kept = [name for name in batch.schema.names if name == wire.TIMESTAMP or self._is_learnt(name)]
        spool(self._connection, self._model, batch.select(kept).take(pa.array(rows)))
        state.full = spooled_bytes(self._connection, self._model) > SPOOL_BYTES

    def finish(self, state: LearningState) -> Reference:
        """Take the reference from the rows kept, and forget them."""
        reference = take_reference(
            self._references.choice,
            lambda: spooled(self._connection, self._model),
            model=self._model,
            version="",
            size=self._size,
            complete=not state.full,
            provenance={"taken from": "the first events served"},
        )
        self._connection.execute(
            "INSERT OR REPLACE INTO learnt VALUES (?, ?)", (self._model, encode_reference(reference))
        )
        forget_spooled(self._connection, self._model)
        self._references.learn(reference)
        state.done = True
        return reference

    def provisional(self, state: LearningState) -> Layout:
        """Return the layout of windows that are served meanwhile."""
        return provisional_layout(self._references.choice, regression=state.regression)

    def _is_learnt(self, name: str) -> bool:
        outputs = {wire.PREDICTION_LABEL, wire.PREDICTION_SCORE, wire.PREDICTION_VALUE, wire.LATENCY_MS}
        return name in outputs or name in self._references.choice.segments or name.startswith(wire.FEATURE_PREFIX)
