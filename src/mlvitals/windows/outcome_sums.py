"""The parts of what labels add up to that go by a name in more than one place."""

from collections.abc import Sequence
from typing import Final

from mlvitals.windows.exact_sum import CELLS

# Of the score's calibration, for each of its drift bins: rows, those that came true, Σ score and Σ score².
CALIBRATION_RUNS: Final = 4

# Of a regression's errors, for each drift bin of the value an exact sum.
LOSS_SUMS: Final = ("loss_absolute", "loss_squared", "loss_signed", "loss_fourth")

# Of a regression with bins, what the interval of R² needs beside: with the error e and the label's distance d from the
# middle of the bins, exact sums of e²·d, e²·d², d³ and d⁴.
MOMENT_SUMS: Final = ("cross_first", "cross_second", "label_third", "label_fourth")

# Of probabilities: what each row is off by, and the square of that.
PROBABILITY_SUMS: Final = ("brier", "brier_squared", "log_loss", "log_loss_squared")

# Of labels that are weighed, by decision × true class, negative before positive: how many there are, and the exact sums
# of their weights, 1 ÷ propensity, and of the squares of these.
_GROUPS: Final = 4
WEIGHT_SIZES: Final = {"weighed": _GROUPS, "weight": CELLS * _GROUPS, "weight_squared": CELLS * _GROUPS}

# The places at which a ranking's metrics may be cut: few, for each is series.
CUTOFFS: Final = (1, 3, 5, 10, 20, 50, 100)
RANK_METRICS: Final = tuple(f"{metric}@{cutoff}" for metric in ("ndcg", "map") for cutoff in CUTOFFS)


def rank_sums(cutoff: int) -> tuple[str, ...]:
    """Return the exact sums of rankings' metrics cut at a place: of each value, and of its square."""
    return tuple(f"{metric}@{cutoff}{power}" for metric in ("ndcg", "map") for power in ("", "_squared"))


def rank_sizes(cutoffs: Sequence[int]) -> dict[str, int]:
    """Return the sizes of what labels add up to in a ranking.

    `measured` rows have a ranking and a label that says what was relevant, `nothing_relevant` ones a label that names
    nothing. For each cutoff stand the exact sums of `rank_sums` over the measured rows.
    """
    sums = [name for cutoff in cutoffs for name in rank_sums(cutoff)]
    return {"measured": 1, "nothing_relevant": 1} | dict.fromkeys(sums, CELLS)


def loss_sizes(bins: int) -> dict[str, int]:
    """Return the sizes of what errors of a regression add up to by so many drift bins of the value."""
    return {"loss_rows": bins, **dict.fromkeys(LOSS_SUMS, CELLS * bins), **dict.fromkeys(MOMENT_SUMS, CELLS)}
