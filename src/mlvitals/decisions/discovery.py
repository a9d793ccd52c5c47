"""Which of many things moved, so that no more than a part of those that are named did not: e-BH.

Of n e-values the k largest are named, k being the most for which the smallest of them is n ÷ (s·k) at least. However
they depend on each other, the share of those named that did not move is then s ÷ n · Σ of their e-values at most, and
so s in the mean. Source: Wang and Ramdas (2022), "False discovery rate control with e-values", JRSS B 84, section 3.

The evidence of a detector grows by one a window in the mean where nothing moved. Divided by the windows of a week it
is no e-value of a window, but the same sum holds over time: where evidence counts once, the shares of false names in
all lists of a week add up to s at most, in the mean. Source: Dandapanthula and Ramdas (2025), "Multiple testing in
multi-stream sequential change detection", arXiv:2501.04130, on error over patience.
"""

from collections.abc import Mapping
from math import log10
from typing import Final

FALSE_SHARE: Final = 0.1


def discoveries(evidence: Mapping[str, float], share: float = FALSE_SHARE) -> list[str]:
    """Return the names of what moved, the most evidence first.

    Args:
        evidence: log10 of the e-value of everything that might have moved, also of what hardly did.
        share: of the names returned that may be false, in the mean.

    """
    ordered = sorted(evidence, key=lambda name: -evidence[name])
    level = log10(len(ordered)) - log10(share) if ordered else 0.0
    named = [place for place, name in enumerate(ordered, 1) if evidence[name] >= level - log10(place)]
    return ordered[: max(named, default=0)]
