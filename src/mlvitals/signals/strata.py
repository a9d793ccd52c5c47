"""Predictions of a decision by score, and how many of each stratum have their label: what selection goes by."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mlvitals.signals.selection import decided
from mlvitals.windows.summary import Counts, Outcome, Summary

Flags = npt.NDArray[np.bool_]

# A stratum is no finer than this: so many predictions, of which so many would be labelled were all labelled alike.
_SERVED: Final = 30
_LABELLED: Final = 20
_MOST_STRATA: Final = 50
# Of fewer labels nobody would tell what the others of a stratum are like.
LEAST_LABELS: Final = 5


class Strata(NamedTuple):
    """The predictions of one decision: neighbouring bins of the score by ascending one, then those without any.

    served: predictions, shape (strata,). labelled: those with a label by true class, shape (strata, 2).
    """

    served: Counts
    labelled: Counts

    @property
    def identified(self) -> Flags:
        """Whether there are labels enough to say what the others are like, or no others."""
        labels = self.labelled.sum(axis=1)
        return np.asarray((labels >= LEAST_LABELS) | (labels == self.served))


def strata_of(current: Summary, outcome: Outcome | None) -> tuple[Strata, Strata] | None:
    """Return the strata of negative and of positive decisions; None where a binary cohort's are not counted.

    Neighbouring bins are joined up to 30 predictions, a fiftieth of the decision's, and as many as would have 20 labels
    were all bins labelled alike. So which ones are labelled, and as what, chooses nothing.
    """
    cohort, by_score = decided(current, outcome), current.decisions_by_score
    if cohort is None or outcome is None or by_score is None:
        return None
    labelled = outcome.by_decision
    served = np.column_stack([by_score, np.array(cohort.served) - by_score.sum(axis=1)])
    labelled = np.concatenate([labelled, (cohort.labelled - labelled.sum(axis=2))[:, :, None]], axis=2)
    # Labels of more predictions than were served are of no cohort that was counted.
    if min(served.min(), labelled.min()) < 0 or (labelled.sum(axis=1) > served).any():
        return None
    negative, positive = (_joined(*one) for one in zip(served, labelled, strict=True))
    return negative, positive


def _joined(served: Counts, labelled: Counts) -> Strata:
    """Return a decision's strata from its counts by score bin, the last of which is of rows without a score.

    served: shape (bins + 1,); labelled: by true class, shape (2, bins + 1).
    """
    running = served[:-1].cumsum()
    total = int(running[-1])
    all_of_them, labels = int(served.sum()), max(1, int(labelled.sum()))
    least = max(_SERVED, -(-all_of_them // _MOST_STRATA), -(-all_of_them * _LABELLED // labels))
    starts, done = [0], 0
    while total - done >= 2 * least:
        end = int(np.searchsorted(running, done + least))
        done = int(running[end])
        if total - done < least:
            break
        starts.append(end + 1)
    starts.append(len(running))
    joined = Strata(np.add.reduceat(served, starts), np.add.reduceat(labelled, starts, axis=1).T)
    held = joined.served > 0
    return Strata(joined.served[held], joined.labelled[held])
