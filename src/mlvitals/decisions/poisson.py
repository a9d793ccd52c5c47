"""The exact interval of a count of what happens at random."""

from math import inf
from typing import Final

from scipy.special import chdtri

_TAIL: Final = 0.025


def rate_interval(least: int, most: int, time: float) -> tuple[float, float]:
    """Return between which rates the truth lies, with 95 % confidence, after `least` to `most` events in a time.

    The interval is the exact one of a Poisson count (Garwood 1936): half the quantiles of χ² with 2k and 2k + 2 degrees
    of freedom, divided by the time. Where no time has passed the rate may be anything.
    """
    if not time:
        return 0.0, inf
    lower = float(chdtri(2 * least, 1 - _TAIL)) / 2 if least else 0.0
    return lower / time, float(chdtri(2 * most + 2, _TAIL)) / 2 / time
