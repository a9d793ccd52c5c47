"""Closing windows and settling maturities, a few cohorts to a transaction."""

from collections.abc import Iterator
from typing import Final

from mlvitals.engines.judging import Emission, Judge, digest
from mlvitals.engines.model import ModelRun
from mlvitals.windows.cohorts import Cohort, CohortKey

COHORTS_PER_STEP: Final = 64


class Closer:
    """Brings one model's cohorts from open to closed, settled at each maturity, and forgotten past the horizon."""

    def __init__(self, run: ModelRun, judge: Judge) -> None:
        self._run = run
        self._judge = judge

    def steps(self) -> Iterator[list[Emission]]:
        """Do what is due by the model's watermark; each step is one transaction of the caller's, ended by what it emits.

        The order is fixed: windows in order, then maturities in order, then forgetting. So a process that dies goes on
        in the next one as if it had not died.
        """
        run = self._run
        closed, settled = run.watermark.closed, run.watermark.settled
        if closed is not None:
            due = run.cohorts.due(closed)
            for part in range(0, len(due), COHORTS_PER_STEP):
                yield [self._close(key) for key in due[part : part + COHORTS_PER_STEP]]
        if run.config.labels is None or settled is None:
            return
        pending = self._pending(settled)
        for part in range(0, len(pending), COHORTS_PER_STEP):
            yield [one for key in pending[part : part + COHORTS_PER_STEP] for one in self._settle(key, settled)]
        self._forget(settled, run.config.labels.horizon.microseconds)
        yield []

    def _close(self, key: CohortKey) -> Emission:
        cohort = self._cohort(key)
        emission = Emission(
            model=self._run.name, measurements=self._judge.window(cohort), stamp=cohort.end, start=key.start
        )
        cohort.closed = True
        self._run.cohorts.mark(cohort)
        if self._run.config.labels is None:
            self._run.cohorts.remove(cohort)
            self._run.labels.forget_window(self._run.name, key.start)
        return emission

    def _pending(self, settled: int) -> list[CohortKey]:
        """Return closed cohorts with a maturity that is reached and not plotted yet, or with labels since it was."""
        run, ages = self._run, self._ages()
        done = run.cohorts.settled_maturities()
        pending = []
        for key, end, changed in run.cohorts.closed_keys():
            reached = {maturity for maturity, age in ages if end + age <= settled}
            if reached - done.get(key, set()) or (changed and reached):
                pending.append(key)
        return pending

    def _settle(self, key: CohortKey, settled: int) -> Iterator[Emission]:
        cohort = self._cohort(key)
        before = self._run.cohorts.settlements(key)
        for bucket, (maturity, age) in enumerate(self._ages()):
            if cohort.end + age > settled:
                break
            known = before.get(maturity)
            revision = 0 if known is None else known[1] + 1
            measurements = self._judge.maturity(cohort, bucket, maturity, revision)
            said = digest(measurements)
            if known is not None and known[0] == said:
                continue
            self._run.cohorts.record_settlement(key, maturity, said, revision)
            yield Emission(
                model=self._run.name,
                measurements=measurements,
                stamp=cohort.end + age,
                start=key.start,
                revised=known is not None,
            )
        cohort.changed = False
        self._run.cohorts.mark(cohort)

    def _forget(self, settled: int, horizon: int) -> None:
        run = self._run
        over = sorted({(key.start, end) for key, end, _ in run.cohorts.closed_keys() if end + horizon <= settled})
        for start, _ in over:
            run.cohorts.remove_window(start)
            run.labels.forget_window(run.name, start)
        run.labels.forget_labels(run.name, settled - horizon)

    def _ages(self) -> list[tuple[str, int]]:
        labels = self._run.config.labels
        return [] if labels is None else [(str(maturity), maturity.microseconds) for maturity in labels.maturities]

    def _cohort(self, key: CohortKey) -> Cohort:
        cohort = self._run.cohorts.get(key)
        if cohort is None:
            raise KeyError(f"cohort {key} of model `{self._run.name}` is gone")
        return cohort
