"""What the events of a sample are like: models, task, kinds of features, how many come and when their labels do."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlvitals import wire
from mlvitals.events import canonical_text, column
from mlvitals.setup.inference.columns import words_of
from mlvitals.windows.kinds import Inferred, infer_kind
from mlvitals.windows.layout import Kind, Task
from mlvitals.windows.probabilities import class_columns

_SEGMENTS: Final = 3
_SEGMENT_VALUES: Final = range(2, 13)
_MOST_CLASSES: Final = 50
_KNOWN_CLASSES: Final[tuple[set[str], ...]] = ({"0"}, {"1"}, {"0", "1"}, set())
# Numbers that name a place or a thing, by what they are called.
_CODES: Final = frozenset({("zip",), ("zipcode",), ("postcode",), ("plz",), ("code",), ("sku",)})

Times = npt.NDArray[np.int64]


@dataclass(slots=True, kw_only=True)
class Profile:
    """A sample's events in a few facts.

    models: the names found, the most frequent first. kinds: of each feature, with the reason. codes: features whose
    numbers are names. vectors: those that are arrays. segments: columns of few values. positive: the class that high
    scores point to, None where classes are 0 and 1 or it cannot be told. delays: from predictions to their labels,
    sorted, in microseconds; None where there are no labels. joined: the share of labels whose prediction is known.
    disorder: how far behind the newest time so far a row's time stands, at most, in microseconds.
    """

    models: Sequence[str]
    task: Task
    positive: str | None
    kinds: Mapping[str, Inferred]
    codes: Sequence[str] = ()
    vectors: Sequence[str] = ()
    segments: Sequence[str] = ()
    times: Times = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    delays: Times | None = None
    joined: float = 0.0
    disorder: int = 0


def profile_events(
    predictions: Sequence[pa.RecordBatch], labels: Sequence[pa.RecordBatch], *, shares: bool = False
) -> Profile:
    """Look at the events of a sample.

    Args:
        predictions: batches as formats read them.
        labels: likewise.
        shares: the log has probabilities of classes.

    """
    served = [batch for batch in predictions if batch.num_rows]
    known = [batch for batch in labels if batch.num_rows]
    kinds, vectors = _kinds(served)
    times = _times(served)
    task, positive = _task(served, known, shares=shares)
    return Profile(
        models=[name for name, _ in Counter(_texts([*served, *known], wire.MODEL)).most_common()],
        task=task,
        positive=positive,
        kinds=kinds,
        codes=[name for name, one in kinds.items() if one.kind is Kind.NUMERIC and words_of(name)[-1:] in _CODES],
        vectors=vectors,
        segments=_segments(served, kinds),
        times=np.sort(times),
        delays=_delays(served, known) if known else None,
        joined=_joined(served, known),
        disorder=int((np.maximum.accumulate(times) - times).max()) if len(times) else 0,
    )


def _kinds(batches: Sequence[pa.RecordBatch]) -> tuple[dict[str, Inferred], list[str]]:
    names = dict.fromkeys(
        name for batch in batches for name in batch.schema.names if name.startswith(wire.FEATURE_PREFIX)
    )
    kinds, vectors = {}, []
    for name in names:
        found = [
            (array, batch.column(wire.TIMESTAMP)) for batch in batches if (array := column(batch, name)) is not None
        ]
        kind = infer_kind([array for array, _ in found], [times for _, times in found])
        if kind is None:
            vectors.append(name.removeprefix(wire.FEATURE_PREFIX))
        else:
            kinds[name.removeprefix(wire.FEATURE_PREFIX)] = kind
    return kinds, vectors


def _segments(batches: Sequence[pa.RecordBatch], kinds: Mapping[str, Inferred]) -> list[str]:
    found = []
    for name, one in kinds.items():
        if one.kind not in {Kind.CATEGORICAL, Kind.BOOLEAN}:
            continue
        values = Counter(_texts(batches, wire.FEATURE_PREFIX + name))
        if len(values) in _SEGMENT_VALUES:
            found.append((one.kind is Kind.BOOLEAN, name))
    return [name for _, name in sorted(found, key=lambda one: one[0])[:_SEGMENTS]]


def _task(
    served: Sequence[pa.RecordBatch], labels: Sequence[pa.RecordBatch], *, shares: bool
) -> tuple[Task, str | None]:
    predicted = list(_texts(served, wire.PREDICTION_LABEL))
    if not predicted and any(column(batch, wire.PREDICTION_RANKING) is not None for batch in served):
        return Task.RANKING, None
    scored = any(column(batch, wire.PREDICTION_SCORE) is not None for batch in served)
    if not predicted and not scored and not shares:
        return Task.REGRESSION, None
    truths = set(_texts(labels, wire.LABEL))
    classes = set(predicted) | (truths if len(truths) <= _MOST_CLASSES else set())
    if shares and not predicted and not scored:
        named = {one for batch in served for one, _ in class_columns(batch)}
        return Task.BINARY if classes | named <= {"0", "1"} else Task.MULTICLASS, None
    if len(classes) > 2:
        return Task.MULTICLASS, None
    return Task.BINARY, None if classes in _KNOWN_CLASSES else _positive(served, classes)


def _positive(batches: Sequence[pa.RecordBatch], classes: set[str]) -> str | None:
    """Return the class whose predictions have the higher scores in the mean; None where there are no scores."""
    sums: dict[str, list[float]] = {one: [] for one in classes}
    for batch in batches:
        score, label = column(batch, wire.PREDICTION_SCORE), column(batch, wire.PREDICTION_LABEL)
        if score is None or label is None:
            continue
        texts = canonical_text(label, numerals=True).cast(pa.string()).to_pylist()
        for text, value in zip(texts, score.to_pylist(), strict=True):
            if text in sums and value is not None:
                sums[text].append(value)
    means = {one: float(np.mean(values)) for one, values in sums.items() if values}
    return max(means, key=lambda one: means[one]) if len(means) == 2 else None


def _times(batches: Sequence[pa.RecordBatch]) -> Times:
    parts = [np.asarray(batch.column(wire.TIMESTAMP).drop_null().cast(pa.int64())) for batch in batches]
    return np.concatenate(parts or [np.empty(0, dtype=np.int64)])


def _moments(batches: Sequence[pa.RecordBatch]) -> dict[str, int]:
    found: dict[str, int] = {}
    for batch in batches:
        ids = column(batch, wire.PREDICTION_ID)
        if ids is None:
            continue
        times = batch.column(wire.TIMESTAMP).cast(pa.int64()).to_pylist()
        named = zip(canonical_text(ids).cast(pa.string()).to_pylist(), times, strict=True)
        found |= {one: time for one, time in named if one is not None and time is not None}
    return found


def _delays(served: Sequence[pa.RecordBatch], labels: Sequence[pa.RecordBatch]) -> Times:
    made, told = _moments(served), _moments(labels)
    delays = [time - made[one] for one, time in told.items() if one in made]
    return np.sort(np.array(delays, dtype=np.int64))


def _joined(served: Sequence[pa.RecordBatch], labels: Sequence[pa.RecordBatch]) -> float:
    made, told = _moments(served), _moments(labels)
    return sum(one in made for one in told) / max(1, len(told))


def _texts(batches: Sequence[pa.RecordBatch], name: str) -> Iterator[str]:
    for batch in batches:
        array: Any = column(batch, name)
        if array is not None:
            texts = canonical_text(array, numerals=True).cast(pa.string())
            yield from (text for text in texts.to_pylist() if text is not None)
