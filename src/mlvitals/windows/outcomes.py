"""From joined labels to outcome counts: what a set of labels adds to each age bucket of its cohort."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlvitals.windows.binning import find_bins
from mlvitals.windows.exact_sum import CELLS, add_exact
from mlvitals.windows.labels import Pairs
from mlvitals.windows.layout import MISSING, NON_FINITE, Layout, Task

Counts = npt.NDArray[np.int64]
Codes = npt.NDArray[np.intp]


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


def add_outcomes(outcomes: Counts, layout: Layout, pairs: Pairs, what: Contributions) -> None:
    """Add contributions of one cohort to its outcome rows, shape (buckets, layout.outcome_size), in place."""
    parts = layout.outcome_sections
    np.add.at(outcomes, (what.buckets, parts["labelled"].start), what.signs)
    if layout.output.task is Task.REGRESSION:
        _add_errors(outcomes, layout, pairs, what)
        return
    predicted, true = _class_codes(layout, pairs, what.rows)
    side = len(layout.outcome_classes)
    np.add.at(outcomes, (what.buckets, parts["confusion"].start + predicted * side + true), what.signs)
    if "brier" in parts:
        _add_scores(outcomes, layout, pairs, what, true)


def _add_errors(outcomes: Counts, layout: Layout, pairs: Pairs, what: Contributions) -> None:
    labels = np.array([_number(pairs.contents[row]) for row in what.rows], dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        errors = pairs.scores[what.rows] - labels
        terms = {"absolute": np.abs(errors), "squared": errors * errors}
    _add_sums(outcomes, layout, what, terms)


def _add_scores(outcomes: Counts, layout: Layout, pairs: Pairs, what: Contributions, true: Codes) -> None:
    bins = layout.output.score
    assert bins is not None  # noqa: S101  # the section exists only with scores
    scores, positive = pairs.scores[what.rows], true == 1
    codes = np.where(np.isnan(scores), bins.size + MISSING, find_bins(scores, bins.array))
    codes = np.where(np.isinf(scores), bins.size + NON_FINITE, codes)
    parts = layout.outcome_sections
    offsets = np.where(positive, parts["positives"].start, parts["negatives"].start)
    np.add.at(outcomes, (what.buckets, offsets + codes), what.signs)
    with np.errstate(over="ignore", invalid="ignore"):
        terms = {"brier": np.square(scores - positive)}
    _add_sums(outcomes, layout, what, terms)


def _add_sums(outcomes: Counts, layout: Layout, what: Contributions, terms: dict[str, npt.NDArray[np.float64]]) -> None:
    parts = layout.outcome_sections
    usable = np.logical_and.reduce([np.isfinite(values) for values in terms.values()])
    buckets, signs = what.buckets[usable], what.signs[usable]
    np.add.at(outcomes, (buckets, parts["measured"].start), signs)
    for name, values in terms.items():
        cells = np.zeros((len(outcomes), CELLS), dtype=np.int64)
        add_exact(cells, buckets, values[usable], signs)
        outcomes[:, parts[name]] += cells


def _class_codes(layout: Layout, pairs: Pairs, rows: Codes) -> tuple[Codes, Codes]:
    """Return predicted and true codes among `layout.outcome_classes`."""
    classes = layout.outcome_classes
    missing = len(classes) - 1
    if layout.output.task is Task.BINARY:
        positive = layout.output.positive
        known, other = {positive: 1}, 0
    else:
        known, other = {name: code for code, name in enumerate(classes[:-2])}, missing - 1
    decisions = [pairs.decisions[row] for row in rows]
    predicted = [missing if decision is None else known.get(decision, other) for decision in decisions]
    true = [known.get(pairs.contents[row], other) for row in rows]
    return np.array(predicted, dtype=np.intp), np.array(true, dtype=np.intp)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
