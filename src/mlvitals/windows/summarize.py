"""From columns to counts: the served part of the summaries of one batch."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlvitals import wire
from mlvitals.events import Numbers, canonical_text, column, numbers
from mlvitals.windows.binning import count_bins, count_codes
from mlvitals.windows.bins import INVALID, MISSING, NON_FINITE, SPECIALS, CategoryBins, NumericBins
from mlvitals.windows.categories import Coders, Spell, class_text, truth_text
from mlvitals.windows.groups import Grouping
from mlvitals.windows.histogram import HISTOGRAM_BINS, duration_bins
from mlvitals.windows.layout import FeatureLayout, Kind, Layout, Task
from mlvitals.windows.served_amounts import count_amounts

Counts = npt.NDArray[np.int64]
Bounds = npt.NDArray[np.intp]


class Columns:
    """A batch's columns, each read once however many models, versions and segments look at it."""

    def __init__(self, batch: pa.RecordBatch, coders: Coders) -> None:
        self.batch = batch
        self.coders = coders
        self._numbers: dict[str, Numbers | None] = {}
        self._lengths: dict[str, Numbers | None] = {}
        self._codes: dict[tuple[str, int], npt.NDArray[np.intp] | None] = {}

    def numbers(self, name: str) -> Numbers | None:
        """Return a column as numbers, None where the batch has none."""
        if name not in self._numbers:
            array = column(self.batch, name)
            self._numbers[name] = None if array is None else numbers(array)
        return self._numbers[name]

    def lengths(self, name: str) -> Numbers | None:
        """Return the lengths of a column's texts in characters, None where the batch has none."""
        if name not in self._lengths:
            array = column(self.batch, name)
            self._lengths[name] = None if array is None else text_lengths(array)
        return self._lengths[name]

    def codes(self, name: str, bins: CategoryBins, spell: Spell = canonical_text) -> npt.NDArray[np.intp] | None:
        """Return a column's category codes: own bins, then missing, other and unseen; None where the batch has none."""
        key = (name, id(bins))
        if key not in self._codes:
            array = column(self.batch, name)
            self._codes[key] = None if array is None else self.coders.coder(name, bins, spell).codes(array)
        return self._codes[key]

    def classes(self, layout: Layout, bins: CategoryBins) -> npt.NDArray[np.intp]:
        """Return the code of the class that each row predicts."""
        key = (wire.PREDICTION_LABEL, id(layout.output))
        codes = self._codes.get(key)
        if codes is None:
            logged = column(self.batch, wire.PREDICTION_LABEL)
            # Texts are made of distinct classes only, unless the threshold has to fill in for some.
            texts = logged if logged is not None and not logged.null_count else predicted_texts(self, layout)
            codes = self._codes[key] = self.coders.coder(wire.PREDICTION_LABEL, bins, class_text).codes(texts)
        return codes

    def positive(self, layout: Layout) -> npt.NDArray[np.bool_]:
        """Tell which rows predict the positive class of a binary task."""
        classes, positive = layout.output.classes, layout.output.positive
        if classes is not None and positive in classes.values[: classes.own]:
            return np.asarray(self.classes(layout, classes) == classes.values.index(positive))
        same = pc.fill_null(pc.equal(predicted_texts(self, layout), positive), fill_value=False)
        return np.asarray(same.to_numpy(zero_copy_only=False), dtype=bool)


def summarize(columns: Columns, layout: Layout, grouping: Grouping, lag: npt.NDArray[np.float64] | None) -> Counts:
    """Count a batch's predictions.

    Args:
        columns: the batch; rows with an error are no predictions and must not be in the grouping.
        layout: what to count.
        grouping: the rows to count, by group.
        lag: seconds from each row's event to its reading, shape (rows of the batch,); None where it means nothing.

    Returns:
        Served vectors, shape (groups, layout.served_size).

    """
    bounds = grouping.bounds
    served = np.zeros((len(bounds) - 1, layout.served_size), dtype=np.int64)
    parts = layout.served_sections
    served[:, parts["predictions"]] = np.diff(bounds)[:, None]
    latency = columns.numbers(wire.LATENCY_MS)
    if latency is not None:
        served[:, parts["latency"]] = _count_durations(latency.values[grouping.order] / 1e3, bounds)
    if lag is not None:
        served[:, parts["lag"]] = _count_durations(lag[grouping.order], bounds)
    output = layout.output
    if output.score is not None:
        served[:, parts["score"]] = _count_numbers(columns.numbers(output.column), output.score, grouping)
        if output.task is Task.BINARY:
            served[:, parts["positive_score"]] = _count_positive_scores(columns, layout, output.score, grouping)
    if output.classes is not None:
        classes = columns.classes(layout, output.classes)
        served[:, parts["class"]] = _count_categories(classes, output.classes, grouping)
    for feature in layout.features:
        served[:, parts[feature.column]] = _count_feature(columns, feature, grouping)
    for name, counts in count_amounts(columns, layout, grouping).items():
        served[:, parts[name]] = counts
    return served


def predicted_texts(columns: Columns, layout: Layout) -> pa.Array:
    """Return the class that each row predicts, as canonical text: the logged one, else by the threshold."""
    logged = column(columns.batch, wire.PREDICTION_LABEL)
    output = layout.output
    texts = pa.nulls(columns.batch.num_rows, pa.string()) if logged is None else canonical_text(logged, numerals=True)
    if pa.types.is_dictionary(texts.type):
        texts = texts.cast(pa.string())
    scores = columns.numbers(wire.PREDICTION_SCORE)
    if output.task is not Task.BINARY or scores is None or not texts.null_count:
        return texts
    negative = next((value for value in _class_values(layout) if value != output.positive), "0")
    by_score = pa.array(np.where(scores.values >= output.threshold, output.positive, negative))
    return pc.coalesce(texts, pc.if_else(pa.array(np.isnan(scores.values)), None, by_score))


def text_lengths(array: pa.Array) -> Numbers:
    """Return the lengths of texts in characters (code points); what is no text is measured as it would be spelt."""
    texts = canonical_text(array)
    if pa.types.is_dictionary(texts.type):
        texts = pa.DictionaryArray.from_arrays(texts.indices, pc.utf8_length(texts.dictionary))
        return numbers(texts)
    return numbers(pc.utf8_length(texts))


def _count_feature(columns: Columns, feature: FeatureLayout, grouping: Grouping) -> Counts:
    name, bins = feature.column, feature.bins
    if isinstance(bins, NumericBins):
        read = columns.numbers(name) if feature.holds_numbers else columns.lengths(name)
        return _count_numbers(read, bins, grouping)
    spell = truth_text if feature.kind is Kind.BOOLEAN else canonical_text
    return _count_categories(columns.codes(name, bins, spell), bins, grouping)


def _class_values(layout: Layout) -> tuple[str, ...]:
    return () if layout.output.classes is None else layout.output.classes.values


def _count_durations(seconds: npt.NDArray[np.float64], bounds: Bounds) -> Counts:
    bins = duration_bins(seconds)
    return count_codes(bins + 1, HISTOGRAM_BINS + 1, bounds)[:, 1:]


def _count_numbers(read: Numbers | None, bins: NumericBins, grouping: Grouping) -> Counts:
    bounds = grouping.bounds
    counts = np.zeros((len(bounds) - 1, bins.size + SPECIALS), dtype=np.int64)
    if read is None:
        counts[:, bins.size + MISSING] = np.diff(bounds)
        return counts
    values = read.values[grouping.order]
    missing, invalid = _count_mask(read.missing, grouping), _count_mask(read.invalid, grouping)
    with np.errstate(over="ignore", invalid="ignore"):
        finite = np.isfinite(values.sum())  # quicker than a look at each, and nearly always the end of it
    if not finite:
        values = np.where(np.isinf(values), np.nan, values)
    counts[:, : bins.size] = count_bins(values, bins.array, bounds)
    counts[:, bins.size + MISSING] = missing
    counts[:, bins.size + INVALID] = invalid
    counts[:, bins.size + NON_FINITE] = np.diff(bounds) - counts.sum(axis=1)
    return counts


def _count_positive_scores(columns: Columns, layout: Layout, bins: NumericBins, grouping: Grouping) -> Counts:
    """Count finite scores of the rows whose class is the positive one; a score without a class has one by threshold."""
    read = columns.numbers(wire.PREDICTION_SCORE)
    if read is None:
        return np.zeros((len(grouping.bounds) - 1, bins.size), dtype=np.int64)
    chosen = (columns.positive(layout) & np.isfinite(read.values))[grouping.order]
    bounds = np.concatenate([[0], np.cumsum(chosen)])[grouping.bounds]
    return count_bins(read.values[grouping.order][chosen], bins.array, bounds)


def _count_mask(mask: npt.NDArray[np.bool_] | None, grouping: Grouping) -> Counts | int:
    if mask is None:
        return 0
    running = np.concatenate([[0], np.cumsum(mask[grouping.order])])
    return np.diff(running[grouping.bounds])


def _count_categories(codes: npt.NDArray[np.intp] | None, bins: CategoryBins, grouping: Grouping) -> Counts:
    size = bins.size + SPECIALS
    if codes is None:
        counts = np.zeros((len(grouping.bounds) - 1, size), dtype=np.int64)
        counts[:, bins.size + MISSING] = np.diff(grouping.bounds)
        return counts
    return count_codes(codes[grouping.order], size, grouping.bounds)
