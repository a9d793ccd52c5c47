"""Small drawings as SVG paths: geometry only, so that no style is needed that a strict page would refuse."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.report.frame import ABSENT, STATUSES
from mlvitals.signals.spec import Status

SPARK_WIDTH: Final = 120
SPARK_HEIGHT: Final = 24
STRIP_WIDTH: Final = 240
STRIP_HEIGHT: Final = 12
BARS_WIDTH: Final = 600
BARS_HEIGHT: Final = 120

# A status has its height in the strip, so that a strip is read without colours: a line when all is well, a wall when
# it warns.
_HEIGHTS: Final = {
    Status.OK: 4.0,
    Status.WARNING: 12.0,
    Status.ALERT: 12.0,
    Status.INSUFFICIENT_DATA: 2.0,
    Status.NO_DATA: 1.0,
}


@dataclass(frozen=True, slots=True)
class Shape:
    """A path with the class that colours it."""

    name: str
    path: str


def sparkline(values: Sequence[float]) -> str:
    """Return a path of a line through values, from left to right, over the box of a sparkline; gaps stay gaps."""
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).any():
        return ""
    low, high = min(0.0, float(np.nanmin(array))), float(np.nanmax(array))
    span = (high - low) or 1.0
    step = SPARK_WIDTH / max(1, len(array) - 1)
    path, pen = [], False
    for place, value in enumerate(array.tolist()):
        if not np.isfinite(value):
            pen = False
            continue
        level = SPARK_HEIGHT - 2 - (value - low) / span * (SPARK_HEIGHT - 4)
        path.append(f"{'L' if pen else 'M'}{place * step:.1f} {level:.1f}")
        pen = True
    return "".join(path)


def strip(codes: npt.NDArray[np.int8]) -> list[Shape]:
    """Return one path for each status that occurs: a box for each run of windows, as high as the status is grave."""
    if not len(codes):
        return []
    cuts = np.flatnonzero(np.diff(codes)) + 1
    bounds = [0, *cuts.tolist(), len(codes)]
    width = STRIP_WIDTH / len(codes)
    paths: dict[Status, list[str]] = {}
    for left, right in pairwise(bounds):
        code = int(codes[left])
        status = Status.NO_DATA if code == ABSENT else STATUSES[code]
        height = _HEIGHTS[status]
        paths.setdefault(status, []).append(
            f"M{left * width:.1f} {STRIP_HEIGHT}V{STRIP_HEIGHT - height:g}H{right * width:.1f}V{STRIP_HEIGHT}z"
        )
    return [Shape(status.value, "".join(boxes)) for status, boxes in paths.items()]


def bars(reference: Sequence[float], current: Sequence[float]) -> list[Shape]:
    """Return two paths of bars side by side, the reference's and the current one's, over a common scale from 0."""
    top = max([*reference, *current, 1e-9])
    slot = BARS_WIDTH / max(1, len(current))
    width = slot * 0.4
    shapes = []
    for name, shares, offset in (("reference", reference, 0.1), ("current", current, 0.5)):
        boxes = []
        for place, share in enumerate(shares):
            if share > 0:
                height = share / top * (BARS_HEIGHT - 2)
                boxes.append(f"M{(place + offset) * slot:.1f} {BARS_HEIGHT}v-{height:.1f}h{width:.1f}V{BARS_HEIGHT}z")
        shapes.append(Shape(name, "".join(boxes)))
    return shapes
