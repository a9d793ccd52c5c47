"""What a layout is frozen from: the rows of a reference, or an even share of them where there are many."""

from collections import Counter
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlvitals import wire
from mlvitals.events import canonical_text, column, numbers
from mlvitals.windows.binning import count_bins
from mlvitals.windows.choice import Choice
from mlvitals.windows.freeze import freeze_categories, freeze_classes, freeze_numeric, freeze_score, group_bins
from mlvitals.windows.layout import FeatureLayout, Kind, Layout, NumericBins, OutputLayout, Task

Floats = npt.NDArray[np.float64]

# Edges are quantiles: those of half a million rows are within 0.2 % of the mass of those of all (4 standard errors).
ROWS_KEPT: Final = 500_000
_SEGMENT_VALUES: Final = 50
_OUTPUTS: Final = (wire.PREDICTION_LABEL, wire.PREDICTION_SCORE, wire.PREDICTION_VALUE, wire.LABEL)


class ReferenceSample:
    """Collects a reference's rows, batch by batch, in bounded memory, and freezes its layout.

    Past `ROWS_KEPT` it keeps every second row, then every fourth, and so on. Values of categories are counted over all
    rows, so that none that the reference held is ever called unseen.
    """

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._batches: list[pa.RecordBatch] = []
        self._texts: dict[str, Counter[str]] = {}
        self._stride = 1
        self.rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take the rows of a batch of predictions (features already under the names they are known by)."""
        wanted = [field.name for field in batch.schema if self._wants(field.name)]
        batch = batch.select(wanted)
        for name in wanted:
            if self._counts_texts(name, batch.schema.field(name).type):
                self._count(name, batch)
        first = -self.rows % self._stride
        self._batches.append(_every(batch, first, self._stride))
        self.rows += batch.num_rows
        while sum(one.num_rows for one in self._batches) > ROWS_KEPT:
            self._thin()

    def freeze(self) -> Layout:
        """Return the layout of the rows seen."""
        seen = (name for batch in self._batches for name in batch.schema.names if name.startswith(wire.FEATURE_PREFIX))
        # JSON does not tell a feature that no row has; one that is named by a person may still come alive.
        named = (wire.FEATURE_PREFIX + name for name in self._choice.named)
        features = [self._freeze_feature(name) for name in dict.fromkeys((*seen, *named))]
        segments = {name: tuple(self._segment_values(name)) for name in self._choice.segments}
        monitored = tuple(one for one in features if one is not None and self._choice.monitors(one.name))
        return Layout(features=monitored, output=self._freeze_output(), segments=segments)

    def _wants(self, name: str) -> bool:
        if name in _OUTPUTS or name in self._choice.segments:
            return True
        feature = name.removeprefix(wire.FEATURE_PREFIX)
        return feature != name and (self._choice.monitors(feature) or feature in self._choice.segments)

    def _counts_texts(self, name: str, kind: pa.DataType) -> bool:
        feature = name.removeprefix(wire.FEATURE_PREFIX)
        if name in {wire.PREDICTION_LABEL, wire.LABEL} or feature in self._choice.segments:
            return True
        if name not in _OUTPUTS and self._choice.kinds.get(feature) is Kind.CATEGORICAL:
            return True
        return name not in _OUTPUTS and _kind_of(kind) is Kind.CATEGORICAL

    def _count(self, name: str, batch: pa.RecordBatch) -> None:
        array = column(batch, name)
        if array is not None:
            self._texts.setdefault(name, Counter()).update(_count_texts(array, numerals=name in _OUTPUTS))

    def _count_all(self, name: str) -> Counter[str]:
        """Return the counts of a column's texts, with those of the kept batches that held numbers there."""
        counts = Counter(self._texts.get(name, Counter()))
        for batch in self._batches:
            array = column(batch, name)
            if array is not None and not self._counts_texts(name, array.type):
                counts.update(_count_texts(array, numerals=False))
        return counts

    def _thin(self) -> None:
        """Keep every second of the rows kept so far, and of those to come."""
        self._stride *= 2
        thinned, before = [], 0
        for batch in self._batches:
            thinned.append(_every(batch, before % 2, 2))
            before += batch.num_rows
        self._batches = thinned

    def _numbers(self, name: str) -> Floats:
        parts = [
            np.full(batch.num_rows, np.nan) if (array := column(batch, name)) is None else numbers(array).values
            for batch in self._batches
        ]
        return np.concatenate(parts or [np.empty(0)])

    def _freeze_feature(self, name: str) -> FeatureLayout | None:
        feature = name.removeprefix(wire.FEATURE_PREFIX)
        found = (column(batch, name) for batch in self._batches)
        # A feature without any value has one bin and its missing rows: it is seen when it comes alive.
        arrays = [array for array in found if array is not None and not pa.types.is_null(array.type)]
        kinds = {kind for one in arrays if (kind := _kind_of(one.type)) is not None}
        if arrays and not kinds:
            return None  # a vector
        kind = self._choice.kinds.get(feature) or _infer_kind(kinds, arrays)
        if kind is Kind.CATEGORICAL:
            return FeatureLayout(feature, kind, freeze_categories(self._count_all(name)))
        return FeatureLayout(feature, kind, freeze_numeric(self._numbers(name)))

    def _segment_values(self, name: str) -> list[str]:
        counts = self._texts.get(wire.FEATURE_PREFIX + name) or self._texts.get(name) or Counter()
        ordered = sorted(counts, key=lambda value: (-counts[value], value))
        return sorted(ordered[:_SEGMENT_VALUES])

    def _freeze_output(self) -> OutputLayout:
        predicted = self._texts.get(wire.PREDICTION_LABEL, Counter())
        counts = predicted + self._texts.get(wire.LABEL, Counter())
        task = self._choice.task or self._infer_task(predicted, counts)
        if task is Task.REGRESSION:
            score = self._freeze_score(wire.PREDICTION_VALUE)
            return OutputLayout(task, score=score, groups=self._group(score, wire.PREDICTION_VALUE))
        score = self._freeze_score(wire.PREDICTION_SCORE)
        scores = self._numbers(wire.PREDICTION_SCORE)
        finite = scores[np.isfinite(scores)]
        return OutputLayout(
            task,
            score=score,
            groups=self._group(score, wire.PREDICTION_SCORE),
            classes=freeze_classes(counts, counts) if counts else None,
            positive=self._choice.positive or "1",
            threshold=0.5 if self._choice.threshold is None else self._choice.threshold,
            probability=bool(len(finite)) and bool((finite >= 0).all() and (finite <= 1).all()),
        )

    def _infer_task(self, predicted: Counter[str], counts: Counter[str]) -> Task:
        if self._choice.positive is not None:
            return Task.BINARY
        if not predicted and np.isfinite(self._numbers(wire.PREDICTION_VALUE)).any():
            return Task.REGRESSION
        return Task.BINARY if set(counts) <= {"0", "1"} else Task.MULTICLASS

    def _freeze_score(self, name: str) -> NumericBins | None:
        scores = self._numbers(name)
        if not np.isfinite(scores).any():
            return None
        truth = self._labels()
        classes = [scores[truth == value] for value in sorted({"0", "1", self._choice.positive or "1"} & set(truth))]
        return freeze_score(scores, classes)

    def _labels(self) -> npt.NDArray[np.str_]:
        parts = []
        for batch in self._batches:
            array = column(batch, wire.LABEL)
            texts = pa.nulls(batch.num_rows, pa.string()) if array is None else canonical_text(array, numerals=True)
            parts.append(np.asarray(texts.cast(pa.string()).fill_null("").to_numpy(zero_copy_only=False), dtype=str))
        return np.concatenate(parts or [np.empty(0, dtype=str)])

    def _group(self, score: NumericBins | None, name: str) -> tuple[int, ...]:
        if score is None:
            return ()
        values = self._numbers(name)
        finite = values[np.isfinite(values)]
        return group_bins(score, count_bins(finite, score.array, np.array([0, len(finite)]))[0])


def _every(batch: pa.RecordBatch, first: int, stride: int) -> pa.RecordBatch:
    return batch if stride == 1 else batch.take(pa.array(np.arange(first, batch.num_rows, stride)))


def _count_texts(array: pa.Array, *, numerals: bool) -> dict[str, int]:
    counted = pc.value_counts(canonical_text(array, numerals=numerals).cast(pa.string()))
    pairs = zip(counted.field(0).to_pylist(), counted.field(1).to_pylist(), strict=True)
    return {value: count for value, count in pairs if value is not None}


def _infer_kind(kinds: set[Kind], arrays: list[pa.Array]) -> Kind:
    """Return the one kind that a feature's columns have; of both, numeric if most of its values read as numbers."""
    if len(kinds) < 2:
        return next(iter(kinds), Kind.NUMERIC)
    read = [numbers(array) for array in arrays]
    invalid = sum(0 if one.invalid is None else int(one.invalid.sum()) for one in read)
    present = sum(len(array) - array.null_count for array in arrays)
    return Kind.NUMERIC if 2 * invalid <= present else Kind.CATEGORICAL


def _kind_of(kind: pa.DataType) -> Kind | None:
    """Return what a column's type makes of a feature: None for a type that is not monitored, such as a vector."""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
        return Kind.CATEGORICAL
    if pa.types.is_boolean(kind):
        return Kind.CATEGORICAL
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return Kind.NUMERIC
    return None
