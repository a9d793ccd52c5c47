"""What scores meant in the reference: the chance of the positive class, by score bin."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.signals.made_once import made_once
from mlvitals.signals.prediction_drift import coarse_bins
from mlvitals.windows.bins import NumericBins
from mlvitals.windows.layout import Task
from mlvitals.windows.summary import Counts, Outcome, Summary

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Calibrator:
    """The chance of the positive class for each score bin, and how well the reference knows it.

    chances: by score bin, never falling, shape (bins,). blocks: which chances are one and are uncertain together, a
    code for each bin. variances: of each block's chance. outside: the bins below the least score that the reference has
    a label of, or above the greatest; they take the chance of the nearest block. rows, positives: labels that it rests
    on.
    """

    chances: Floats
    blocks: Codes
    variances: Floats
    outside: npt.NDArray[np.bool_]
    rows: int
    positives: int

    @property
    def base_rate(self) -> float:
        """The share of positives among the reference's labels."""
        return self.positives / self.rows

    @property
    def bin_variances(self) -> Floats:
        """The variance of each bin's chance; bins of one block err together."""
        return self.variances[self.blocks]

    def sum_by_block(self, values: Floats) -> Floats:
        """Return sums over the bins of each block, shape (blocks,), of values by bin."""
        return np.bincount(self.blocks, values, minlength=len(self.variances)).astype(np.float64)


def fit_calibrator(negatives: Counts, positives: Counts, bins: NumericBins) -> Calibrator | None:
    """Return the isotonic fit of labels to scores; None where no label has a score, or all labels are alike.

    Neighbouring bins whose shares of positives fall are pooled until none does (pool adjacent violators), so that a
    block's chance is its share of positives. A bin without labels takes the chance that lies between its neighbours'
    where its middle lies between theirs. A block's chance is uncertain as Jeffreys' posterior says:
    Beta(positives + ½, negatives + ½).

    Args:
        negatives: labels by ascending score bin, shape (bins,).
        positives: labels by ascending score bin, shape (bins,).
        bins: of the score.

    Sources: Ayer, Brunk, Ewing, Reid and Silverman (1955), "An empirical distribution function for sampling with
    incomplete information", Annals of Mathematical Statistics 26; Zadrozny and Elkan (2002), "Transforming classifier
    scores into accurate multiclass probability estimates", KDD.

    """
    rows = negatives + positives
    known = np.flatnonzero(rows)
    if positives.sum() == 0 or negatives.sum() == 0:
        return None
    shares, members = _pool(positives[known], rows[known])
    hits = np.bincount(members, positives[known]) + 0.5
    misses = np.bincount(members, negatives[known]) + 0.5
    total = hits + misses
    middles = _middles(bins)
    nearest = np.clip(np.searchsorted(known, np.arange(bins.size), side="right") - 1, 0, None)
    places = np.arange(bins.size)
    return Calibrator(
        chances=np.interp(middles, middles[known], shares),
        blocks=members[nearest],
        variances=hits * misses / (total**2 * (total + 1)),
        outside=(places < known[0]) | (places > known[-1]),
        rows=int(rows.sum()),
        positives=int(positives.sum()),
    )


def _calibrate(reference: Summary) -> Calibrator | None:
    output = reference.layout.output
    if output.task is not Task.BINARY or output.score is None or not len(reference.outcomes):
        return None
    outcome = reference.outcome(len(reference.outcomes) - 1)
    return fit_calibrator(outcome.negatives, outcome.positives, output.score)


calibrator_of: Final = made_once(_calibrate)
"""Return what a binary reference's labels say of its scores; None where they say nothing."""


def graded_confidence(outcome: Outcome) -> tuple[Counts, Counts]:
    """Return, by drift bin of the score, how many classes were predicted wrongly and rightly; of many classes."""
    rows, right, *_ = outcome.calibration
    return rows - right, right


def _trust(reference: Summary) -> Calibrator | None:
    output = reference.layout.output
    if output.task is not Task.MULTICLASS or output.score is None or not output.probability:
        return None
    if not len(reference.outcomes):
        return None
    wrong, right = graded_confidence(reference.outcome(len(reference.outcomes) - 1))
    return fit_calibrator(wrong, right, coarse_bins(output.score, output.groups)[0])


confidence_of: Final = made_once(_trust)
"""Return what a reference's labels say of the score of the predicted class, of many; None where they say nothing.

Positive is a class that was predicted rightly, and the bins are the score's drift bins.
"""


def _pool(positives: Counts, rows: Counts) -> tuple[Floats, Codes]:
    """Return each bin's pooled share, and the code of its block; every bin has rows."""
    held: list[tuple[int, int, int]] = []  # positives, rows, bins: whole numbers, so that shares compare exactly
    for hits, total in zip(positives.tolist(), rows.tolist(), strict=True):
        block = (hits, total, 1)
        while held and held[-1][0] * block[1] >= block[0] * held[-1][1]:
            last = held.pop()
            block = (last[0] + block[0], last[1] + block[1], last[2] + block[2])
        held.append(block)
    members = np.repeat(np.arange(len(held)), [size for *_, size in held])
    return np.array([hits / total for hits, total, _ in held])[members], members


def _middles(bins: NumericBins) -> Floats:
    """Return a number in each bin: the score of a point, the middle of an interval, the end of what is open."""
    if not bins.edges:
        return np.zeros(1)
    edges = bins.array
    lower, upper = edges[:-1], edges[1:]
    inner = np.where(bins.is_point[1:-1], lower, lower / 2 + upper / 2)
    return np.concatenate([[np.nextafter(edges[0], -np.inf)], inner, edges[-1:]])
