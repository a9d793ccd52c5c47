"""What is watched of counts: effects whose means are normal, directions of a shape, and rates."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mlvitals.decisions.finding import Source

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

DEVIATIONS: Final = "{sd}"
EFFECT: Final = "{effect}"
ANGLE: Final = "{angle}"
LOG_RATIO: Final = "{log ratio}"


class Values(NamedTuple):
    """What windows say, shape (windows, streams) each; NaN and 0 rows where they say nothing.

    effects, sampling: of effects, and behind them of the directions of shapes. hits, rows: of rates.
    """

    effects: Floats
    sampling: Floats
    hits: Floats
    rows: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One thing that is watched: what part of which detector it is, and how much that part counts there.

    least: the least inflation of its sampling variance (see `whitening`). hidden: the rate at which rows are to be
    expected that a reference cannot show, for what counts was set by these same rows (see `columns`).
    """

    source: Source
    component: str
    weight: float
    unit: str
    least: float = 1.0
    hidden: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """What is watched together, read from vectors of counts.

    effects, shapes, rates: in the order of `Values`. directions: how many each shape has. read: from counts, shape
    (windows, counts), to values.
    """

    effects: tuple[Stream, ...] = ()
    shapes: tuple[Stream, ...] = ()
    directions: tuple[int, ...] = ()
    rates: tuple[Stream, ...] = ()
    read: Callable[[Floats], Values] = field(repr=False)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The detectors, in the order of their first streams."""
        return tuple(dict.fromkeys(stream.source for stream in (*self.effects, *self.shapes, *self.rates)))


def joined(parts: tuple[Streams, ...], widths: tuple[int, ...]) -> Streams:
    """Return streams side by side, read from their counts side by side, each of the width given."""
    cuts = np.cumsum(widths)[:-1]
    own = [len(part.effects) for part in parts]

    def read(counts: Floats) -> Values:
        found = [part.read(some) for part, some in zip(parts, np.split(counts, cuts, axis=1), strict=True)]
        ordered = [
            np.concatenate(
                [values[kind][:, :count] for values, count in zip(found, own, strict=True)]
                + [values[kind][:, count:] for values, count in zip(found, own, strict=True)],
                axis=1,
            )
            for kind in (0, 1)
        ]
        return Values(*ordered, *(np.concatenate([values[kind] for values in found], axis=1) for kind in (2, 3)))

    return Streams(
        effects=tuple(stream for part in parts for stream in part.effects),
        shapes=tuple(stream for part in parts for stream in part.shapes),
        directions=tuple(count for part in parts for count in part.directions),
        rates=tuple(stream for part in parts for stream in part.rates),
        read=read,
    )
