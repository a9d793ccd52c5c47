"""What a layout is frozen from: the rows of a reference, or an even share of them where there are many."""

from collections import Counter
from collections.abc import Collection
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlvitals import wire
from mlvitals.events import canonical_text, column, numbers
from mlvitals.windows.binning import count_bins
from mlvitals.windows.bins import TRUTHS, UNKNOWN_VALUES, CategoryBins, NumericBins
from mlvitals.windows.choice import Choice
from mlvitals.windows.freeze import freeze_categories, freeze_classes, freeze_numeric, freeze_score, group_bins
from mlvitals.windows.frequent import FrequentValues
from mlvitals.windows.kinds import infer_kind
from mlvitals.windows.layout import FeatureLayout, Kind, Layout, OutputLayout, Task
from mlvitals.windows.probabilities import class_columns, complete_outputs, predict
from mlvitals.windows.summarize import text_lengths

Floats = npt.NDArray[np.float64]

# Edges are quantiles: those of half a million rows are within 0.2 % of the mass of those of all (4 standard errors),
# those of the hundred thousand that are kept of very wide rows within 0.6 %.
ROWS_KEPT: Final = 500_000
BYTES_KEPT: Final = 256 << 20
_SEGMENT_VALUES: Final = 50
_OUTPUTS: Final = (wire.PREDICTION_LABEL, wire.PREDICTION_SCORE, wire.PREDICTION_VALUE, wire.LABEL)


class ReferenceSample:
    """Collects a reference's rows, batch by batch, in bounded memory, and freezes its layout.

    Past `ROWS_KEPT` or `BYTES_KEPT` it keeps every second row, then every fourth, and so on, with the least and the
    greatest number of all of them. Texts are counted over all rows; where they are too many to hold, the layout says
    that it does not know all, so that none that the reference held is ever called unseen.
    """

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._batches: list[pa.RecordBatch] = []
        self._texts: dict[str, FrequentValues] = {}
        self._ranges: dict[str, tuple[float, float]] = {}
        self._classes: dict[str, set[str]] = {}
        self._ranked = False
        self._stride = 1
        self._rows_kept = self._bytes_kept = 0
        self.rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take the rows of a batch of predictions (features already under the names they are known by)."""
        ranked = column(batch, wire.PREDICTION_RANKING)
        self._ranked |= ranked is not None and ranked.null_count < len(ranked)
        batch = batch.select([field.name for field in batch.schema if self._wants(field.name)])
        for field in batch.schema:
            if self._counts_texts(field.name, field.type):
                self._count(field.name, batch)
            elif _is_number(field.type):
                self._widen(field.name, numbers(batch.column(field.name)).values)
        self._add_probabilities(batch)
        first = -self.rows % self._stride
        self._keep(_every(batch, first, self._stride))
        self.rows += batch.num_rows
        while self._rows_kept > ROWS_KEPT or (self._bytes_kept > BYTES_KEPT and self._rows_kept > 1):
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
        if name in _OUTPUTS or name == wire.TIMESTAMP or name in self._choice.segments:
            return True
        if name.startswith(wire.PROBABILITY_PREFIX):
            return True
        feature = name.removeprefix(wire.FEATURE_PREFIX)
        return feature != name and (self._choice.monitors(feature) or feature in self._choice.segments)

    def _counts_texts(self, name: str, kind: pa.DataType) -> bool:
        feature = name.removeprefix(wire.FEATURE_PREFIX)
        if name in {wire.PREDICTION_LABEL, wire.LABEL} or feature in self._choice.segments:
            return True
        if name in _OUTPUTS or name == wire.TIMESTAMP:
            return False
        chosen = self._choice.kinds.get(feature)
        return _is_text(kind) if chosen is None else chosen is Kind.CATEGORICAL

    def _count(self, name: str, batch: pa.RecordBatch) -> None:
        array = column(batch, name)
        if array is not None:
            texts = canonical_text(array, numerals=name in _OUTPUTS)
            self._texts.setdefault(name, FrequentValues()).add(texts)

    def _freeze_categories(self, name: str) -> CategoryBins:
        """Return bins of a column's texts, and of its other values as far as their rows are kept."""
        every = self._texts.setdefault(name, FrequentValues())
        others = [array for _, array in self._arrays(name) if not self._counts_texts(name, array.type)]
        for array in others:
            every.add(canonical_text(array))
        complete = every.complete and (self._stride == 1 or not others)
        return freeze_categories(every.counts(), complete=complete)

    def _add_probabilities(self, batch: pa.RecordBatch) -> None:
        """Take what probabilities say: which classes there are, and which is predicted where none is logged."""
        for one, name in class_columns(batch):
            if batch.column(name).null_count < batch.num_rows:
                self._classes.setdefault(one, set()).add(name)
        if not self._classes:
            return
        predicted, largest = predict(batch)
        logged = column(batch, wire.PREDICTION_LABEL)
        if logged is not None:
            predicted = predicted.filter(logged.is_null())
        self._texts.setdefault(wire.PREDICTION_PROBABILITIES, FrequentValues()).add(predicted)
        self._widen(wire.PREDICTION_PROBABILITIES, largest)

    def _widen(self, name: str, values: Floats) -> None:
        finite = _finite(values)
        if len(finite):
            lowest, highest = self._ranges.get(name, (np.inf, -np.inf))
            self._ranges[name] = min(lowest, float(finite.min())), max(highest, float(finite.max()))

    def _keep(self, batch: pa.RecordBatch) -> None:
        self._batches.append(batch)
        self._rows_kept += batch.num_rows
        self._bytes_kept += batch.nbytes

    def _thin(self) -> None:
        """Keep every second of the rows kept so far, and of those to come."""
        self._stride *= 2
        whole, self._batches, self._rows_kept, self._bytes_kept = self._batches, [], 0, 0
        before = 0
        for batch in whole:
            self._keep(_every(batch, before % 2, 2))
            before += batch.num_rows

    def _arrays(self, name: str) -> list[tuple[pa.RecordBatch, pa.Array]]:
        found = ((batch, column(batch, name)) for batch in self._batches)
        return [(batch, array) for batch, array in found if array is not None]

    def _numbers(self, name: str) -> Floats:
        parts = [
            np.full(batch.num_rows, np.nan) if (array := column(batch, name)) is None else numbers(array).values
            for batch in self._batches
        ]
        return np.concatenate(parts or [np.empty(0)])

    def _with_range(self, name: str, values: Floats) -> Floats:
        """Return the numbers kept of a column with the extremes of those that were not."""
        return values if self._stride == 1 else np.append(values, self._ranges.get(name, ()))

    def _freeze_feature(self, name: str) -> FeatureLayout | None:
        feature = name.removeprefix(wire.FEATURE_PREFIX)
        arrays = self._arrays(name)
        times = [column(batch, wire.TIMESTAMP) for batch, _ in arrays]
        inferred = infer_kind([array for _, array in arrays], times)
        if inferred is None:
            return None  # a vector
        kind = self._choice.kinds.get(feature, inferred.kind)
        return FeatureLayout(feature, kind, self._freeze_bins(name, kind), feature in self._choice.sensitive)

    def _freeze_bins(self, name: str, kind: Kind) -> NumericBins | CategoryBins:
        match kind:
            case Kind.NUMERIC:
                return freeze_numeric(self._with_range(name, self._numbers(name)))
            case Kind.CATEGORICAL:
                return self._freeze_categories(name)
            case Kind.BOOLEAN:
                return TRUTHS
            case Kind.TEXT:
                lengths = [text_lengths(array).values for _, array in self._arrays(name)]
                return freeze_numeric(np.concatenate(lengths or [np.empty(0)]))
            case Kind.CALENDAR if all(_is_number(array.type) for _, array in self._arrays(name)):
                return freeze_numeric(self._with_range(name, self._numbers(name)))
            case Kind.CALENDAR | Kind.IDENTIFIER:
                return UNKNOWN_VALUES

    def _segment_values(self, name: str) -> list[str]:
        counts = self._counted(wire.FEATURE_PREFIX + name) or self._counted(name)
        ordered = sorted(counts, key=lambda value: (-counts[value], value))
        return sorted(ordered[:_SEGMENT_VALUES])

    def _counted(self, name: str) -> Counter[str]:
        return Counter(self._texts[name].counts()) if name in self._texts else Counter()

    def _freeze_output(self) -> OutputLayout:
        predicted = self._counted(wire.PREDICTION_LABEL)
        counts = predicted + self._counted(wire.LABEL)
        every = {*counts, *self._classes}
        task = self._choice.task or self._infer_task(every if self._classes else predicted, every)
        if task is Task.RANKING:
            return OutputLayout(task, ranked=self._choice.cutoffs)
        if task is Task.REGRESSION:
            score = self._freeze_score(wire.PREDICTION_VALUE)
            return OutputLayout(task, score=score, groups=self._group(score, wire.PREDICTION_VALUE))
        positive = self._choice.positive or "1"
        if self._classes and task is Task.BINARY:
            every |= {"0"} if every <= {positive} else set()
        elif self._classes:
            counts += self._counted(wire.PREDICTION_PROBABILITIES)
        elif task is Task.BINARY and not every and wire.PREDICTION_SCORE in self._ranges:
            every = {"0", positive}  # the threshold makes them
        classes = freeze_classes(every, counts) if every else None
        distribution = self._complete(OutputLayout(task, classes=classes, positive=positive, distribution=True))
        score = self._freeze_score(wire.PREDICTION_SCORE)
        scores = self._numbers(wire.PREDICTION_SCORE)
        finite = _finite(scores)
        return OutputLayout(
            task,
            score=score,
            groups=self._group(score, wire.PREDICTION_SCORE),
            classes=classes,
            positive=positive,
            threshold=0.5 if self._choice.threshold is None else self._choice.threshold,
            probability=bool(len(finite)) and bool((finite >= 0).all() and (finite <= 1).all()),
            distribution=distribution,
        )

    def _complete(self, output: OutputLayout) -> bool:
        """Fill in what probabilities say of the rows kept; tell whether the layout is made of them."""
        if not self._classes or (output.task is Task.BINARY and wire.PREDICTION_SCORE in self._ranges):
            return False
        self._batches = [complete_outputs(batch, output) for batch in self._batches]
        of_score = self._classes.get(output.positive, set())
        if output.task is Task.MULTICLASS:
            of_score = {wire.PREDICTION_PROBABILITIES}
        for name in of_score & self._ranges.keys():
            self._widen(wire.PREDICTION_SCORE, np.array(self._ranges[name]))
        return True

    def _infer_task(self, predicted: Collection[str], classes: Collection[str]) -> Task:
        if self._choice.positive is not None:
            return Task.BINARY
        if not predicted and np.isfinite(self._numbers(wire.PREDICTION_VALUE)).any():
            return Task.REGRESSION
        if self._ranked and not predicted and wire.PREDICTION_SCORE not in self._ranges:
            return Task.RANKING
        return Task.BINARY if set(classes) <= {"0", "1"} else Task.MULTICLASS

    def _freeze_score(self, name: str) -> NumericBins | None:
        scores = self._numbers(name)
        if not np.isfinite(scores).any():
            return None
        truth = self._labels()
        classes = [scores[truth == value] for value in sorted({"0", "1", self._choice.positive or "1"} & set(truth))]
        return freeze_score(self._with_range(name, scores), classes)

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
        finite = _finite(self._numbers(name))
        return group_bins(score, count_bins(finite, score.array, np.array([0, len(finite)]))[0])


def _every(batch: pa.RecordBatch, first: int, stride: int) -> pa.RecordBatch:
    if stride > 1:
        batch = batch.take(pa.array(np.arange(first, batch.num_rows, stride)))
    columns = [_without_large_dictionary(one) for one in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _without_large_dictionary(array: pa.Array) -> pa.Array:
    """Return an array with its own values where its dictionary holds more, as one that grows along a file does."""
    is_large = pa.types.is_dictionary(array.type) and len(array.dictionary) > len(array)
    return array.dictionary_decode() if is_large else array


def _finite(values: Floats) -> Floats:
    return np.asarray(values[np.isfinite(values)])


def _is_text(kind: pa.DataType) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(value) or pa.types.is_large_string(value))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
