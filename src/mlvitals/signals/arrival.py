"""How labels of a binary model come by an age: by decision and true class, as matured cohorts showed."""

from typing import NamedTuple

from mlvitals.signals.delay_curve import LEAST_COHORTS, Curve, curve_of
from mlvitals.windows.matured import Matured


class Arrival(NamedTuple):
    """How labels of one decision come by an age; None where matured cohorts do not show it.

    negatives, positives: the chance that one of this class has come. ever: the chance of coming by the last maturity;
    where `complete`, every prediction gets its label by then.
    """

    negatives: Curve | None
    positives: Curve | None
    ever: Curve | None
    complete: bool

    @property
    def is_known(self) -> bool:
        """Whether it says anything of labels that are missing."""
        total = self.complete or self.ever is not None
        return total and (self.negatives is not None or self.positives is not None)


def arrivals(matured: Matured) -> tuple[Arrival, Arrival]:
    """Return how labels of negative and of positive decisions come by the age at which this had matured."""
    final = matured.final.sum(axis=2)
    negative, positive = (
        Arrival(
            negatives=curve_of(matured.known[:, decision, 0], matured.final[:, decision, 0]),
            positives=curve_of(matured.known[:, decision, 1], matured.final[:, decision, 1]),
            ever=curve_of(final[:, decision], matured.served[:, decision]),
            complete=bool((final[:, decision] >= matured.served[:, decision]).all()),
        )
        for decision in (0, 1)
    )
    return negative, positive


def why_unknown(matured: Matured) -> str:
    """Say why nothing is known of how a decision's labels come."""
    if len(matured.served) < LEAST_COHORTS:
        return f"fewer than {LEAST_COHORTS} cohorts had matured"
    return "too few labels of matured cohorts had come by this age"
