"""The budgeted detectors of a model, fed as its windows close and its cohorts mature."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import log10
from typing import Final

import msgspec
import numpy as np

from mlvitals.decisions.detectors import Detectors
from mlvitals.decisions.discovery import discoveries
from mlvitals.decisions.ensemble import Judgement, Rule
from mlvitals.decisions.episode import Happening, Quiet, Span
from mlvitals.decisions.episodes import Episodes, Lasting
from mlvitals.decisions.finding import Detector, Finding, Recovery, Source
from mlvitals.decisions.watching import RATE, cohort_counts, coverage_counts, traffic_counts
from mlvitals.decisions.words import rebases
from mlvitals.engines.changes import read_changes
from mlvitals.engines.detecting import ModelDetectors
from mlvitals.engines.feature_groups import FeatureGroups
from mlvitals.engines.model import ModelRun
from mlvitals.engines.page_budget import PageBudget
from mlvitals.engines.selfchecking import selfcheck_state
from mlvitals.hashing import content_hash
from mlvitals.signals.cost import Mistakes
from mlvitals.signals.evidence import EXPECTED, WORST_SEGMENT
from mlvitals.signals.prediction_drift import output_bins, output_counts
from mlvitals.signals.spec import DetectorState, Status
from mlvitals.signals.table import feature_section
from mlvitals.windows.cohorts import Cohort, CohortKey
from mlvitals.windows.groups import segment_names
from mlvitals.windows.layout import Layout
from mlvitals.windows.relaid import relaid
from mlvitals.windows.summary import Summary

# Detectors whose counts go by what was configured: under another one they are others.
_BY_CONTENT: Final = frozenset({Detector.COST, Detector.SEGMENT})
_LEAST_EVIDENCE: Final = -2.0  # of no interest, and a plot of zeros' logarithms is none


class Deciding:
    """Decides, window by window, what of a model's signals is to wake a person.

    What it says follows from closed windows, settled cohorts and people's words, in the order in which they are taken.
    """

    def __init__(self, run: ModelRun, budget: PageBudget) -> None:
        self._run = run
        self._connection = run.connection
        self._name = run.name
        self._budget = budget
        self._size = run.size
        self._groups = FeatureGroups(run.config.groups)
        self._episodes = Episodes(run.connection)
        config = budget.config
        rule = Rule(size=self._size, tolerance=config.tolerance, min_effect=config.min_effect)
        labels = run.config.labels
        checkpoints = frozenset(map(str, labels.checkpoints)) if labels else frozenset()
        prices = content_hash(msgspec.json.encode(run.config.cost)) if run.config.cost else ""
        self._detectors = ModelDetectors(
            run.connection, run.name, run.references, rule, checkpoints=checkpoints, prices=prices
        )

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
            self._detectors.traffic().take(start, traffic_counts(served[None, :], layout)[0], self._budget.bar),
            self._detectors.features(layout).take(start, served[feature_section(layout)], self._budget.bar),
        ]
        predicting = [cohort for cohort in cohorts if cohort.summary.predictions]
        bars = self._bars(start, {cohort.key.version for cohort in predicting})
        for cohort in predicting:
            own, counts = self._run.layout(cohort.key.version), output_counts(cohort.summary)
            # A window that was begun under another reference has other bins, of which this one knows nothing.
            if counts is not None and cohort.summary.layout.output == own.output:
                detectors = self._detectors.prediction(cohort.key.version, own)
                judged.append(detectors.take(start, counts.astype(np.float64), bars))
                judged.append(self._segments(cohort, own, bars))
        end = self._size.end(start)
        recoveries = self._let_go(start, end)
        return self._tell(Span(model=self._name, start=start, end=end), judged, recoveries)

    def _segments(self, cohort: Cohort, layout: Layout, bars: Callable[[Source], float]) -> Judgement | None:
        """Take in what a version predicts in each segment of a window, all of which is counted under its layout."""
        names, (start, version, _) = self._segment_names, cohort.key
        parts = [self._run.cohorts.get(CohortKey(start, version, name)) for name in names]
        begun = {cohort.summary.layout.hash, *(part.summary.layout.hash for part in parts if part is not None)}
        if not names or begun != {layout.hash}:
            return None
        nothing = output_counts(Summary.empty(layout))
        counts = [nothing if part is None else output_counts(part.summary) for part in parts]
        side_by_side = [one for one in counts if one is not None]
        detectors = self._detectors.segments(version, layout, names)
        return detectors.take(start, np.concatenate(side_by_side).astype(np.float64), bars)

    @property
    def _segment_names(self) -> Sequence[str]:
        return segment_names(self._run.config.segments, self._run.layout("").segments)

    def cohort(
        self, cohort: Cohort, bucket: int, maturity: str, age: int, mistakes: Mistakes | None = None
    ) -> list[Happening]:
        """Take a cohort in that reaches a maturity; its times are those at which this is known.

        mistakes: what those that are known cost; None where that has no price.
        """
        if self._run.is_learnt_from(cohort.key.start):
            return []
        self._join()
        detectors = self._detectors.cohort(cohort.key.version, maturity, cohort.summary.layout.output.task)
        bars = self._bars(cohort.key.start, {cohort.key.version}, maturity)
        judged = [detectors.take(cohort.key.start, cohort_counts(cohort.summary, bucket), bars)]
        if mistakes is not None:
            priced = self._detectors.cost(cohort.key.version, maturity)
            judged.append(priced.take(cohort.key.start, np.array(mistakes, dtype=np.float64), bars))
        span = Span(model=self._name, start=cohort.key.start + age, end=cohort.end + age)
        return self._tell(span, judged, age=age)

    def forget(self, before: int) -> None:
        """Forget what detectors keep of versions that were last judged before a time."""
        self._detectors.forget(before)

    def checkpoint(self, cohort: Cohort, name: str, age: int) -> list[Happening]:
        """Take in how much of a cohort is labelled by an age before its first maturity."""
        if self._run.is_learnt_from(cohort.key.start):
            return []
        self._join()
        detectors = self._detectors.coverage(cohort.key.version, name)
        bars = self._bars(cohort.key.start, {cohort.key.version}, name)
        judged = detectors.take(cohort.key.start, coverage_counts(cohort.summary, age), bars)
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
        bars = self._bars(start, {version})
        standing = self._states(self._detectors.traffic(), Source(self._name, "", Detector.VOLUME, ""), bars)
        if layout.features:
            several = len(layout.features) > 1
            detector, subject = (Detector.FEATURES, "") if several else (Detector.FEATURE, layout.features[0].name)
            standing += self._states(self._detectors.features(layout), Source(self._name, "", detector, subject), bars)
        if output_bins(own.output) is not None:
            first = Source(self._name, version, Detector.PREDICTION, "")
            standing += self._states(self._detectors.prediction(version, own), first, bars)
            standing += self._worst_segment(version, own, bars)
        operating = self._run.references.operating
        return standing if operating is None else standing + selfcheck_state(operating)

    def _worst_segment(
        self, version: str, layout: Layout, bars: Callable[[Source], float]
    ) -> tuple[DetectorState, ...]:
        """Return how the detector of the segment stands that has most evidence, and pages if any does."""
        names = self._segment_names
        if not names:
            return ()
        detectors = self._detectors.segments(version, layout, names)
        states = self._states(detectors, Source(self._name, version, Detector.SEGMENT, names[0]), bars)
        alarming = (Status.ALERT, Status.WARNING)
        worst = max(states, key=lambda one: (one.status in alarming, one.status is Status.ALERT, one.evidence))
        told = dict(worst.told)
        if detectors.mode is not None:
            told |= {WORST_SEGMENT: worst.subject, "segments": float(len(names))}
        return (worst._replace(subject="", told=told),)

    def states_of_cohort(self, cohort: Cohort, maturity: str) -> tuple[DetectorState, ...]:
        """Return how the detectors of a version's cohorts at a maturity stand after the newest of them."""
        self._join()
        version, task = cohort.key.version, cohort.summary.layout.output.task
        bars = self._bars(cohort.key.start, {version}, maturity)
        first = Source(self._name, version, Detector.COVERAGE, maturity)
        detectors = self._detectors.cohort(version, maturity, task)
        states = self._states(detectors, first, bars)
        if self._is_priced(maturity):
            own = Source(self._name, version, Detector.COST, maturity)
            states += self._states(self._detectors.cost(version, maturity), own, bars)
        expected = detectors.expected_rate(first, RATE, cohort.key.start)
        if expected is None:
            return states
        return tuple(
            one._replace(told={**one.told, EXPECTED: expected}) if one.detector == Detector.COVERAGE.value else one
            for one in states
        )

    def _is_priced(self, maturity: str) -> bool:
        """Tell whether known mistakes have a price at a maturity: where only positives come, at the last one."""
        run = self._run
        return run.config.cost is not None and (run.only is None or maturity == run.maturities[-1])

    def _states(
        self, detectors: Detectors, first: Source, bars: Callable[[Source], float]
    ) -> tuple[DetectorState, ...]:
        if detectors.mode is None:
            told = {"mode": "learning"}
            return (
                DetectorState(
                    first.detector.value, first.subject, _LEAST_EVIDENCE, bars(first), Status.INSUFFICIENT_DATA, told
                ),
            )
        lasting = self._episodes.lasting(self._name)
        mode: dict[str, float | str] = {
            "mode": "full" if detectors.mode.full else "short",
            "weeks": round(detectors.mode.weeks, 1),
        }
        return tuple(
            _state(source, value, bars(source), lasting.get(source), mode)
            for source, value in detectors.evidence.items()
        )

    def _bars(self, start: int, versions: set[str], maturity: str = "") -> Callable[[Source], float]:
        """Return the bars of a window, or of a cohort: of versions by how many serve at a time, these among them."""
        serving = versions | self._detectors.serving(start, maturity)
        return partial(self._budget.bar, versions=len(serving))

    def _join(self) -> None:
        features = [feature.name for feature in self._run.layout("").features]
        self._budget.join(self._run.config, features, self._segment_names)

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
        happenings = self._episodes.take(span, findings, over, origin=self._groups.told, quiets=quiets)
        if any(one.what.pages for one in happenings):
            moved = self._moved()
            happenings = [replace(one, moved=moved) if one.what.pages else one for one in happenings]
        return happenings

    def _moved(self) -> Sequence[str]:
        """Return the features that have moved, beside whatever pages."""
        detectors = self._detectors.features(self._run.layout(""))
        week = log10(max(float(self._size.per_week), 1.0))
        return discoveries(
            {
                source.subject: evidence - week
                for source, evidence in detectors.evidence.items()
                if source.detector is Detector.FEATURE
            }
        )

    def _heed(self) -> None:
        for word in rebases(self._connection, self._name):
            for detectors in self._detectors.known.values():
                detectors.rebase(word.concerns, word.sequence)

    def _let_go(self, start: int, end: int) -> list[Recovery]:
        """End what lasts of versions that serve no more: what they would tell of is told by no window any more."""
        labels = self._run.config.labels
        stops = () if labels is None else (*labels.checkpoints, *labels.maturities)
        ages = {str(one): one.microseconds for one in stops}
        over: list[Recovery] = []
        for source in self._episodes.lasting(self._name):
            if source.version and self._size.length:
                detectors = self._detectors.of(source, self._run.layout(source.version), self._segment_names)
                last = start if detectors.last is None else detectors.last
                long = detectors.recovery_windows * self._size.length
                changed = source.detector in _BY_CONTENT and source not in detectors.latched
                if changed:  # prices or segments are others now
                    over.append(Recovery(source=source, end=end))
                elif start - ages.get(source.subject, 0) - last >= long:
                    over += detectors.let_go(end)
                elif source.detector is Detector.SEGMENT and self._is_gone(source, start, long):
                    over += detectors.let_go(end, source)
        return over

    def _is_gone(self, source: Source, start: int, long: int) -> bool:
        """Tell whether nothing was predicted in a segment for so long, up to the window at `start`."""
        if self._run.cohorts.get(CohortKey(start, source.version, source.subject)) is not None:
            return False
        last = self._run.cohorts.last_served(source.version, source.subject)
        return last is None or start - last >= long


def _state(
    source: Source, evidence: float, bar: float, lasting: Lasting | None, mode: Mapping[str, float | str]
) -> DetectorState:
    status, told = Status.OK, dict(mode)
    if lasting is not None:
        status = Status.ALERT if lasting.alerts else Status.WARNING
        told |= {"episode": lasting.episode} if lasting.episode is not None else {}
        told |= {"silenced": "true"} if lasting.silenced else {}
    return DetectorState(source.detector.value, source.subject, max(_LEAST_EVIDENCE, evidence), bar, status, told)


def later(finding: Finding, age: int) -> Finding:
    """Return a finding of a cohort at the times at which it is known.

    Its onset stays where the predictions are that were judged, for there lies what was wrong with them or with their
    labels. Labels that did not come are the exception: they are missed from when they were due.
    """
    missed = finding.source.detector is Detector.COVERAGE and finding.component == RATE
    due = age if missed else 0
    return replace(finding, start=finding.start + age, end=finding.end + age, onset=finding.onset + due)
