"""The budgeted detectors of a model: made when first needed, learnt from the reference or from what is served."""

import sqlite3
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

from mlvitals.decisions.detectors import Detectors, History, Make
from mlvitals.decisions.ensemble import Rule
from mlvitals.decisions.finding import Detector, Source
from mlvitals.decisions.latch import recovery_windows
from mlvitals.decisions.promises import whole_windows
from mlvitals.decisions.tables import Memory, judged_since
from mlvitals.decisions.watching import (
    cohort_streams,
    feature_streams,
    prediction_streams,
    traffic_counts,
    traffic_streams,
)
from mlvitals.engines.layouts import References
from mlvitals.signals.prediction_drift import output_counts
from mlvitals.signals.table import feature_section
from mlvitals.windows.layout import Layout, Task
from mlvitals.windows.summary import Summary

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]


class ModelDetectors:
    """The detectors of one model, by the vectors of counts that they read; `known` are those that were needed so far.

    rule: what counts as moved, and how long windows are. Every call belongs into the caller's transaction.
    """

    def __init__(self, connection: sqlite3.Connection, model: str, references: References, rule: Rule) -> None:
        self.known: dict[str, Detectors] = {}
        self._connection = connection
        self._name = model
        self._references = references
        self._rule = rule

    def cohort(self, version: str, maturity: str, task: Task) -> Detectors:
        """Return the detectors of a version's cohorts at a maturity."""
        name = f"cohort:{version}:{maturity}"
        if name not in self.known:
            streams = cohort_streams(self._name, version, maturity, task)
            self.known[name] = self._learnt(name, lambda *_: streams, _first)
        return self.known[name]

    def traffic(self) -> Detectors:
        """Return the detectors of volume and failed requests."""
        if "traffic" not in self.known:
            operating = self._references.operating
            history = None
            if operating is not None and operating.complete:
                history = self._history(lambda served: traffic_counts(served, operating.layout))
            streams = traffic_streams(self._name)
            self.known["traffic"] = self._learnt("traffic", lambda *_: streams, _first, history)
        return self.known["traffic"]

    def features(self, layout: Layout) -> Detectors:
        """Return the detectors of all features, under the layout of all versions."""
        if "features" not in self.known:
            section = feature_section(layout)
            first = next(iter(layout.features), None)
            width = 0 if first is None else layout.served_sections[first.column].stop - section.start
            operating = self._references.operating
            history = None
            if operating is not None and operating.layout.features == layout.features:
                history = self._history(lambda served: served[:, feature_section(operating.layout)])
            self.known["features"] = Detectors(
                memory=Memory(self._connection, self._name, "features"),
                rule=self._rule,
                make=lambda counts, typical: feature_streams(self._name, layout, counts.astype(np.int64), typical),
                rows=lambda counts: counts[:, :width].sum(axis=1),
                history=history,
                together=Source(self._name, "", Detector.FEATURES, ""),
            )
        return self.known["features"]

    def prediction(self, version: str, layout: Layout) -> Detectors:
        """Return the detectors of what a version predicts, under its layout."""
        name = f"prediction:{version}"
        if name not in self.known:
            operating = self._references.operating
            history = None
            if operating is not None and operating.layout.output == layout.output:
                history = self._history(partial(_outputs, operating.layout))
            self.known[name] = self._learnt(
                name,
                lambda counts, typical: prediction_streams(
                    self._name, version, layout, counts.astype(np.int64), typical
                ),
                lambda counts: counts.sum(axis=1),
                history,
            )
        return self.known[name]

    def of(self, source: Source, layout: Layout) -> Detectors:
        """Return the detectors that a version's source is of, under its layout."""
        if source.detector is Detector.PREDICTION:
            return self.prediction(source.version, layout)
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

    def _learnt(
        self,
        name: str,
        make: Make,
        rows: Callable[[Floats], Floats],
        history: History | None = None,
    ) -> Detectors:
        memory = Memory(self._connection, self._name, name)
        return Detectors(memory=memory, rule=self._rule, make=make, rows=rows, history=history)

    def _history(self, read: Callable[[Floats], Floats]) -> History | None:
        operating = self._references.operating
        if operating is None or not operating.series:
            return None
        starts = whole_windows(operating)

        def read_all() -> tuple[Times, Floats]:
            rows = [read(operating.series[start][None, :].astype(np.float64))[0] for start in starts.tolist()]
            return starts, np.array(rows)

        return History(basis=f"{operating.hash} {operating.series_hash}", windows=len(starts), read=read_all)


def _first(counts: Floats) -> Floats:
    return np.asarray(counts[:, 0])


def _outputs(layout: Layout, served: Floats) -> Floats:
    outcomes = np.zeros((0, layout.outcome_size), dtype=np.int64)
    found = [output_counts(Summary(layout, one.astype(np.int64), outcomes)) for one in served]
    return np.array([counts for counts in found if counts is not None], dtype=np.float64)
