"""Taking a batch's predictions of one model: each row's disposition, then counts and memory."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlvitals import wire
from mlvitals.clock import HOUR
from mlvitals.events import Disposition, canonical_text, column, fingerprints
from mlvitals.hashing import KeyedHash
from mlvitals.windows.coded import Coded
from mlvitals.windows.labels import CONFLICT, DUPLICATE, NEW, Labels
from mlvitals.windows.layout import Layout, Task
from mlvitals.windows.predictions import Predictions
from mlvitals.windows.propensities import propensities_of
from mlvitals.windows.served_amounts import amounts_of
from mlvitals.windows.summarize import Columns, predicted_texts
from mlvitals.windows.vectors import pack_vectors

PARK_AHEAD = HOUR  # clocks differ by seconds; an hour ahead is a wrong zone or a wrong field
UNKNOWN_VERSION = "unknown"
_NO_ERROR = pa.array([None, "", "0"], pa.string())

Rows = npt.NDArray[np.intp]
Times = npt.NDArray[np.int64]


@dataclass(slots=True)
class Sorted:
    """A model's rows of one batch by what became of them. `accepted` and `late` are in source order.

    repeated: duplicates and conflicts whose window is open, ascending. counts: of rows that nothing more is done with.
    """

    accepted: Rows
    late: Rows
    repeated: Rows = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    counts: dict[Disposition, int] = field(default_factory=dict)


def times_of(batch: pa.RecordBatch) -> Times:
    """Return the batch's times in microseconds since the epoch."""
    return np.asarray(batch.column(wire.TIMESTAMP).cast(pa.int64()))


def rows_by_text(batch: pa.RecordBatch, name: str, absent: str) -> dict[str, Rows]:
    """Return the rows of each value of a column; nulls stand under `absent`."""
    array = column(batch, name)
    if array is None:
        return {absent: np.arange(batch.num_rows)} if batch.num_rows else {}
    encoded = canonical_text(array)
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    names = [absent if value is None else value for value in encoded.dictionary.to_pylist()] + [absent]
    codes = np.asarray(encoded.indices.fill_null(len(names) - 1))
    present = np.flatnonzero(np.bincount(codes, minlength=len(names)))
    if len(present) == 1:
        return {names[present[0]]: np.arange(batch.num_rows)}
    found: dict[str, Rows] = {}
    for code in present:
        rows = np.flatnonzero(codes == code)
        known = found.get(names[code])
        found[names[code]] = rows if known is None else np.sort(np.concatenate([known, rows]))
    return found


def sort_by_time(times: Times, rows: Rows, ends: Times, now: int, closed: int | None) -> Sorted:
    """Part rows that are implausibly early for the clock, and those whose window is closed, from the others.

    Args:
        times: of the whole batch.
        rows: the model's rows.
        ends: the window end of each of these rows.
        now: the clock.
        closed: windows that end at or before it are closed.

    """
    parked = times[rows] > now + PARK_AHEAD
    late = np.zeros(len(rows), dtype=bool) if closed is None else (ends <= closed) & ~parked
    counts = {Disposition.PARKED: int(parked.sum())}
    return Sorted(accepted=rows[~(parked | late)], late=rows[late], counts=counts)


def drop_repeats(parted: Sorted, rows: Rows, verdicts: npt.NDArray[np.int8]) -> Sorted:
    """Take out rows whose id and version were served before: duplicates, or conflicts if their content differs.

    Args:
        parted: the rows, in source order within each kind.
        rows: all of them, ascending.
        verdicts: NEW, DUPLICATE or CONFLICT for each of these.

    """
    gone = rows[verdicts != NEW]
    if not len(gone):
        return parted
    counts = Counter(parted.counts)
    for verdict, disposition in ((DUPLICATE, Disposition.DUPLICATE), (CONFLICT, Disposition.CONFLICT)):
        counts[disposition] += int((verdicts == verdict).sum())
    return Sorted(
        accepted=np.setdiff1d(parted.accepted, gone, assume_unique=True),
        late=np.setdiff1d(parted.late, gone, assume_unique=True),
        repeated=np.intersect1d(parted.accepted, gone, assume_unique=True),
        counts={disposition: count for disposition, count in counts.items() if count},
    )


class Identities:
    """Who the rows of a batch (ascending) are: hashed ids, versions, and fingerprints of the content."""

    def __init__(self, batch: pa.RecordBatch, rows: Rows, key: KeyedHash) -> None:
        places = pa.array(rows)
        self.rows = rows
        self.ids = key.words(_texts(batch, wire.PREDICTION_ID, "").take(places).to_pylist())
        self.versions = Coded.of_arrow(_texts(batch, wire.MODEL_VERSION, UNKNOWN_VERSION).take(places))
        self.fingerprints = fingerprints(batch, rows)

    def places(self, rows: Rows) -> Rows:
        """Return the places of some of the rows."""
        return np.searchsorted(self.rows, rows)


def remembered(
    columns: Columns,
    layout: Layout,
    identities: Identities,
    rows: Rows,
    *,
    starts: Times,
    segments: Coded,
    uncounted: npt.NDArray[np.bool_],
) -> Predictions:
    """Return what is kept of predictions until their labels come.

    Args:
        columns: the batch.
        layout: of the rows' version.
        identities: of (at least) these rows.
        rows: the predictions.
        starts: their window starts.
        segments: their segments, as JSON arrays.
        uncounted: they belong to no cohort.

    """
    mine = identities.places(rows)
    read = columns.numbers(layout.output.column)
    if layout.output.task is Task.REGRESSION:
        decisions = Coded.constant(None, len(rows))
    else:
        decisions = Coded.of_arrow(predicted_texts(columns, layout).take(pa.array(rows)))
    return Predictions(
        ids=identities.ids[mine],
        versions=identities.versions.take(mine),
        times=times_of(columns.batch)[rows],
        starts=starts,
        uncounted=uncounted,
        fingerprints=identities.fingerprints[mine],
        scores=np.full(len(rows), np.nan) if read is None else read.values[rows],
        decisions=decisions,
        amounts=amounts_of(columns, layout)[rows],
        segments=segments,
        vectors=pack_vectors(columns.batch, layout.output, rows),
        propensities=propensities_of(columns, layout.output)[rows],
    )


def failed(batch: pa.RecordBatch) -> npt.NDArray[np.bool_]:
    """Tell which rows are failed requests: `error` is there and is not false, empty or 0."""
    array = column(batch, wire.ERROR)
    if array is None:
        return np.zeros(batch.num_rows, dtype=bool)
    texts = canonical_text(array, numerals=True).cast(pa.string())
    return ~np.asarray(pc.is_in(texts, value_set=_NO_ERROR, skip_nulls=False))


def labels_of(batch: pa.RecordBatch, key: KeyedHash, source: str) -> Labels:
    """Return a batch's labels as they are kept."""
    return Labels(
        ids=key.words(_texts(batch, wire.PREDICTION_ID, "").to_pylist()),
        times=times_of(batch),
        contents=Coded.of_arrow(canonical_text(batch.column(wire.LABEL), numerals=True).cast(pa.string())),
        versions=Coded.of_arrow(_texts(batch, wire.LABEL_VERSION, "")),
        amounts=Coded.of_arrow(_texts(batch, wire.AMOUNT, "")),
        sources=Coded.constant(source, batch.num_rows),
    )


def _texts(batch: pa.RecordBatch, name: str, absent: str) -> pa.Array:
    array = column(batch, name)
    if array is None:
        return pa.array([absent]).take(pa.array(np.zeros(batch.num_rows, dtype=np.int32)))
    texts = canonical_text(array)
    return pc.fill_null(texts.cast(pa.string()), absent)
