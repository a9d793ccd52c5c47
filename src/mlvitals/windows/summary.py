"""The summary: all that is kept of a window, as integers that add."""

import zlib
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mlvitals.windows.bins import MISSING, SPECIALS, CategoryBins, NumericBins
from mlvitals.windows.exact_sum import CELLS, read_exact, read_fraction
from mlvitals.windows.layout import FeatureLayout, Layout, Task
from mlvitals.windows.outcome_sums import CALIBRATION_RUNS

_SMALL: Final = 1024  # bytes; to press less takes longer than to write it

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class ColumnCounts(NamedTuple):
    """One column's counts.

    counts: by bin. specials: missing, non_finite and invalid of a numeric column; missing, other and unseen of a
    categorical one.
    """

    bins: NumericBins | CategoryBins
    counts: Counts
    specials: Counts

    @property
    def total(self) -> int:
        """All rows, specials included."""
        return int(self.counts.sum() + self.specials.sum())


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Summary:
    """Counts of one window (or reference) under a layout: a commutative group under + and -.

    served: what was predicted, shape (layout.served_size,).
    outcomes: what the labels said, one row for each age bucket, shape (buckets, layout.outcome_size). Row b holds what
        labels of that age changed: the state at the maturity that closes bucket b is the sum of rows 0 … b.
    """

    layout: Layout
    served: Counts
    outcomes: Counts

    @classmethod
    def empty(cls, layout: Layout, buckets: int = 0) -> "Summary":
        """Return the zero of this layout."""
        return cls(
            layout,
            np.zeros(layout.served_size, dtype=np.int64),
            np.zeros((buckets, layout.outcome_size), dtype=np.int64),
        )

    def __add__(self, other: "Summary") -> "Summary":
        self._check_layout(other)
        return Summary(self.layout, self.served + other.served, self.outcomes + other.outcomes)

    def __sub__(self, other: "Summary") -> "Summary":
        self._check_layout(other)
        return Summary(self.layout, self.served - other.served, self.outcomes - other.outcomes)

    def _check_layout(self, other: "Summary") -> None:
        if self.layout is not other.layout and self.layout.hash != other.layout.hash:
            raise ValueError(f"summaries of different layouts do not add: {self.layout.hash} and {other.layout.hash}")

    @property
    def predictions(self) -> int:
        """Predictions served, failed requests excluded."""
        return int(self.served[self.layout.served_sections["predictions"]][0])

    @property
    def errors(self) -> int:
        """Requests that failed and carry no prediction."""
        return int(self.served[self.layout.served_sections["errors"]][0])

    def histogram(self, name: str) -> Counts:
        """Return the duration histogram `latency` or `lag`."""
        return self.served[self.layout.served_sections[name]]

    def feature(self, feature: FeatureLayout) -> ColumnCounts:
        """Return a feature's counts."""
        return _column(self.served[self.layout.served_sections[feature.column]], feature.bins)

    @property
    def score(self) -> ColumnCounts | None:
        """The counts of the score (of the value, in a regression) in its fine bins."""
        bins = self.layout.output.score
        return None if bins is None else _column(self.served[self.layout.served_sections["score"]], bins)

    @property
    def decisions_by_score(self) -> Counts | None:
        """Negative and positive decisions by finite score, shape (2, score bins); None but in a binary task."""
        score = self.score
        if score is None or "positive_score" not in self.layout.served_sections:
            return None
        positive = self.served[self.layout.served_sections["positive_score"]]
        return np.stack([score.counts - positive, positive])

    @property
    def classes(self) -> ColumnCounts | None:
        """The counts of the predicted classes."""
        bins = self.layout.output.classes
        return None if bins is None else _column(self.served[self.layout.served_sections["class"]], bins)

    @property
    def decisions(self) -> tuple[int, int] | None:
        """How many predictions are of the negative and of the positive class; None but in a binary task that says."""
        classes, bins, positive = self.classes, self.layout.output.classes, self.layout.output.positive
        if self.layout.output.task is not Task.BINARY or classes is None or bins is None:
            return None
        if positive not in bins.values[: bins.own]:
            return None
        positives = int(classes.counts[bins.values.index(positive)])
        return classes.total - int(classes.specials[MISSING]) - positives, positives

    def outcome(self, bucket: int) -> "Outcome":
        """Return what is known at the maturity that closes this age bucket."""
        return Outcome(self.layout, self.outcomes[: bucket + 1].sum(axis=0))


class Weights(NamedTuple):
    """How many labels have a propensity, Σ 1 ÷ propensity of these, and the sum of its squares."""

    labels: Counts
    weight: Floats
    squared: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The joined labels of a cohort at one maturity."""

    layout: Layout
    cells: Counts

    def _part(self, name: str) -> Counts:
        return self.cells[self.layout.outcome_sections[name]]

    @property
    def labelled(self) -> int:
        """Predictions with a label."""
        return int(self._part("labelled")[0])

    @property
    def judged(self) -> int:
        """Predictions of which it is known what came true: by a label, or by silence where that says something."""
        return int(self._part("confusion").sum()) if self.layout.output.task is Task.BINARY else self.labelled

    @property
    def measured(self) -> int:
        """Labelled predictions whose score (or value) and label enter the sums."""
        return self.count("measured")

    def count(self, name: str) -> int:
        """Return a count of one cell (`measured`, `improbable` …)."""
        return int(self._part(name)[0])

    @property
    def delays(self) -> Counts:
        """The labels that count by their age, in the bins of `windows.delays`."""
        return self._part("delays")

    @property
    def confusion(self) -> Counts:
        """Predicted × true class, shape (classes, classes), over `layout.outcome_classes`."""
        side = len(self.layout.outcome_classes)
        return self._part("confusion").reshape(side, side)

    def has(self, name: str) -> bool:
        """Whether this is among what is known of the labels."""
        return name in self.layout.outcome_sections

    @property
    def negatives(self) -> Counts:
        """Negative labels by score bin, specials excluded."""
        return self._part("negatives")[:-SPECIALS]

    @property
    def positives(self) -> Counts:
        """Positive labels by score bin, specials excluded."""
        return self._part("positives")[:-SPECIALS]

    @property
    def calibration(self) -> Counts:
        """What scores said against what came true, shape (4, drift bins).

        Rows, those that came true, Σ score and Σ score², the last two in units of 1 ÷ FIXED_POINT.
        """
        return self._part("calibration").reshape(CALIBRATION_RUNS, -1)

    @property
    def by_decision(self) -> Counts:
        """Labels of rows with a finite score by decision, true class and score bin, shape (2, 2, score bins)."""
        acted = np.stack([self._part("acted_negatives"), self._part("acted_positives")])
        return np.stack([np.stack([self.negatives, self.positives]) - acted, acted])

    def total(self, name: str) -> float:
        """Return an exact sum (`brier`, `absolute` …), rounded once."""
        return read_exact(self._sum(name))

    def totals(self, name: str) -> Floats:
        """Return a section's exact sums (`loss_absolute` …), each rounded once, shape (sums,)."""
        return np.array([read_exact(cells) for cells in self._part(name).reshape(-1, CELLS)])

    @property
    def weighed(self) -> "Weights":
        """The labels that are weighed, each part of shape (2, 2): by decision and true class."""
        weight, squared = (self.totals(name).reshape(2, 2) for name in ("weight", "weight_squared"))
        return Weights(self._part("weighed").reshape(2, 2), weight, squared)

    @property
    def loss_rows(self) -> Counts:
        """Measured rows by the drift bin of the value, in a regression."""
        return self._part("loss_rows")

    def exact_total(self, name: str) -> Fraction:
        """Return an exact sum, not rounded at all."""
        return read_fraction(self._sum(name))

    def _sum(self, name: str) -> Counts:
        cells = self._part(name)
        assert len(cells) == CELLS  # noqa: S101  # only sums are read as sums
        return cells


def _column(cells: Counts, bins: NumericBins | CategoryBins) -> ColumnCounts:
    return ColumnCounts(bins, cells[: bins.size], cells[bins.size :])


def pack(cells: Counts) -> bytes:
    """Return an integer array's non-zero cells in few bytes; equal arrays give equal bytes."""
    flat = cells.reshape(-1)
    places = np.flatnonzero(flat)
    steps = places.astype("<u4")
    steps[1:] -= steps[:-1].copy()
    raw = steps.tobytes() + flat[places].astype("<i8").tobytes()
    return zlib.compress(raw, level=int(len(raw) > _SMALL))


def unpack(packed: bytes, shape: tuple[int, ...]) -> Counts:
    """Return the array that `pack` was given, in this shape."""
    raw = zlib.decompress(packed)
    filled = len(raw) // 12
    places = np.cumsum(np.frombuffer(raw, "<u4", filled).astype(np.int64))
    cells = np.zeros(int(np.prod(shape)), dtype=np.int64)
    cells[places] = np.frombuffer(raw, "<i8", filled, offset=4 * filled)
    return cells.reshape(shape)
