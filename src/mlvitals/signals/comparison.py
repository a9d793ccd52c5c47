"""What a window is compared with, and when it can be."""

from enum import StrEnum
from typing import Final

from mlvitals.signals.spec import Evidence, Export
from mlvitals.windows.summary import Summary

# The least rows of a window whose drift is judged. Where nothing changed, three standard errors are then below the
# thresholds: 3 ÷ √100 = 0.3 of 0.5 sd for the location, 3·√(2·22) ÷ 100 = 0.2 of 0.25 for the PSI of 23 cells.
DRIFT_ROWS: Final = 100

# Siddiqi (2006), "Credit risk scorecards": from 0.25 on a population is commonly said to have shifted.
PSI_WARNING: Final = 0.25

# A normal variable that moves by d standard deviations has a PSI of d²: the same bar on the other yardstick.
LOCATION_WARNING: Final = 0.5


class Comparison(StrEnum):
    """What a window is held against.

    operating: normal production, which is drift. training: what the version learned on, which is skew. previous: the
    window before. version: the other versions of the same window.
    """

    OPERATING = "operating"
    TRAINING = "training"
    PREVIOUS = "previous"
    VERSION = "version"

    def features(self, evidence: Evidence) -> Summary | None:
        """Return the reference to hold features against, None where there is none or its bins are not the window's."""
        reference = self._reference(evidence)
        if reference is None or not _same(reference.layout.features, evidence.current.layout.features):
            return None
        return reference

    def output(self, evidence: Evidence) -> Summary | None:
        """Return the reference to hold predictions against, None where there is none or its bins are not the window's.

        A version may bin its scores as its own training did, while its features keep the model's bins.
        """
        reference = self._reference(evidence)
        if reference is None or not _same(reference.layout.output, evidence.current.layout.output):
            return None
        return reference

    def _reference(self, evidence: Evidence) -> Summary | None:
        match self:
            case Comparison.OPERATING:
                return evidence.reference
            case Comparison.TRAINING:
                return evidence.training
            case Comparison.PREVIOUS:
                return evidence.previous
            case Comparison.VERSION:
                return evidence.others


# Drift is judged against normal production; what was there before and what runs beside it is there to be read with it.
DRIFT: Final = (Comparison.OPERATING, Comparison.PREVIOUS, Comparison.VERSION)
SKEW: Final = (Comparison.TRAINING,)
BESIDE: Final = (Comparison.PREVIOUS, Comparison.VERSION)
READ_ONLY_LEVELS: Final = {comparison.value: Export.FULL for comparison in BESIDE}

METHODS_IN_WORDS: Final = "psi, js, hellinger, tvd, linf, chi2; for numbers ks and wasserstein too."
PSI_BESIDE_IN_WORDS: Final = " Comparisons previous and version: psi alone."


def _same(one: object, other: object) -> bool:
    return one is other or one == other  # most windows share their layout with the reference
