"""What predictions of a binary task add to the sums of money, and how these are read."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mlvitals import wire
from mlvitals.windows.amounts import MONEY_CELLS, is_amount, read_monies, to_money
from mlvitals.windows.binning import find_bins
from mlvitals.windows.groups import Grouping
from mlvitals.windows.layout import Layout
from mlvitals.windows.summary import Counts, Summary

if TYPE_CHECKING:
    from mlvitals.windows.summarize import Columns

Floats = npt.NDArray[np.float64]


def count_amounts(columns: "Columns", layout: Layout, grouping: Grouping) -> dict[str, Counts]:
    """Return the served parts of a batch's amounts, each of shape (groups, its size); none where none are counted."""
    parts, score = layout.served_sections, layout.output.score
    if "score_amount" not in parts or score is None:
        return {}
    groups = len(grouping.bounds) - 1
    counted = {
        name: np.zeros((groups, parts[name].stop - parts[name].start), dtype=np.int64)
        for name in ("score_amount", "score_unpriced")
    }
    read = columns.numbers(wire.PREDICTION_SCORE)
    if read is None:
        return counted
    scores = read.values[grouping.order]
    positive = columns.positive(layout)[grouping.order]
    of_group = np.repeat(np.arange(groups), np.diff(grouping.bounds))
    amounts = amounts_of(columns, layout)[grouping.order]
    finite, priced = np.isfinite(scores), is_amount(amounts)
    missing = finite & ~priced
    np.add.at(counted["score_unpriced"], (of_group[missing], positive[missing].astype(np.intp)), 1)
    chosen = finite & priced
    places = positive[chosen] * score.size + find_bins(scores[chosen], score.array)
    for cell, money in enumerate(to_money(amounts[chosen])):
        np.add.at(counted["score_amount"], (of_group[chosen], cell * 2 * score.size + places), money)
    return counted


def amounts_of(columns: "Columns", layout: Layout) -> Floats:
    """Return what is at stake in each row of a batch by the column that the layout names, NaN where that is unknown."""
    name = wire.AMOUNT if layout.amount is None else layout.amount
    read = columns.numbers(name)
    return np.full(columns.batch.num_rows, np.nan) if read is None else read.values


def served_amounts(summary: Summary) -> Floats:
    """Return the amounts of negative and of positive decisions by score bin, shape (2, bins)."""
    cells = summary.served[summary.layout.served_sections["score_amount"]]
    return read_monies(cells.reshape(MONEY_CELLS, 2, -1))


def served_unpriced(summary: Summary, positive: int) -> int:
    """Return how many negative (0) or positive (1) decisions with a score have no usable amount."""
    return int(summary.served[summary.layout.served_sections["score_unpriced"]][positive])
