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

    def is_due(self) -> bool:
        """Tell whether there is anything to do by the model's watermark; cheap, for a running job asks all the time."""
        watermark = self._run.watermark
        close, settle = self._run.cohorts.next_due()
        return (
            _reached(close, watermark.closed) or _reached(settle, watermark.settled) or self._forgettable() is not None
        )

    def steps(self) -> Iterator[list[Emission]]:
        """Do what is due by the model's watermark; each step is one transaction, and yields what it emits.

        The order is fixed: windows in order, then maturities in order, then forgetting. So a process that dies goes on
        in the next one as if it had not died.
        """
        run = self._run
        closed, settled = run.watermark.closed, run.watermark.settled
        if closed is not None:
            due = run.cohorts.due_to_close(closed)
            for part in range(0, len(due), COHORTS_PER_STEP):
                yield [self._close(key) for key in due[part : part + COHORTS_PER_STEP]]
        if settled is not None and run.config.labels is not None:
            due = run.cohorts.due_to_settle(settled)
            for part in range(0, len(due), COHORTS_PER_STEP):
                yield [one for key in due[part : part + COHORTS_PER_STEP] for one in self._settle(key, settled)]
        before = self._forgettable()
        if before is not None:
            run.cohorts.forget(before)
            run.labels.forget(run.name, before)
            run.watermark.forgotten = before
            yield []

    def _close(self, key: CohortKey) -> Emission:
        cohort = self._cohort(key)
        cohort.closed = True
        self._run.cohorts.mark(cohort)
        return Emission(
            model=self._run.name, measurements=self._judge.window(cohort), stamp=cohort.end, start=key.start
        )

    def _settle(self, key: CohortKey, settled: int) -> Iterator[Emission]:
        cohort = self._cohort(key)
        before = self._run.cohorts.settlements(key)
        for bucket, (maturity, age) in enumerate(self._ages()):
            if cohort.end + age > settled:
                break
            cohort.settled = bucket + 1
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

    def _cohort(self, key: CohortKey) -> Cohort:
        cohort = self._run.cohorts.get(key)
        if cohort is None:
            raise KeyError(f"cohort {key} of model `{self._run.name}` is gone")
        return cohort


def _reached(due: int | None, watermark: int | None) -> bool:
    return due is not None and watermark is not None and due <= watermark
