"""A reference at another time and speed: its windows shrink with the events."""

from dataclasses import replace

from mlvitals.clock import format_time, parse_time
from mlvitals.errors import ConfigError
from mlvitals.replay.shift import Shift
from mlvitals.windows.reference import Reference
from mlvitals.windows.summary import Counts
from mlvitals.windows.window import SIZES, WindowSize


def shift_reference(reference: Reference, shift: Shift) -> Reference:
    """Return the reference with its times shifted and its window size divided by the speed.

    Raises:
        ConfigError: the shrunken windows would have a size that is none, such as seven minutes.

    """
    before = WindowSize.parse(reference.window)
    after = next((size for size in SIZES if before.length and size.length * shift.speed == before.length), None)
    if after is None:
        raise ConfigError(
            f"windows of {reference.window} at {shift.speed:g} times the speed have no window size: "
            f"use a speed that makes one of {', '.join(size.text for size in SIZES if size.length)}"
        )
    series: dict[int, Counts] = {}
    for start, served in reference.series.items():
        moved = after.start(shift.time(start))
        series[moved] = series[moved] + served if moved in series else served
    span = {
        name: format_time(shift.time(parse_time(reference.provenance[name])))
        for name in ("first", "last")
        if name in reference.provenance
    }
    return replace(reference, window=after.text, series=series, provenance={**reference.provenance, **span})
