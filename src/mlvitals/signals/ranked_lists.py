"""How good rankings were, from exact sums of each one's value and of its square."""

from collections.abc import Iterator

from mlvitals.signals.confusion import Score
from mlvitals.signals.intervals import mean_interval_by_sums
from mlvitals.windows.outcome_sums import rank_sums
from mlvitals.windows.summary import Outcome


def ranking_scores(outcome: Outcome) -> Iterator[Score]:
    """Yield the means of `ndcg@k` and `map@k` for each cutoff k, over the rankings with anything relevant.

    Intervals are Student's, cut at 0 and 1, between which every value lies. Evidence: labelled rows that are left out,
    and those of them whose label names nothing relevant.
    """
    rows = outcome.measured
    if rows == 0:
        return
    told = {"left_out": float(outcome.labelled - rows), "nothing_relevant": float(outcome.count("nothing_relevant"))}
    for cutoff in outcome.layout.output.cutoffs:
        names = rank_sums(cutoff)
        for name, square in zip(names[::2], names[1::2], strict=True):
            ends = mean_interval_by_sums(outcome.exact_total(name), outcome.exact_total(square), rows)
            lower, upper = (None, None) if ends is None else (max(0.0, ends.lower), min(1.0, ends.upper))
            yield Score(name, outcome.total(name) / rows, rows, lower, upper, told)
