"""Windows, stretches and maturities that fit what was seen."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mlvitals.clock import DAY, HOUR, MINUTE, WEEK
from mlvitals.setup.inference.profile import Profile, Times

_SIZES: Final = {"10m": 10 * MINUTE, "1h": HOUR, "6h": 6 * HOUR, "1d": DAY, "1w": WEEK}
_ROWS: Final = 100  # below, drift of a feature in twenty bins is hardly told from chance
_FEWEST_ROWS: Final = 20
_WINDOWS: Final = 6
_LEARNT: Final = "what is normal is learnt from so much of the log"
_SPANS: Final = (
    *(f"{n}m" for n in (1, 2, 5, 10, 15, 30)),
    *(f"{n}h" for n in (1, 2, 3, 6, 12)),
    *(f"{n}d" for n in (1, 2, 3, 5, 7, 14, 21, 30, 45, 60, 90, 120, 180, 365)),
)
_UNITS: Final = {"m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}


@dataclass(frozen=True, slots=True)
class Told:
    """A value of the configuration, and why it is this one."""

    value: str
    why: str


def window_size(profile: Profile, *, whole: bool) -> Told:
    """Return the smallest window that holds about a hundred predictions, if that leaves several windows."""
    times = profile.times
    span = _span(times)
    if span == 0:
        return Told("1h", "the sample spans no time")
    held = {size: len(times) * length / span for size, length in _SIZES.items()}
    size = next((size for size in _SIZES if held[size] >= _ROWS), "1w")
    for smaller in reversed(list(_SIZES)):
        if (
            _SIZES[smaller] < _SIZES[size]
            and whole
            and span < _WINDOWS * _SIZES[size]
            and held[smaller] >= _FEWEST_ROWS
        ):
            size = smaller
    return Told(size, f"about {max(1, round(held[size])):,} predictions in each, by the sample")


def first_stretch(profile: Profile, size: str, *, whole: bool) -> Told:
    """Return how long to learn what is normal: two weeks, or a third of a log that is shorter."""
    span, least = _span(profile.times), _SIZES[size]
    if not whole:
        longest = max(14 * DAY, 4 * least)
        return Told(_down(longest, least), _LEARNT)
    length = min(14 * DAY, span // 3)
    return Told(_down(length, least), _LEARNT)


def maturities(delays: Times) -> tuple[list[str], str, str]:
    """Return the ages by which half, nine in ten and nearly all labels were known, the horizon, and why."""
    aged = np.maximum(delays, MINUTE)
    quantiles = [int(np.quantile(aged, share, method="inverted_cdf")) for share in (0.5, 0.9, 0.99)]
    ages = list(dict.fromkeys(_up(quantile) for quantile in quantiles))
    horizon = _up(2 * length_of(ages[-1]))
    return ages, horizon, "ages by which half, 90 % and 99 % of the sample's labels were known, rounded up"


def lateness(profile: Profile) -> Told | None:
    """Return how late events come where that is more than the default."""
    if profile.disorder <= 10 * MINUTE:
        return None
    return Told(_up(profile.disorder), "the sample's times go back by as much")


def length_of(text: str) -> int:
    """Return the microseconds of a duration like `7d`."""
    return int(text[:-1]) * _UNITS[text[-1]]


def _span(times: Times) -> int:
    return int(times[-1] - times[0]) if len(times) else 0


def _up(length: int) -> str:
    return next((text for text in _SPANS if length_of(text) >= length), _SPANS[-1])


def _down(length: int, least: int) -> str:
    fitting = [text for text in (*_SPANS, "1w") if least <= length_of(text) <= max(length, least)]
    return max(fitting, key=length_of, default="14d")
