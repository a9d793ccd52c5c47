"""A window in which everything occurs: whatever can be measured of a layout is measured of it."""

from typing import Final

import numpy as np

from mlvitals.windows.bins import OTHER, SPECIALS
from mlvitals.windows.exact_sum import CELLS, add_exact
from mlvitals.windows.layout import Layout, Task
from mlvitals.windows.losses import FIXED_POINT
from mlvitals.windows.outcome_sums import CALIBRATION_RUNS, LOSS_SUMS
from mlvitals.windows.summary import Counts, Summary

# Rows in each cell: more than any signal asks for, uneven so that no two windows agree and no number is short.
_LEAST: Final = 1_009
_SPREAD: Final = 97
_STEP: Final = 7_919  # a prime, so that the counts go through all of the spread

# What takes from what is defined: rows whose scores, probabilities or amounts are none.
_FAULTS: Final = frozenset({"improper", "improbable", "unpriced", "nothing_relevant"})


def saturated(layout: Layout, seed: int = 0) -> Summary:
    """Return a summary with rows in every bin, and labels of every kind in one age bucket; other seeds, other rows."""
    summary = Summary.empty(layout, buckets=1)
    summary.served[:] = _uneven(layout.served_size, seed)
    if "positive_score" in layout.served_sections:
        summary.served[layout.served_sections["positive_score"]] //= 2  # of those of the score
    # More were served than stand in any one column, so that every share is one.
    summary.served[layout.served_sections["predictions"]] = int(summary.served.sum())
    for name, section in layout.outcome_sections.items():
        if name not in _FAULTS:
            summary.outcomes[0, section] = _outcomes(name, section.stop - section.start, seed)
    if "negatives" in layout.outcome_sections:
        _match_decisions(summary)
    if layout.output.task is Task.BINARY and layout.output.classes is not None:
        _match_classes(summary)
    if "weighed" in layout.outcome_sections:
        _match_weights(summary)
    # So many of the predictions have their label that every quantile of its delay is known.
    delays = summary.outcomes[0, layout.outcome_sections["delays"]]
    delays[:] = summary.predictions // len(delays)
    return summary


def _match_decisions(summary: Summary) -> None:
    """Make labels by score and by decision the same ones, each of a class and with a score, half of them mistaken."""
    row, parts = summary.outcomes[0], summary.layout.outcome_sections
    confusion = row[parts["confusion"]].reshape(3, 3)
    confusion[:] = 0
    for true, name in enumerate(("negatives", "positives")):
        row[parts[name]] //= 4
        row[parts[name]][-SPECIALS:] = 0
        rows = int(row[parts[name]].sum())
        acted = row[parts[f"acted_{name}"]]
        acted[:] = row[parts[name]][:-SPECIALS] // 2
        confusion[:2, true] = rows - int(acted.sum()), int(acted.sum())
    row[parts["labelled"]] = confusion.sum()


def _match_classes(summary: Summary) -> None:
    """Have of each decision as many predictions as stand in its score bins, or at least as many as are labelled."""
    layout, bins = summary.layout, summary.layout.output.classes
    classes, by_score = summary.served[layout.served_sections["class"]], summary.decisions_by_score
    if by_score is None or bins is None or summary.decisions is None:
        classes += int(summary.outcome(0).confusion.sum())
        return
    positive = bins.values.index(layout.output.positive)
    negative = next((code for code in range(bins.size) if code != positive), bins.size + OTHER)
    classes[positive] = int(by_score[1].sum())
    classes[negative] += int(by_score[0].sum()) - summary.decisions[0]


def _match_weights(summary: Summary) -> None:
    """Have labels stand for the predictions of their decision, unevenly."""
    row, parts = summary.outcomes[0], summary.layout.outcome_sections
    labels, served = summary.outcome(0).confusion[:2, :2], summary.decisions
    if served is None:
        return
    weights = labels * np.array(served)[:, None] / labels.sum(axis=1, keepdims=True)
    row[parts["weighed"]] = labels.ravel()
    for name, sums in (("weight", weights), ("weight_squared", 1.3 * weights**2 / labels)):
        row[parts[name]] = np.concatenate([_sum(value) for value in sums.ravel().tolist()])


def _outcomes(name: str, size: int, seed: int) -> Counts:
    if name == "calibration":
        return _calibrated(size // CALIBRATION_RUNS, seed)
    if name in LOSS_SUMS:
        return np.tile(_sum(1.7 * _LEAST), size // CELLS)
    if size == CELLS:
        return _sum(_uneven(1, seed)[0] * _power(name))
    return _uneven(size, seed)


def _power(name: str) -> float:
    """Return a mean of what is summed: higher powers are not those of the mean, so that everything varies."""
    if name == "label_fourth":
        return 1e3
    if "@" in name:
        return 0.5 if name.endswith("squared") else 0.6
    return 5.0 if name.endswith("squared") else 1.7


def _calibrated(bins: int, seed: int) -> Counts:
    """Return what scores around one half say, each bin's rows of them."""
    rows = _uneven(bins, seed)
    scores = (rows * (FIXED_POINT / 2)).astype(np.int64)
    return np.concatenate([rows, rows // 3, scores, (rows * (FIXED_POINT / 3.1)).astype(np.int64)])


def _uneven(size: int, seed: int) -> Counts:
    counts: Counts = _LEAST + (np.arange(size, dtype=np.int64) + seed) * _STEP % _SPREAD
    return counts


def _sum(value: float) -> Counts:
    cells: Counts = np.zeros(CELLS, dtype=np.int64)
    add_exact(cells, np.zeros(1, dtype=np.intp), np.array([value]), np.ones(1, dtype=np.int64))
    return cells
