"""Runs `mlvitals` as it is, but by a clock that runs faster than the system's.

    python hurried.py FACTOR SINCE WORDS…

SINCE: the moment, in nanoseconds since the epoch, at which both clocks said the same. Pauses and time limits go by the
monotonic clock, which stays as it is.
"""

import sys
import time

_time_ns = time.time_ns


def hurried(factor: int, since: int) -> int:
    """Return the time of the faster clock, in nanoseconds since the epoch."""
    return since + (_time_ns() - since) * factor


def unhurried(factor: int, since: int, moment: int) -> int:
    """Return the system's time at a moment of the faster clock, in nanoseconds since the epoch."""
    return since + (moment - since) // factor


if __name__ == "__main__":
    FACTOR, SINCE = int(sys.argv[1]), int(sys.argv[2])
    time.time_ns = lambda: hurried(FACTOR, SINCE)

    from mlvitals.cli import main

    main(sys.argv[3:])
