"""What monitors say, in words that each backend fills with values in its own way."""

import re
from collections.abc import Callable
from typing import Final

from mlvitals.assets.monitors.monitor import Monitor, Silence

_MINUTE: Final = 60
_PLACE: Final = re.compile(r"\{(\w+)\}")


def heading(monitor: Monitor, place: Callable[[str], str]) -> str:
    """Return the heading of a monitor's message; `place` spells an attribute, or `value`, as a backend fills it in."""
    if isinstance(monitor.fires, Silence):
        return monitor.says.replace("{value}", f"{monitor.fires.seconds // _MINUTE} minutes")
    return _PLACE.sub(lambda match: place(match[1]), monitor.says)


def steps(monitor: Monitor, between: str = "\n") -> str:
    """Return what is to be done, numbered."""
    return between.join(f"{number}. {step}" for number, step in enumerate(monitor.do, 1))
