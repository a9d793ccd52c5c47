"""From joined labels to outcome counts: what a set of labels adds to each age bucket of its cohort."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals import wire
from mlvitals.windows.binning import find_bins
from mlvitals.windows.bins import MISSING, NON_FINITE
from mlvitals.windows.coded import Coded
from mlvitals.windows.delays import delay_bins
from mlvitals.windows.exact_sum import CELLS, add_exact
from mlvitals.windows.layout import Layout, OutputLayout, Task
from mlvitals.windows.losses import exact_squares, log_losses, to_fixed
from mlvitals.windows.outcome_amounts import Judged, add_amounts
from mlvitals.windows.outcome_sums import LOSS_SUMS, MOMENT_SUMS, PROBABILITY_SUMS, rank_sums
from mlvitals.windows.pairs import Pairs
from mlvitals.windows.probabilities import unpack_probabilities
from mlvitals.windows.ranked import judge_rankings

Counts = npt.NDArray[np.int64]
Codes = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_DECISIONS: Final = 2


@dataclass(frozen=True, slots=True)
class Contributions:
    """Which labels count where: pair `rows[i]` adds `signs[i]` to age bucket `buckets[i]`."""

    rows: Codes
    buckets: Codes
    signs: Counts


def contributions(pairs: Pairs, maturities: Counts) -> Contributions:
    """Return what the pairs contribute to the age buckets that the maturities close.

    For maturity m the label with the greatest time among ages ≤ m counts, ties by content: the last pair of its bucket,
    as pairs are sorted. Where a later bucket has a label of its own, it takes the earlier one back: -1 and +1.

    Args:
        pairs: predictions with labels, sorted. Uncounted predictions contribute nothing.
        maturities: ascending ages in microseconds.

    """
    buckets = np.searchsorted(maturities, pairs.ages, side="left")
    rows = np.flatnonzero((buckets < len(maturities)) & ~pairs.uncounted)
    prediction, bucket = pairs.prediction[rows], buckets[rows]
    last = np.ones(len(rows), dtype=bool)
    last[:-1] = (prediction[1:] != prediction[:-1]) | (bucket[1:] != bucket[:-1])
    rows, prediction, bucket = rows[last], prediction[last], bucket[last]
    follows = np.flatnonzero(prediction[1:] == prediction[:-1]) + 1
    return Contributions(
        rows=np.concatenate([rows, rows[follows - 1]]),
        buckets=np.concatenate([bucket, bucket[follows]]),
        signs=np.concatenate([np.ones(len(rows), np.int64), -np.ones(len(follows), np.int64)]),
    )


@dataclass(frozen=True, slots=True)
class _Cells:
    """Where contributions are added, in place: element i adds signs[i] (times a value) to row buckets[i].

    outcomes: shape (rows, width), contiguous.
    """

    outcomes: Counts
    parts: Mapping[str, slice]
    buckets: Codes
    signs: Counts

    def only(self, mask: npt.NDArray[np.bool_]) -> "_Cells":
        return _Cells(self.outcomes, self.parts, self.buckets[mask], self.signs[mask])

    def count(self, name: str, places: Codes | int = 0, times: Counts | int = 1) -> None:
        """Add to a section's cells at these places."""
        self._add(self.parts[name].start + places, times)

    def count_either(self, names: tuple[str, str], flags: Flags, places: Codes) -> None:
        """Add to cells of the first section where a flag stands, of the second where it does not."""
        starts = np.where(flags, self.parts[names[0]].start, self.parts[names[1]].start)
        self._add(starts + places)

    def _add(self, columns: Codes, times: Counts | int = 1) -> None:
        np.add.at(self._flat, self._begins + columns, self.signs * times)

    @property
    def _flat(self) -> Counts:
        return self.outcomes.reshape(-1, copy=False)

    @property
    def _begins(self) -> Codes:
        begins: Codes = self.buckets * self.outcomes.shape[1]
        return begins

    def sum_exactly(self, names: Sequence[str], values: Sequence[Floats], groups: Codes | int = 0) -> None:
        """Add finite values to sections, those of each to one of them.

        groups: which of a section's sums each value is added to, where it has several.
        """
        first = self._begins + groups * CELLS
        for name, added in zip(names, values, strict=True):
            add_exact(self._flat, first + self.parts[name].start, added, self.signs)

    def sum_losses(self, brier: Floats, log_loss: Floats) -> None:
        """Add what probabilities are off by, and the squares of that."""
        values = (brier, brier * brier, log_loss, log_loss * log_loss)
        self.sum_exactly(PROBABILITY_SUMS, values)


def add_outcomes(outcomes: Counts, layout: Layout, pairs: Pairs, what: Contributions) -> None:
    """Add contributions of one cohort to its outcome rows, shape (buckets, layout.outcome_size), in place."""
    cells = _Cells(outcomes, layout.outcome_sections, what.buckets, what.signs)
    told = ~pairs.silent[what.rows]
    cells.only(told).count("labelled")
    cells.only(told).count("delays", delay_bins(pairs.ages[what.rows[told]]))
    scores = pairs.scores[what.rows]
    if layout.output.task is Task.REGRESSION:
        labels = pairs.contents.take(what.rows).map(as_number, np.float64)
        _add_errors(cells, layout.output, scores, labels)
        return
    if layout.output.task is Task.RANKING:
        packed = [pairs.vectors[row] for row in what.rows.tolist()]
        _add_rankings(cells, layout.output, packed, pairs.contents.take(what.rows))
        return
    predicted, true = _class_codes(layout, pairs, what.rows)
    side = len(layout.outcome_classes)
    cells.count("confusion", predicted * side + true)
    if layout.counts_amounts:
        amounts = pairs.stakes if layout.amount != wire.AMOUNT else pairs.amounts
        add_amounts(outcomes, layout, what.buckets, what.signs, Judged(predicted, true, scores, amounts[what.rows]))
    if layout.output.task is Task.BINARY:
        _add_score(cells, layout.output, scores, true == 1, predicted == 1)
        if "weighed" in cells.parts:
            _add_weights(cells, pairs.propensities[what.rows], predicted, true)
    else:
        judged = is_judged(predicted, true, side)
        right = (predicted == true)[judged]
        _add_score(cells.only(judged), layout.output, scores[judged], right, np.zeros_like(right))
        if "distributions" in cells.parts:
            known = true < side - 2  # of a rare class's probability nothing is remembered
            packed = [pairs.vectors[row] for row in what.rows[known].tolist()]
            _add_distributions(cells.only(known), layout.output, packed, true[known])


def is_judged(predicted: Codes, true: Codes, side: int) -> npt.NDArray[np.bool_]:
    """Tell where it is known whether a class is right, by codes among `side` outcome classes of many.

    It is not where nothing was predicted, nor where a rare class met the rare classes that share a code with it.
    """
    other, missing = side - 2, side - 1
    judged: npt.NDArray[np.bool_] = (predicted != missing) & ~((predicted == other) & (true == other))
    return judged


def _add_errors(cells: _Cells, output: OutputLayout, values: Floats, labels: Floats) -> None:
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        errors = values - labels
        squared, relative = errors * errors, np.abs(errors) / np.abs(labels)
        high, low = exact_squares(labels)
        usable = np.isfinite(squared) & np.isfinite(high) & np.isfinite(low)
    cells = cells.only(usable)
    cells.count("measured")
    off = errors[usable]
    values_of_sums = (np.abs(off), squared[usable], off, labels[usable], high[usable])
    cells.sum_exactly(("absolute", "squared", "signed", "label", "label_squared"), values_of_sums)
    cells.sum_exactly(("label_squared",), (low[usable],))
    if output.score is not None:
        groups = output.group_codes[find_bins(values[usable], output.score.array)]
        _add_losses(cells, groups, off)
        _add_moments(cells, off, labels[usable] - output.middle)
    defined = np.isfinite(relative[usable])
    cells = cells.only(defined)
    cells.count("relative_rows")
    relative = relative[usable][defined]
    with np.errstate(over="ignore"):
        cells.sum_exactly(("relative", "relative_squared"), (relative, _bounded(relative * relative)))


def _add_losses(cells: _Cells, groups: Codes, errors: Floats) -> None:
    """Add errors by the drift bin of the value that was predicted."""
    squared = errors * errors
    with np.errstate(over="ignore"):
        fourth = _bounded(squared * squared)
    cells.count("loss_rows", groups)
    cells.sum_exactly(LOSS_SUMS, (np.abs(errors), squared, errors, fourth), groups)


def _add_moments(cells: _Cells, errors: Floats, distances: Floats) -> None:
    """Add what errors and labels have to do with each other: distances are the labels' from a fixed number."""
    with np.errstate(over="ignore"):
        crossed, squares = errors * distances, distances * distances
        moments = (errors * crossed, crossed * crossed, squares * distances, squares * squares)
    cells.sum_exactly(MOMENT_SUMS, [_bounded(values) for values in moments])


def _bounded(values: Floats) -> Floats:
    """Return values, those past all doubles as the largest one: who reads their sum sees that it is no sum."""
    most = np.finfo(np.float64).max
    return np.clip(values, -most, most)


def _add_score(cells: _Cells, output: OutputLayout, scores: Floats, true: Flags, acted: Flags) -> None:
    """Add what scores said of events (the positive class, or the predicted one) that came `true` or did not.

    acted: which decisions were positive, in a binary task.
    """
    bins = output.score
    if bins is None:
        return
    codes = np.where(np.isnan(scores), bins.size + MISSING, find_bins(scores, bins.array))
    codes = np.where(np.isinf(scores), bins.size + NON_FINITE, codes)
    if output.task is Task.BINARY:
        cells.count_either(("positives", "negatives"), true, codes)
        acted = acted & (codes < bins.size)
        cells.only(acted).count_either(("acted_positives", "acted_negatives"), true[acted], codes[acted])
    if not output.probability:
        return
    inside = (scores >= 0) & (scores <= 1)
    cells.only(~inside & ~np.isnan(scores)).count("improbable")
    cells, scores, true = cells.only(inside), scores[inside], true[inside]
    cells.count("measured")
    groups = output.group_codes[codes[inside]]
    runs: tuple[Counts | int, ...] = (1, true.astype(np.int64), to_fixed(scores), to_fixed(scores * scores))
    for run, times in enumerate(runs):
        cells.count("calibration", run * output.group_count + groups, times)
    if output.task is Task.BINARY:
        cells.sum_losses(np.square(scores - true), log_losses(np.where(true, scores, 1 - scores)))


def _add_weights(cells: _Cells, propensities: Floats, predicted: Codes, true: Codes) -> None:
    """Add what labelled predictions stand for, 1 ÷ their propensity each, by decision and true class."""
    weighed = (propensities > 0) & (predicted < _DECISIONS)
    cells, weights = cells.only(weighed), 1 / propensities[weighed]
    groups = predicted[weighed] * _DECISIONS + true[weighed]
    cells.count("weighed", groups)
    cells.sum_exactly(("weight", "weight_squared"), (weights, weights * weights), groups)


def _add_distributions(cells: _Cells, output: OutputLayout, packed: Sequence[bytes | None], true: Codes) -> None:
    """Add what the probabilities of all classes said of the one that came true, by its place in the layout's order."""
    vectors = unpack_probabilities(packed, output, true)
    cells.only(vectors.improper).count("improper")
    cells = cells.only(vectors.usable)
    cells.count("distributions")
    # Σ (p - y)² is that of the other classes and that of the true one: both are sums of squares, so never below 0.
    others = vectors.squares - np.square(vectors.chances)
    cells.sum_losses(others + np.square(1 - vectors.chances), log_losses(vectors.chances))


def _add_rankings(cells: _Cells, output: OutputLayout, packed: Sequence[bytes | None], contents: Coded) -> None:
    """Add how good rankings were, by what labels say was relevant."""
    judged = judge_rankings(packed, contents, output.cutoffs)
    cells.only(judged.nothing_relevant).count("nothing_relevant")
    cells = cells.only(judged.measured)
    cells.count("measured")
    for cutoff in output.cutoffs:
        values = [judged.values[f"{metric}@{cutoff}"] for metric in ("ndcg", "map")]
        cells.sum_exactly(rank_sums(cutoff), [power for one in values for power in (one, one * one)])


def _class_codes(layout: Layout, pairs: Pairs, rows: Codes) -> tuple[Codes, Codes]:
    """Return predicted and true codes among `layout.outcome_classes`."""
    classes = layout.outcome_classes
    missing = len(classes) - 1
    if layout.output.task is Task.BINARY:
        positive = layout.output.positive
        known, other = {positive: 1}, 0
    else:
        known, other = {name: code for code, name in enumerate(classes[:-2])}, missing - 1
    decisions, truths = pairs.decisions.take(rows), pairs.contents.take(rows)
    predicted = decisions.map(lambda text: missing if text is None else known.get(text, other), np.intp)
    return predicted, truths.map(lambda text: known.get(text or "", other), np.intp)


def as_number(text: str | None) -> float:
    """Return what a label says as a number; NaN where it says none."""
    try:
        return float(text or "")
    except ValueError:
        return float("nan")
