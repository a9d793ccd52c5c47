"""All that can be measured of a model, by the very code that measures: a saturated window, judged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from mlvitals.config import ModelConfig
from mlvitals.decisions.finding import Detector
from mlvitals.engines.companions import NOBODY, Companions
from mlvitals.engines.judging import Emission, Judge
from mlvitals.engines.layouts import provisional_layout
from mlvitals.engines.surroundings import Surroundings
from mlvitals.plan.saturate import saturated
from mlvitals.signals.delay_curve import LEAST_COHORTS
from mlvitals.signals.evidence import EXPECTED, SELFCHECK
from mlvitals.signals.measurement import Measurement
from mlvitals.signals.spec import DetectorState, Rival, Status, Volume
from mlvitals.windows.cohorts import Cohort, CohortKey
from mlvitals.windows.groups import ALL, segment_names
from mlvitals.windows.layout import Layout, Task
from mlvitals.windows.matured import Matured
from mlvitals.windows.reference import Reference
from mlvitals.windows.summary import Outcome
from mlvitals.windows.window import WindowSize

# Any window would do; the stamps of this one have as many digits as those of today.
_START: Final = 1_767_225_600_000_000
_VERSION: Final = ""  # of which nothing is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitored:
    """What of a model its series depend on.

    maturities: as they are spelled, with their ages in microseconds. segments: columns. window: its size.
    repeats: ids are remembered. important: features that matter most, names or patterns with `*`. learns: its reference
    is taken from what is served first.
    """

    judge: Judge
    maturities: Sequence[tuple[str, int]]
    segments: Sequence[str]
    window: WindowSize
    repeats: bool
    important: Sequence[str]
    learns: bool

    @property
    def layouts(self) -> list[Layout]:
        """The layout of a version of which nothing is known; while none is frozen, those that may stand for it."""
        layout = self.judge.references.layout(_VERSION)
        if layout is not None:
            return [layout]
        return [provisional_layout(self.judge.references.choice, task) for task in Task]


def monitored(model: ModelConfig, judge: Judge) -> Monitored:
    """Return what a model's series depend on, by its configuration and what measures it."""
    labels = model.labels
    return Monitored(
        judge=judge,
        maturities=[] if labels is None else [(str(one), one.microseconds) for one in labels.maturities],
        segments=model.segments,
        window=model.windows.size.window,
        repeats=model.deduplicate,
        important=model.features.important,
        learns=model.operating is not None and model.operating.first is not None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Saturated:
    """The measurements of one version's saturated window: of all its predictions, and of those of one segment.

    segments: all that there can be, as `column=value`.
    """

    whole: Sequence[Emission]
    parted: Sequence[Emission]
    segments: Sequence[str]

    @property
    def measurements(self) -> tuple[list[Measurement], list[Measurement]]:
        """Those of all predictions, and those of one segment."""
        of_all, of_one = (
            [one for emission in part for one in emission.measurements] for part in (self.whole, self.parted)
        )
        return of_all, of_one


def saturated_windows(model: Monitored) -> Iterator[Saturated]:
    """Yield what is measured of each version that the configuration names, and of one that it does not."""
    for layout in model.layouts:
        yield _measure(model, _VERSION, layout)
    for version in model.judge.references.training:
        known = model.judge.references.layout(version)
        if known is not None:
            yield _measure(model, version, known)


def _measure(model: Monitored, version: str, layout: Layout) -> Saturated:
    segments = segment_names(model.segments, layout.segments)
    longest = max(segments, key=len, default=ALL)
    whole = CohortKey(_START, version, ALL)
    return Saturated(
        whole=_emissions(model, layout, whole),
        parted=_emissions(_with_segment(model, longest), layout, whole._replace(segment=longest)) if segments else (),
        segments=segments,
    )


def _with_segment(model: Monitored, segment: str) -> Monitored:
    """Return the model with references that hold as much of a segment as of all, which no segment exceeds."""
    known = model.judge.references
    full = replace(
        known,
        operating=None if known.operating is None else _all_of(known.operating, segment),
        training={version: _all_of(reference, segment) for version, reference in known.training.items()},
    )
    return replace(model, judge=replace(model.judge, references=full))


def _all_of(reference: Reference, segment: str) -> Reference:
    return replace(reference, segments={segment: reference.summary})


def _emissions(model: Monitored, layout: Layout, key: CohortKey) -> list[Emission]:
    """Return what leaves of a cohort as its window closes, and at each maturity."""
    cohort = Cohort(key, model.window.end(key.start), saturated(layout))
    rows = cohort.summary.predictions
    surroundings = Surroundings(
        previous=saturated(layout, seed=1),
        others=saturated(layout, seed=2),
        repeats=rows if model.repeats else None,
        volume=Volume(expected=float(rows), noise=rows / 7, windows=100) if key.segment == ALL else None,
    )
    whole = key.segment == ALL
    states = _states(layout, model.segments) if whole else ()
    emitted = [_emission(model, cohort, model.judge.window(cohort, surroundings, states), 0)]
    for maturity, age in model.maturities:
        companions = _companions(model, cohort, maturity) if whole else NOBODY
        measured = model.judge.maturity(cohort, 0, maturity, companions=companions)
        if whole:
            measured += model.judge.decided(
                cohort, maturity, _states_of_cohort(maturity, priced=model.judge.costs is not None)
            )
        emitted.append(_emission(model, cohort, measured, age))
    return emitted


def _companions(model: Monitored, cohort: Cohort, maturity: str) -> Companions:
    """Return a segment with half of the labels, where there are any, another version, and what matured before."""
    outcome, layout = cohort.summary.outcome(0), cohort.summary.layout
    segments = {"": Outcome(layout, outcome.cells // 2)} if model.segments else {}
    final = maturity == model.maturities[-1][0]
    return Companions(
        segments=segments,
        rival=Rival(version=_VERSION, outcome=saturated(layout, seed=2).outcome(0)),
        matured=None if final else _matured(outcome),
        final=final,
    )


def _matured(outcome: Outcome) -> Matured | None:
    """Return cohorts of which every label had come by every age; None but in a binary task."""
    if outcome.layout.output.task is not Task.BINARY:
        return None
    labels = np.tile(outcome.confusion[:2, :2], (LEAST_COHORTS, 1, 1))
    return Matured(served=labels.sum(axis=2), known=labels, final=labels)


def _states(layout: Layout, segments: Sequence[str]) -> tuple[DetectorState, ...]:
    """Return a state of every detector that reads a window of all predictions, and of the reference's self-check."""
    several = (Detector.FEATURES,) if len(layout.features) > 1 else ()
    parted = (Detector.SEGMENT,) if segments else ()
    alone = (Detector.VOLUME, Detector.ERRORS, *several, Detector.PREDICTION, *parted, SELFCHECK)
    every = [*((str(one), "") for one in alone), *((Detector.FEATURE, feature.name) for feature in layout.features)]
    return tuple(DetectorState(one, subject, 0.0, 1.0, Status.OK, {}) for one, subject in every)


def _states_of_cohort(maturity: str, *, priced: bool) -> tuple[DetectorState, ...]:
    mature = (Detector.COVERAGE, Detector.PERFORMANCE, *((Detector.COST,) if priced else ()))
    return tuple(DetectorState(one.value, maturity, 0.0, 1.0, Status.OK, {EXPECTED: 0.5}) for one in mature)


def _emission(model: Monitored, cohort: Cohort, measurements: tuple[Measurement, ...], age: int) -> Emission:
    return Emission(model=model.judge.model, measurements=measurements, stamp=cohort.end + age, start=cohort.key.start)
