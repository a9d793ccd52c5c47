"""Whether what the promise rests on holds on a reference's own data: each stretch judged by what the others teach.

A stretch of a week or more is left out, what is usual is learnt from the rest, and the detectors run over it as if it
were served next. Nothing is known to have moved, so that every alarm is a false one: there should be no more of them
than the budget promises for as many weeks.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from mlvitals.clock import WEEK
from mlvitals.decisions.allocation import ModelShares
from mlvitals.decisions.ensemble import Ensemble, Rule
from mlvitals.decisions.finding import Detector
from mlvitals.decisions.poisson import rate_interval
from mlvitals.decisions.promises import whole_windows
from mlvitals.decisions.usual import learn
from mlvitals.decisions.vectors import Vector, read_windows, served_vectors
from mlvitals.windows.reference import Reference

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]

LEAST_WEEKS: Final = 2
# Stretches are longer than a week where there would be more of them: each of them is a history to learn from.
_STRETCHES_AT_MOST: Final = 8
# Of longer histories the end is looked at: four weeks in windows of ten minutes.
_WINDOWS_AT_MOST: Final = 4_032


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What the detectors of a kind did. alarms: how often they alarmed; promised: how often they may, in the mean.

    excess: the most evidence that one of them gathered, above the bar, in decades; below 0 where none alarmed.
    """

    alarms: int
    promised: float
    excess: float


class SelfCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a reference's own data. weeks: of windows that were left out, one stretch after the other.

    detectors: by the names of those that a reference can check, in the order in which one debugs.
    """

    weeks: float
    detectors: Mapping[str, Tally]

    @property
    def alarms(self) -> int:
        """How often detectors alarmed."""
        return sum(one.alarms for one in self.detectors.values())

    @property
    def promised(self) -> float:
        """How often they may, in the mean."""
        return sum(one.promised for one in self.detectors.values())

    @property
    def worst(self) -> str:
        """The kind of detector that came nearest to its bar, or furthest beyond."""
        return max(self.detectors, key=lambda name: self.detectors[name].excess)

    @property
    def interval(self) -> tuple[float, float]:
        """Between which alarms a week the truth lies, with 95 % confidence."""
        return rate_interval(self.alarms, self.alarms, self.weeks)

    @property
    def refuted(self) -> bool:
        """Whether more alarms came than the promise lets come by chance."""
        return self.interval[0] * self.weeks > self.promised

    @property
    def words(self) -> str:
        """What a person reads of it."""
        lower, upper = self.interval
        told = (
            f"{self.alarms} false {'alarm' if self.alarms == 1 else 'alarms'} in {self.weeks:.1f} weeks of windows, "
            "each judged by what the others teach; "
            f"{self.promised:.2g} are promised at most; a week {lower:.2g} to {upper:.2g} (95 %)"
        )
        nearest = f"the most evidence had {self.worst}, 10^{self.detectors[self.worst].excess:+.1f} of its bar"
        return f"{told}; {nearest}" + ("; more than the promise allows" if self.refuted else "")


def check_itself(reference: Reference, shares: ModelShares, rule: Rule) -> SelfCheck | None:
    """Return what the detectors say of a reference's own windows, None where these are less than two weeks.

    Labels are not looked at: no reference tells when they came. A history that is longer than four weeks in windows of
    ten minutes is read from its end.

    Args:
        reference: an operating reference.
        shares: of the model named in it, which say how high bars are.
        rule: what counts as moved.

    """
    starts = whole_windows(reference)[-_WINDOWS_AT_MOST:]
    if not len(starts):
        return None
    span = int(starts[-1] - starts[0]) + rule.size.length
    stretches = min(span // WEEK, _STRETCHES_AT_MOST)
    if stretches < LEAST_WEEKS:
        return None
    stretch = (starts - starts[0]) * stretches // span
    found: dict[Detector, tuple[int, float]] = {}
    for vector in served_vectors(reference.model, reference.layout, complete=reference.complete):
        counts = read_windows(reference, vector, starts)
        for out in (stretch == one for one in range(stretches)):
            ensemble = _learnt(vector, starts[~out], counts[~out], rule)
            for detector, alarms, excess in (
                () if ensemble is None else _judge(ensemble, starts[out], counts[out], shares)
            ):
                before = found.get(detector, (0, -np.inf))
                found[detector] = before[0] + alarms, max(before[1], excess)
    if not found:
        return None
    # Hours in which nothing was served are no windows, and one that is longer than a week is budgeted as one of a week.
    weeks = len(starts) / max(float(rule.size.per_week), 1.0)
    return SelfCheck(
        weeks=weeks,
        detectors={
            detector.value: Tally(
                alarms=found[detector][0],
                promised=weeks * float(shares.allotments[detector].pages_per_week),
                excess=float(found[detector][1]),
            )
            for detector in Detector
            if detector in found
        },
    )


def _learnt(vector: Vector, starts: Times, counts: Floats, rule: Rule) -> Ensemble | None:
    """Return the detectors that windows teach, None where they are too few."""
    rows = vector.rows(counts)
    typical = float(np.median(rows[rows > 0])) if (rows > 0).any() else 0.0
    streams = vector.make(counts.sum(axis=0), typical)
    usually = None if streams is None else learn(streams, counts, starts, rule.size)
    if usually is None:
        return None
    return Ensemble(usually, rule, vector.together if len(usually.streams.sources) > 1 else None)


def _judge(
    ensemble: Ensemble, starts: Times, counts: Floats, shares: ModelShares
) -> Iterator[tuple[Detector, int, float]]:
    """Yield how often each detector alarmed in windows, and the most evidence that it had above its bar."""
    bars = {source: shares.of(source).bar for source in ensemble.sources}
    alarms = dict.fromkeys(ensemble.sources, 0)
    excess = dict.fromkeys(ensemble.sources, -np.inf)
    for start, window in zip(starts.tolist(), counts, strict=True):
        for finding in ensemble.take(window, start, bars).findings:
            alarms[finding.source] += 1
        for source, evidence in ensemble.evidence.items():
            excess[source] = max(excess[source], evidence - bars[source])
    for source in ensemble.sources:
        yield source.detector, alarms[source], excess[source]
