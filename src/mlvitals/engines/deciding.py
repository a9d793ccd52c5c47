"""The budgeted detectors of a model, fed as its windows close and its cohorts mature."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.config import DecisionsConfig, ModelConfig, demand_of
from mlvitals.decisions.allocation import ModelDemand, ModelShares, allocate
from mlvitals.decisions.detectors import Detectors, History, Make
from mlvitals.decisions.ensemble import Judgement, Rule
from mlvitals.decisions.episode import Happening, Quiet, Span
from mlvitals.decisions.episodes import Episodes, Lasting
from mlvitals.decisions.finding import Detector, Finding, Recovery, Source
from mlvitals.decisions.promises import whole_windows
from mlvitals.decisions.tables import Memory
from mlvitals.decisions.watching import (
    cohort_counts,
    cohort_streams,
    feature_streams,
    prediction_streams,
    traffic_counts,
    traffic_streams,
)
from mlvitals.decisions.words import rebases
from mlvitals.engines.changes import read_changes
from mlvitals.engines.feature_groups import FeatureGroups
from mlvitals.engines.model import ModelRun
from mlvitals.signals.prediction_drift import output_bins, output_counts
from mlvitals.signals.spec import DetectorState, Status
from mlvitals.signals.table import feature_section
from mlvitals.windows.cohorts import Cohort
from mlvitals.windows.layout import Layout, Task
from mlvitals.windows.relaid import relaid
from mlvitals.windows.summary import Summary

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]

_LEAST_EVIDENCE: Final = -2.0  # of no interest, and a plot of zeros' logarithms is none


class PageBudget:
    """One page budget for all models that run, shared out anew as models come.

    versions: how many of a model's serve at a time.
    """

    def __init__(self, config: DecisionsConfig, versions: int) -> None:
        self.config = config
        self._versions = versions
        self._demands: dict[str, ModelDemand] = {}
        self._shares: Mapping[str, ModelShares] = {}

    def join(self, model: ModelConfig, features: Sequence[str]) -> None:
        """Let a model share in it, or change what it watches."""
        demand = demand_of(model, features, self._versions)
        if self._demands.get(model.name) != demand:
            self._demands[model.name] = demand
            self._shares = {}

    def bar(self, source: Source) -> float:
        """Return log10 of what a detector's evidence has to reach."""
        if not self._shares:
            self._shares = allocate(
                self.config.pages_per_week, self.config.weights.by_name, list(self._demands.values())
            )
        return self._shares[source.model].of(source).bar


class Deciding:
    """Decides, window by window, what of a model's signals is to wake a person.

    What it says follows from closed windows, settled cohorts and people's words, in the order in which they are taken.
    """

    def __init__(self, run: ModelRun, budget: PageBudget) -> None:
        self._run = run
        self._connection = run.connection
        self._name = run.name
        self._references = run.references
        self._budget = budget
        self._size = run.size
        self._groups = FeatureGroups(run.config.groups)
        self._episodes = Episodes(run.connection)
        config = budget.config
        self._rule = Rule(size=self._size, tolerance=config.tolerance, min_effect=config.min_effect)
        self._detectors: dict[str, Detectors] = {}

    def window(self, start: int, cohorts: Sequence[Cohort]) -> list[Happening]:
        """Take a window in, all of its versions; return what that does to episodes."""
        if self._run.is_learnt_from(start):
            return []
        self._heed()
        layout = self._run.layout("")
        self._join()
        total = Summary.empty(layout)
        for cohort in cohorts:
            total.served[:] += relaid(cohort.summary, layout).served
        served = total.served.astype(np.float64)
        judged = [
            self._traffic().take(start, traffic_counts(served[None, :], layout)[0], self._budget.bar),
            self._features(layout).take(start, served[feature_section(layout)], self._budget.bar),
        ]
        for cohort in cohorts:
            counts = output_counts(cohort.summary)
            if counts is not None and cohort.summary.predictions:
                detectors = self._prediction(cohort.key.version, cohort.summary.layout)
                judged.append(detectors.take(start, counts.astype(np.float64), self._budget.bar))
        end = self._size.end(start)
        recoveries = self._let_go(start, end)
        return self._tell(Span(model=self._name, start=start, end=end), judged, recoveries)

    def cohort(self, cohort: Cohort, bucket: int, maturity: str, age: int) -> list[Happening]:
        """Take a cohort in that reaches a maturity; its times are those at which this is known."""
        if self._run.is_learnt_from(cohort.key.start):
            return []
        self._join()
        detectors = self._cohort(cohort.key.version, maturity, cohort.summary.layout.output.task)
        judged = detectors.take(cohort.key.start, cohort_counts(cohort.summary, bucket), self._budget.bar)
        span = Span(model=self._name, start=cohort.key.start + age, end=cohort.end + age)
        return self._tell(span, [judged], age=age)

    def states(self, version: str, start: int) -> tuple[DetectorState, ...]:
        """Return how the detectors of a version stand after a window, the newest, those of all versions among them.

        Where what is usual is still being learnt, the first of them, or that of all features together, says so.
        """
        if self._run.is_learnt_from(start):
            return ()
        self._join()
        layout, own = self._run.layout(""), self._run.layout(version)
        standing = self._states(self._traffic(), Source(self._name, "", Detector.VOLUME, ""))
        if layout.features:
            several = len(layout.features) > 1
            detector, subject = (Detector.FEATURES, "") if several else (Detector.FEATURE, layout.features[0].name)
            standing += self._states(self._features(layout), Source(self._name, "", detector, subject))
        if output_bins(own.output) is not None:
            first = Source(self._name, version, Detector.PREDICTION, "")
            standing += self._states(self._prediction(version, own), first)
        return standing

    def states_of_cohort(self, version: str, maturity: str, task: Task) -> tuple[DetectorState, ...]:
        """Return how the detectors of a version's cohorts at a maturity stand after the newest of them."""
        self._join()
        first = Source(self._name, version, Detector.COVERAGE, maturity)
        return self._states(self._cohort(version, maturity, task), first)

    def _states(self, detectors: Detectors, first: Source) -> tuple[DetectorState, ...]:
        if detectors.mode is None:
            told = {"mode": "learning"}
            bar = self._budget.bar(first)
            return (
                DetectorState(
                    first.detector.value, first.subject, _LEAST_EVIDENCE, bar, Status.INSUFFICIENT_DATA, told
                ),
            )
        lasting = self._episodes.lasting(self._name)
        mode: dict[str, float | str] = {
            "mode": "full" if detectors.mode.full else "short",
            "weeks": round(detectors.mode.weeks, 1),
        }
        return tuple(
            self._state(source, value, lasting.get(source), mode) for source, value in detectors.evidence.items()
        )

    def _state(
        self, source: Source, evidence: float, lasting: Lasting | None, mode: Mapping[str, float | str]
    ) -> DetectorState:
        bar = self._budget.bar(source)
        status, told = Status.OK, dict(mode)
        if lasting is not None:
            status = Status.ALERT if lasting.alerts else Status.WARNING
            told |= {"episode": lasting.episode} if lasting.episode is not None else {}
            told |= {"silenced": "true"} if lasting.silenced else {}
        return DetectorState(source.detector.value, source.subject, max(_LEAST_EVIDENCE, evidence), bar, status, told)

    def _join(self) -> None:
        features = [feature.name for feature in self._run.layout("").features]
        self._budget.join(self._run.config, features)

    def _tell(
        self, span: Span, judged: Iterable[Judgement | None], recoveries: Sequence[Recovery] = (), age: int = 0
    ) -> list[Happening]:
        findings: list[Finding] = []
        over = [*recoveries]
        for one in judged:
            if one is not None:
                findings += one.findings
                over += one.recoveries
        if age:
            findings = [later(finding, age) for finding in findings]
            over = [Recovery(source=one.source, end=one.end + age) for one in over]
        quiet = self._budget.config.quiet_after_change.microseconds
        quiets = [
            Quiet(start=change.time, end=change.time + quiet, text=f"{change.kind}: {change.text}")
            for change in (read_changes(self._connection, self._name) if quiet and findings else ())
        ]
        return self._episodes.take(span, findings, over, origin=self._groups.told, quiets=quiets)

    def _heed(self) -> None:
        for word in rebases(self._connection, self._name):
            for detectors in self._detectors.values():
                detectors.rebase(word.concerns, word.sequence)

    def _let_go(self, start: int, end: int) -> list[Recovery]:
        """End what lasts of versions that serve no more."""
        over: list[Recovery] = []
        for name, detectors in list(self._detectors.items()):
            if name.startswith("prediction:") and detectors.last is not None and self._size.length:
                absent = (start - detectors.last) // self._size.length
                if absent >= detectors.recovery_windows:
                    over += detectors.let_go(end)
        return over

    def _cohort(self, version: str, maturity: str, task: Task) -> Detectors:
        name = f"cohort:{version}:{maturity}"
        if name not in self._detectors:
            streams = cohort_streams(self._name, version, maturity, task)
            self._detectors[name] = self._learnt(name, lambda *_: streams, _first)
        return self._detectors[name]

    def _traffic(self) -> Detectors:
        if "traffic" not in self._detectors:
            operating = self._references.operating
            history = None
            if operating is not None and operating.complete:
                history = self._history(lambda served: traffic_counts(served, operating.layout))
            streams = traffic_streams(self._name)
            self._detectors["traffic"] = self._learnt("traffic", lambda *_: streams, _first, history)
        return self._detectors["traffic"]

    def _features(self, layout: Layout) -> Detectors:
        if "features" not in self._detectors:
            section = feature_section(layout)
            first = next(iter(layout.features), None)
            width = 0 if first is None else layout.served_sections[first.column].stop - section.start
            operating = self._references.operating
            history = None
            if operating is not None and operating.layout.features == layout.features:
                history = self._history(lambda served: served[:, feature_section(operating.layout)])
            self._detectors["features"] = Detectors(
                memory=Memory(self._connection, self._name, "features"),
                rule=self._rule,
                make=lambda counts, typical: feature_streams(self._name, layout, counts.astype(np.int64), typical),
                rows=lambda counts: counts[:, :width].sum(axis=1),
                history=history,
                together=Source(self._name, "", Detector.FEATURES, ""),
            )
        return self._detectors["features"]

    def _prediction(self, version: str, layout: Layout) -> Detectors:
        name = f"prediction:{version}"
        if name not in self._detectors:
            operating = self._references.operating
            history = None
            if operating is not None and operating.layout.output == layout.output:
                history = self._history(partial(_outputs, operating.layout))
            self._detectors[name] = self._learnt(
                name,
                lambda counts, typical: prediction_streams(
                    self._name, version, layout, counts.astype(np.int64), typical
                ),
                lambda counts: counts.sum(axis=1),
                history,
            )
        return self._detectors[name]

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


def later(finding: Finding, age: int) -> Finding:
    """Return a finding of a cohort at the times at which it is known."""
    times = {name: getattr(finding, name) + age for name in ("start", "end", "onset")}
    return Finding(
        **times,
        **{
            name: getattr(finding, name)
            for name in ("source", "component", "effect", "lower", "upper", "unit", "evidence", "bar")
        },
    )


def _first(counts: Floats) -> Floats:
    return np.asarray(counts[:, 0])


def _outputs(layout: Layout, served: Floats) -> Floats:
    outcomes = np.zeros((0, layout.outcome_size), dtype=np.int64)
    found = [output_counts(Summary(layout, one.astype(np.int64), outcomes)) for one in served]
    return np.array([counts for counts in found if counts is not None], dtype=np.float64)
