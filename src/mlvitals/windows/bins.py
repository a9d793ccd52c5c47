"""Bins of numbers and of categories, and the special ones that stand after those of every column."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

# After the bins of every column stand three special ones, in this order.
SPECIALS: Final = 3
MISSING, NON_FINITE, INVALID = range(3)  # numeric columns
_, OTHER, UNSEEN = range(3)  # categorical columns: missing, other (known but rare), unseen in the reference


@dataclass(frozen=True)
class NumericBins:
    """Half-open bins between ascending edges: (-inf, e0), [e0, e1), … [ek, inf).

    A point mass v has a bin of its own, [v, the next double), so that no special case is needed anywhere.

    outside: how many bins lie below the reference's least value, and how many above its greatest: one each, but where
        0 is out of the range and has its point, or nothing is above the greatest double. The reference left them empty.
    """

    edges: tuple[float, ...]
    outside: tuple[int, int] = (1, 1)

    @cached_property
    def array(self) -> npt.NDArray[np.float64]:
        """The edges as an array."""
        return np.array(self.edges, dtype=np.float64)

    @property
    def size(self) -> int:
        """The number of bins, specials excluded."""
        return len(self.edges) + 1

    @cached_property
    def is_point(self) -> npt.NDArray[np.bool_]:
        """Which bins hold a single double, shape (size,)."""
        inner = np.nextafter(self.array[:-1], np.inf) == self.array[1:] if len(self.edges) > 1 else np.zeros(0, bool)
        return np.concatenate([[False], inner, [False]])[: self.size]

    @cached_property
    def is_outside(self) -> npt.NDArray[np.bool_]:
        """Which bins are out of the reference's range, shape (size,); none where the reference had no value at all."""
        below, above = self.outside if self.edges else (0, 0)
        places = np.arange(self.size)
        return (places < below) | (places >= self.size - above)

    @property
    def lowest(self) -> float | None:
        """The reference's least value, None where it had none."""
        return self.edges[self.outside[0] - 1] if self.edges else None

    @property
    def highest(self) -> float | None:
        """The reference's greatest value, None where it had none."""
        if not self.edges:
            return None
        after = self.edges[-self.outside[1]] if self.outside[1] else math.inf
        return math.nextafter(after, -math.inf) + 0.0

    def label(self, index: int) -> str:
        """Return a bin's name, as `[1.5, 2)`, `= 0`, `< 1.5`; beside a point mass or the greatest value `(0, 2]`."""
        if not self.edges:
            return "any"
        if index == 0:
            return f"< {self.edges[0]:g}"
        if self.is_point[index]:
            return f"= {self.edges[index - 1]:g}"
        lower, upper = self._value_before(index - 1), self._value_before(index)
        bound = self.edges[index - 1] if lower is None else lower
        if index == len(self.edges):
            return f"{'>=' if lower is None else '>'} {bound:g}"
        end = f"{self.edges[index]:g})" if upper is None else f"{upper:g}]"
        return f"{'[' if lower is None else '('}{bound:g}, {end}"

    def _value_before(self, edge: int) -> float | None:
        """Return the value that an edge is the next double of, None where it is a bound by itself."""
        if self.is_point[edge]:
            return self.edges[edge - 1]
        return self.highest if edge == len(self.edges) - self.outside[1] else None


@dataclass(frozen=True)
class CategoryBins:
    """A bin for each of the `own` most frequent values; the rest of `values` share `other`.

    `closed`: `values` are all that the reference held, so that a value not among them is `unseen`; where the reference
    held too many to keep, such a value counts as `other`. `once`: how many of them the reference held once.
    """

    values: tuple[str, ...]
    own: int
    closed: bool = True
    once: int = 0

    @property
    def size(self) -> int:
        """The number of bins, specials excluded."""
        return self.own

    def label(self, index: int) -> str:
        """Return a bin's name: its value."""
        return self.values[index]


# Both values have a bin, whichever the reference held; of what nearly every row has its own of, none is known.
TRUTHS: Final = CategoryBins(("false", "true"), own=2)
UNKNOWN_VALUES: Final = CategoryBins((), own=0, closed=False)
