"""Closing windows and settling maturities, a few cohorts to a transaction."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Final

from mlvitals.decisions.episode import Happening, Harm
from mlvitals.decisions.episode_rows import keep_harm
from mlvitals.engines.companions import Company, with_versions
from mlvitals.engines.deciding import Deciding
from mlvitals.engines.harm import with_harm
from mlvitals.engines.judging import Emission, Judge, digest
from mlvitals.engines.model import ModelRun
from mlvitals.engines.surroundings import Surveyor
from mlvitals.signals.spec import DetectorState
from mlvitals.windows.cohorts import PREVIOUS_AT_MOST, Cohort, CohortKey
from mlvitals.windows.groups import ALL
from mlvitals.windows.summary import Summary

Told = Emission | Happening
"""What closing gives: measurements, and what became of episodes."""

COHORTS_PER_STEP: Final = 16  # a few tenths of a second, in which no sender can account for what it sent


class Closer:
    """Brings one model's cohorts from open to closed, settled at each maturity, and forgotten past the horizon."""

    def __init__(self, run: ModelRun, judge: Judge, deciding: Deciding) -> None:
        self._run = run
        self._deciding = deciding
        self._judge = judge
        self._surveyor = Surveyor(run)

    def is_due(self) -> bool:
        """Tell whether there is anything to do by the model's watermark; cheap, for a running job asks all the time."""
        watermark = self._run.watermark
        close, settle = self._run.cohorts.next_due()
        return (
            _reached(close, watermark.closed)
            or _reached(settle, watermark.settled)
            or self._forgettable() is not None
            or self._is_silent()
        )

    def steps(self) -> Iterator[list[Told]]:
        """Do what is due by the model's watermark; each step is one transaction, and yields what it emits.

        The order is fixed: windows in order, then maturities in order, then forgetting. So a process that dies goes on
        in the next one as if it had not died.
        """
        run = self._run
        closed, settled = run.watermark.closed, run.watermark.settled
        if closed is not None:
            yield from _in_steps(self._windows(closed))
        if settled is not None and run.config.labels is not None:
            # Asked anew for each step: what changes of a cohort that has matured makes later ones due, and a process
            # that begins between two steps must go on as the one before would have.
            while due := run.cohorts.due_to_settle(settled):
                yield self._settle_some(due, settled)
        before = self._forgettable()
        if before is not None:
            run.cohorts.forget(before)
            run.cohorts.forget_previous(before)
            run.paired.forget(before)
            run.matured.forget(before)
            run.standings.forget(before)
            run.labels.forget(before)
            self._deciding.forget(before - PREVIOUS_AT_MOST)
            run.watermark.forgotten = before
            yield []

    def _windows(self, closed: int) -> Iterator[list[Told]]:
        """Close window by window, empty ones among them; what is yielded must not be parted by the end of a step."""
        run = self._run
        for start, keys in groupby(run.cohorts.due_to_close(closed), key=lambda key: key.start):
            for empty in run.silence.due(run.size, start):
                yield self._empty(empty)
            if start != run.silence.newest:  # else a step ended among its cohorts
                yield self._begin(start)
            for key in keys:
                yield [self._close(key)]
        for empty in run.silence.due(run.size, closed):
            yield self._empty(empty)

    def _empty(self, start: int) -> list[Told]:
        """Decide on a window in which nothing was served, and tell it of those that served before."""
        happenings = self._with_harm(
            self._deciding.window(start, ()), partial(self._judge.expected_harm, ()), lambda: None
        )
        return [*happenings, *(self._tell_empty(version, start) for version in self._run.silence.versions)]

    def _begin(self, start: int) -> list[Told]:
        """Note who served in a window that closes; where nobody did, tell that of versions that not even failed."""
        run = self._run
        cohorts = run.cohorts.of_window(start, ALL)
        served = tuple(cohort.key.version for cohort in cohorts if cohort.summary.predictions)
        run.usual.note(start, sum(cohort.summary.predictions for cohort in cohorts))
        run.silence.end(run.size, start, served)
        known = {cohort.key.version for cohort in cohorts}
        happenings = self._with_harm(
            self._deciding.window(start, cohorts), partial(self._judge.expected_harm, cohorts), lambda: None
        )
        silent = [version for version in run.silence.versions if version not in known]
        return [*happenings, *(self._tell_empty(version, start) for version in silent)]

    def _close(self, key: CohortKey) -> Emission:
        cohort = self._cohort(key)
        emission = self._measure(cohort)
        cohort.closed = True
        self._run.cohorts.mark(cohort)
        if cohort.summary.predictions:
            self._run.cohorts.keep_as_previous(key)
        return emission

    def _tell_empty(self, version: str, start: int) -> Emission:
        run = self._run
        nothing = Summary.empty(run.layout(version))
        return self._measure(Cohort(CohortKey(start, version, ALL), run.size.end(start), nothing))

    def _measure(self, cohort: Cohort) -> Emission:
        standing = self._run.standings.before(cohort.key)
        states = () if cohort.key.segment != ALL else self._deciding.states(cohort.key.version, cohort.key.start)
        measurements = self._judge.window(cohort, self._surveyor.look(cohort), states, standing)
        self._run.standings.keep(cohort.key, standing)
        return Emission(model=self._run.name, measurements=measurements, stamp=cohort.end, start=cohort.key.start)

    def _with_harm(
        self, happenings: Sequence[Happening], expected: Callable[[], Harm | None], known: Callable[[], Harm | None]
    ) -> list[Happening]:
        """Return happenings, those that page with what is at stake, which is kept for as long as they last."""
        told = with_harm(happenings, expected, known)
        for one in told:
            if one.harm is not None and one.episode is not None:
                keep_harm(self._run.connection, one.episode.id, one.harm)
        return told

    def _is_silent(self) -> bool:
        closed = self._run.watermark.closed
        return closed is not None and self._run.silence.next(self._run.size, closed) is not None

    def _settle_some(self, due: Sequence[CohortKey], settled: int) -> list[Told]:
        """Settle the cohorts that are due of the first windows, as many as make a step, with all of their versions."""
        step: list[Told] = []
        size = 0
        for _, keys in groupby(due, key=lambda key: key.start):
            for key in with_versions(self._run, [*keys]):
                told = [*self._settle(key, settled)]
                step += told
                size += max(1, len(told))
            if size >= COHORTS_PER_STEP:
                break
        return step

    def _settle(self, key: CohortKey, settled: int) -> Iterator[Told]:
        cohort = self._cohort(key)
        checkpoints = self._checkpoints()
        yield from self._look(cohort, checkpoints, settled)
        before = self._run.cohorts.settlements(key)
        company = Company(self._run, cohort)
        for bucket, (maturity, age) in enumerate(self._ages()):
            if cohort.end + age > settled:
                break
            cohort.settled = len(checkpoints) + bucket + 1
            if bucket + 1 == len(self._run.maturities) and self._run.matured.keep(cohort):
                self._run.cohorts.note_change_after(key)
            known = before.get(maturity)
            revision = 0 if known is None else known[1] + 1
            measurements = self._judge.maturity(cohort, bucket, maturity, revision, company.at(bucket))
            said = digest(measurements)
            if known is not None and known[0] == said:
                continue
            self._run.cohorts.record_settlement(key, maturity, said, revision)
            if known is None and key.segment == ALL:
                yield from self._with_harm(
                    self._deciding.cohort(
                        cohort, bucket, maturity, age, self._judge.mistakes(cohort, bucket, maturity)
                    ),
                    partial(self._judge.expected_harm, [cohort]),
                    partial(self._judge.known_harm, cohort, bucket, maturity),
                )
                measurements += self._judge.decided(cohort, maturity, self._decided(cohort, maturity))
            yield Emission(
                model=self._run.name,
                measurements=measurements,
                stamp=cohort.end + age,
                start=key.start,
                revised=known is not None,
            )
        cohort.changed = False
        self._run.cohorts.mark(cohort)

    def _look(self, cohort: Cohort, checkpoints: Sequence[tuple[str, int]], settled: int) -> Iterator[Told]:
        """Decide on the coverage of a cohort before its first maturity, at ages that it reaches for the first time."""
        for place in range(cohort.settled, len(checkpoints)):
            name, age = checkpoints[place]
            if cohort.end + age > settled:
                break
            cohort.settled = place + 1
            if cohort.key.segment == ALL:
                found = self._deciding.checkpoint(cohort, name, age)
                yield from self._with_harm(found, partial(self._judge.expected_harm, [cohort]), lambda: None)

    def _decided(self, cohort: Cohort, maturity: str) -> tuple[DetectorState, ...]:
        return self._deciding.states_of_cohort(cohort, maturity)

    def _forgettable(self) -> int | None:
        """Return the time before which windows are to be forgotten; None where these have been forgotten already.

        They are closed, and no label that could still count for them can come: its horizon has passed.
        """
        run = self._run
        closed, settled, labels = run.watermark.closed, run.watermark.settled, run.config.labels
        if labels is None:
            over = closed
        elif settled is None:
            return None
        else:
            horizon = settled - labels.horizon.microseconds
            over = horizon if closed is None else min(closed, horizon)
        if over is None:
            return None
        before, forgotten = run.size.start(over), run.watermark.forgotten
        return before if forgotten is None or before > forgotten else None

    def _ages(self) -> list[tuple[str, int]]:
        labels = self._run.config.labels
        return [] if labels is None else [(str(maturity), maturity.microseconds) for maturity in labels.maturities]

    def _checkpoints(self) -> list[tuple[str, int]]:
        labels = self._run.config.labels
        return [] if labels is None else [(str(age), age.microseconds) for age in labels.checkpoints]

    def _cohort(self, key: CohortKey) -> Cohort:
        cohort = self._run.cohorts.get(key)
        if cohort is None:
            raise KeyError(f"cohort {key} of model `{self._run.name}` is gone")
        return cohort


def _in_steps(groups: Iterable[list[Told]]) -> Iterator[list[Told]]:
    """Gather groups of emissions to steps; what makes a group is done when its step asks for it, not before."""
    step: list[Told] = []
    size = 0
    for group in groups:
        step += group
        size += max(1, len(group))
        if size >= COHORTS_PER_STEP:
            yield step
            step, size = [], 0
    if size:
        yield step


def _reached(due: int | None, watermark: int | None) -> bool:
    return due is not None and watermark is not None and due <= watermark
