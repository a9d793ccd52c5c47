"""The budgeted detectors of a model: made when first needed, learnt from the reference or from what is served."""

import sqlite3
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from mlvitals.decisions.detectors import Detectors, History, Make
from mlvitals.decisions.ensemble import Rule
from mlvitals.decisions.finding import Detector, Source
from mlvitals.decisions.latch import recovery_windows
from mlvitals.decisions.promises import whole_windows
from mlvitals.decisions.streams import Streams
from mlvitals.decisions.tables import Memory, forget_detectors, judged_since
from mlvitals.decisions.vectors import (
    Vector,
    feature_vector,
    first_counts,
    prediction_vector,
    read_windows,
    traffic_vector,
)
from mlvitals.decisions.watching import cohort_streams, cost_streams, coverage_streams, segment_streams
from mlvitals.engines.layouts import References
from mlvitals.hashing import content_hash
from mlvitals.signals.prediction_drift import output_bins
from mlvitals.windows.layout import Layout, Task

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]


class ModelDetectors:
    """The detectors of one model, by the vectors of counts that they read; `known` are those that were needed so far.

    rule: what counts as moved, and how long windows are. checkpoints: the ages at which cohorts are looked at before
    their first maturity. prices: names what mistakes cost; under other prices what is usual is learnt anew. Every call
    belongs into the caller's transaction.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        model: str,
        references: References,
        rule: Rule,
        *,
        checkpoints: frozenset[str] = frozenset(),
        prices: str = "",
    ) -> None:
        self.known: dict[str, Detectors] = {}
        self._connection = connection
        self._name = model
        self._references = references
        self._rule = rule
        self._checkpoints = checkpoints
        self._prices = prices

    def traffic(self) -> Detectors:
        """Return the detectors of volume and failed requests."""
        operating = self._references.operating
        return self._learnt(traffic_vector(self._name), fits=operating is not None and operating.complete)

    def features(self, layout: Layout) -> Detectors:
        """Return the detectors of all features, under the layout of all versions."""
        operating = self._references.operating
        fits = operating is not None and operating.layout.features == layout.features
        return self._learnt(feature_vector(self._name, layout), fits=fits)

    def prediction(self, version: str, layout: Layout) -> Detectors:
        """Return the detectors of what a version predicts, under its layout."""
        operating = self._references.operating
        fits = operating is not None and operating.layout.output == layout.output
        return self._learnt(prediction_vector(self._name, version, layout), fits=fits)

    def segments(self, version: str, layout: Layout, segments: Sequence[str]) -> Detectors:
        """Return the detectors of what a version predicts in each segment; a reference has no windows of these.

        Other segments, or other bins, are learnt anew.
        """
        first = Source(self._name, version, Detector.SEGMENT, "")
        counted = content_hash(msgspec.json.encode((output_bins(layout.output), segments)))

        def make(counts: Floats, typical: float) -> Streams | None:
            return segment_streams(first, layout, segments, counts.astype(np.int64), typical)

        return self._unlearnt(f"segments:{version}:{counted}", make, lambda counts: np.asarray(counts.sum(axis=1)))

    def cohort(self, version: str, maturity: str, task: Task) -> Detectors:
        """Return the detectors of a version's cohorts at a maturity; no reference says when labels come."""
        name = f"cohort:{version}:{maturity}"
        return self._unlearnt(name, lambda *_: cohort_streams(self._name, version, maturity, task))

    def cost(self, version: str, maturity: str) -> Detectors:
        """Return the detector of what a version's mistakes cost that are known at a maturity."""
        name = f"cost:{version}:{maturity}:{self._prices}"
        return self._unlearnt(name, lambda *_: cost_streams(self._name, version, maturity))

    def coverage(self, version: str, age: str) -> Detectors:
        """Return the detector of how much of a version's cohorts is labelled by an age before the first maturity."""
        return self._unlearnt(f"cohort:{version}:{age}", lambda *_: coverage_streams(self._name, version, age))

    def _unlearnt(self, name: str, make: Make, rows: Callable[[Floats], Floats] = first_counts) -> Detectors:
        if name not in self.known:
            memory = Memory(self._connection, self._name, name)
            self.known[name] = Detectors(memory=memory, rule=self._rule, make=make, rows=rows, history=None)
        return self.known[name]

    def of(self, source: Source, layout: Layout, segments: Sequence[str]) -> Detectors:
        """Return the detectors that a version's source is of, under its layout and the model's segments."""
        if source.detector is Detector.PREDICTION:
            return self.prediction(source.version, layout)
        if source.detector is Detector.SEGMENT:
            return self.segments(source.version, layout, segments)
        if source.detector is Detector.COST:
            return self.cost(source.version, source.subject)
        if source.subject in self._checkpoints:
            return self.coverage(source.version, source.subject)
        return self.cohort(source.version, source.subject, layout.output.task)

    def serving(self, start: int, maturity: str = "") -> set[str]:
        """Return the versions that were judged within the windows in which an alarm recovers, up to the one at `start`.

        maturity: of cohorts; else what versions predict is meant. As the state has it, whatever this process has seen.
        """
        since = start
        for _ in range(recovery_windows(self._rule.size)):
            since = self._rule.size.start(since - 1)
        before, after = ("cohort:", f":{maturity}") if maturity else ("prediction:", "")
        names = judged_since(self._connection, self._name, f"{before}*{after}", since)
        return {name.removeprefix(before).removesuffix(after) for name in names}

    def forget(self, before: int) -> None:
        """Forget the detectors of versions of which nothing was taken since a time; what comes again begins anew."""
        for name in forget_detectors(
            self._connection, self._name, ("prediction:*", "segments:*", "cohort:*", "cost:*"), before
        ):
            self.known.pop(name, None)

    def _learnt(self, vector: Vector, *, fits: bool) -> Detectors:
        """Return the detectors of a vector, which learn from the reference where its counts fit."""
        if vector.name not in self.known:
            self.known[vector.name] = Detectors(
                memory=Memory(self._connection, self._name, vector.name),
                rule=self._rule,
                make=vector.make,
                rows=vector.rows,
                history=self._history(vector) if fits else None,
                together=vector.together,
            )
        return self.known[vector.name]

    def _history(self, vector: Vector) -> History | None:
        operating = self._references.operating
        if operating is None or not operating.series:
            return None
        starts = whole_windows(operating)

        def read() -> tuple[Times, Floats]:
            return starts, read_windows(operating, vector, starts)

        basis = f"{operating.hash} {operating.series_hash}"
        return History(basis=basis, windows=len(starts), read=read, shared=True)
