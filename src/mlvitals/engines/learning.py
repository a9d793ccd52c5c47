"""Learning the operating reference from the first stretch that is served (`operating: {first: 14d}`)."""

import sqlite3
from dataclasses import replace
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlvitals import wire
from mlvitals.engines.layouts import References, provisional_layout
from mlvitals.engines.selfchecking import with_selfcheck
from mlvitals.engines.waiting import forget_spooled, spool, spooled
from mlvitals.events import canonical_text, column
from mlvitals.windows.choice import Choice
from mlvitals.windows.layout import Layout, Task
from mlvitals.windows.probabilities import class_columns
from mlvitals.windows.reference import encode_reference
from mlvitals.windows.taking import take_reference
from mlvitals.windows.window import WindowSize

Rows = npt.NDArray[np.intp]
SPOOL_BYTES: Final = 1 << 30
_LEARNT: Final = frozenset(
    {
        wire.TIMESTAMP,
        wire.PREDICTION_LABEL,
        wire.PREDICTION_SCORE,
        wire.PREDICTION_VALUE,
        wire.PREDICTION_RANKING,
        wire.LATENCY_MS,
    }
)
_LEARNT_PREFIXES: Final = (wire.FEATURE_PREFIX, wire.PROBABILITY_PREFIX)


class LearningState(msgspec.Struct, kw_only=True):
    """Where learning stands.

    until: the end of the stretch, set by its first prediction: rows of windows from then on wait for the reference.
    task: what that prediction showed of the kind of prediction.
    spooled: the bytes kept. full: they have reached their bound, and what comes later is not learnt from.
    done: the reference was taken.
    """

    until: int | None = None
    task: Task = Task.BINARY
    spooled: int = 0
    full: bool = False
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
        self._provisional: dict[Task, Layout] = {}

    def begin(self, state: LearningState, first: pa.RecordBatch, time: int) -> int:
        """Set the stretch by the first prediction of the model, a batch of one row; return its end."""
        end = self._size.start(time) + self._length
        state.until = end if self._size.start(end) == end else self._size.end(self._size.start(end))
        state.task = _task_of(first, self._references.choice)
        return state.until

    def keep(self, state: LearningState, batch: pa.RecordBatch, rows: Rows) -> None:
        """Keep accepted rows of the stretch, as far as a reference is taken from them."""
        if state.full or state.done or not len(rows):
            return
        served = batch.take(pa.array(rows))
        # A column that only other rows of the batch filled must not come in by the accident of their company.
        kept = [name for name in served.schema.names if self._is_learnt(name) and served[name].null_count < len(rows)]
        state.spooled += spool(self._connection, self._model, served.select(kept))
        state.full = state.spooled >= SPOOL_BYTES

    def finish(self, state: LearningState) -> None:
        """Take the reference from the rows kept, and forget them; where none were, another stretch has to begin."""
        if not state.spooled:
            state.until = None
            return
        taken = take_reference(
            replace(self._references.choice, aliases={}),  # the rows were renamed when they came
            lambda: spooled(self._connection, self._model),
            model=self._model,
            version="",
            size=self._size,
            complete=not state.full,
            provenance={"taken from": "the first events served"},
        )
        reference = with_selfcheck(taken)
        self._connection.execute(
            "INSERT OR REPLACE INTO learnt VALUES (?, ?)", (self._model, encode_reference(reference))
        )
        forget_spooled(self._connection, self._model)
        self._references.learn(reference)
        state.done = True

    def provisional(self, state: LearningState) -> Layout:
        """Return the layout of windows that are served meanwhile."""
        if state.task not in self._provisional:
            self._provisional[state.task] = provisional_layout(self._references.choice, state.task)
        return self._provisional[state.task]

    def _is_learnt(self, name: str) -> bool:
        return name in _LEARNT or name in self._references.choice.segments or name.startswith(_LEARNT_PREFIXES)


def _task_of(first: pa.RecordBatch, choice: Choice) -> Task:
    """Return the kind of prediction that one row shows, as far as the choice does not tell it."""
    if choice.task is not None:
        return choice.task
    label = column(first, wire.PREDICTION_LABEL)
    if label is None or label[0].as_py() is None:
        if class_columns(first):
            classes = {predicted for predicted, name in class_columns(first) if first[name].null_count == 0}
            return Task.BINARY if choice.positive is not None or classes <= {"0", "1"} else Task.MULTICLASS
        value = column(first, wire.PREDICTION_VALUE)
        if value is not None and value[0].as_py() is not None:
            return Task.REGRESSION
        return Task.RANKING if _is_ranking(first) else Task.BINARY
    binary = choice.positive is not None or canonical_text(label, numerals=True)[0].as_py() in {"0", "1"}
    return Task.BINARY if binary else Task.MULTICLASS


def _is_ranking(first: pa.RecordBatch) -> bool:
    ranking, score = column(first, wire.PREDICTION_RANKING), column(first, wire.PREDICTION_SCORE)
    return ranking is not None and ranking[0].is_valid and (score is None or not score[0].is_valid)
