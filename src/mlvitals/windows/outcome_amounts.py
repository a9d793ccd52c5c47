"""What labels add to the sums of money of a binary task, and how these are read."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mlvitals.windows.amounts import MONEY_CELLS, is_amount, read_money, read_monies, to_money
from mlvitals.windows.binning import find_bins
from mlvitals.windows.exact_sum import add_exact
from mlvitals.windows.layout import Layout
from mlvitals.windows.summary import Counts, Outcome

Codes = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]


class Judged(NamedTuple):
    """Labelled predictions of a binary task, each of shape (labels,).

    predicted, true: codes of `layout.outcome_classes`. scores, amounts: NaN where there is none.
    """

    predicted: Codes
    true: Codes
    scores: Floats
    amounts: Floats


def add_amounts(outcomes: Counts, layout: Layout, buckets: Codes, signs: Counts, judged: Judged) -> None:
    """Add the amounts of labelled predictions to outcome rows, in place.

    Args:
        outcomes: shape (buckets, layout.outcome_size), contiguous.
        layout: one that counts amounts.
        buckets: for each label its age bucket.
        signs: +1 adds it, -1 takes it back.
        judged: the labels.

    """
    predicted, true, scores, amounts = judged
    parts, side, score = layout.outcome_sections, len(layout.outcome_classes), layout.output.score
    priced = is_amount(amounts)
    cells = predicted * side + true
    np.add.at(outcomes, (buckets[~priced], parts["unpriced"].start + cells[~priced]), signs[~priced])
    money = np.zeros((MONEY_CELLS, len(amounts)), dtype=np.int64)
    money[:, priced] = to_money(amounts[priced]) * signs[priced]
    _add_money(outcomes, parts["amount"], buckets, cells, money)
    for name, cell in (("missed_squared", 1), ("false_squared", side)):
        mine = priced & (cells == cell)
        begins = buckets[mine] * outcomes.shape[1] + parts[name].start
        add_exact(outcomes.reshape(-1, copy=False), begins, np.square(amounts[mine]), signs[mine])
    if score is None:
        return
    bins = find_bins(scores, score.array)
    for name, code in (("positive_amount", 1), ("negative_amount", 0)):
        mine = priced & np.isfinite(scores) & (true == code)
        _add_money(outcomes, parts[name], buckets[mine], bins[mine], money[:, mine])


def _add_money(outcomes: Counts, part: slice, buckets: Codes, places: Codes, money: Counts) -> None:
    size = (part.stop - part.start) // MONEY_CELLS
    for cell, values in enumerate(money):
        np.add.at(outcomes, (buckets, part.start + cell * size + places), values)


def amount_of(outcome: Outcome, predicted: int, true: int) -> Fraction:
    """Return the exact sum of the amounts of labels that were predicted so and came true so, by 0 and 1."""
    side = len(outcome.layout.outcome_classes)
    cells = outcome.cells[outcome.layout.outcome_sections["amount"]].reshape(MONEY_CELLS, -1)
    return read_money(cells[:, predicted * side + true])


def unpriced(outcome: Outcome, predicted: int, true: int) -> int:
    """Return how many labels that were predicted so and came true so have no usable amount."""
    side = len(outcome.layout.outcome_classes)
    return int(outcome.cells[outcome.layout.outcome_sections["unpriced"]][predicted * side + true])


def amounts_by_score(outcome: Outcome) -> Floats:
    """Return the amounts of negative and of positive labels by score bin, shape (2, bins)."""
    sections = outcome.layout.outcome_sections
    return np.stack(
        [
            read_monies(outcome.cells[sections[name]].reshape(MONEY_CELLS, -1))
            for name in ("negative_amount", "positive_amount")
        ]
    )
