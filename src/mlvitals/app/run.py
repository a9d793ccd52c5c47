"""The main job, once over what is there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from mlvitals.app.kept import keeping
from mlvitals.app.pipeline import Pipeline, open_pipeline
from mlvitals.app.watch import Watch
from mlvitals.app.wishes import Wish, heed_signals
from mlvitals.clock import Clock
from mlvitals.config import Config
from mlvitals.delivery import DrainReport
from mlvitals.events import ReadAccount

PATIENCE_SECONDS: Final = 120.0  # `--once` does not wait longer for destinations that do not answer
PARTING_SECONDS: Final = 5.0  # a supervisor kills after ten

Progress = Callable[[int], None]


@dataclass(slots=True)
class RunReport:
    """What a run did.

    account: of the rows that were seen. drains: what became of the telemetry, for each destination. problems: what the
    sources tell. unread: input that is there and could not be read. broken: models that could not run, and parts of the
    configuration that could not be used, a line each. signal: what asked the run to stop, None if it ended by itself.
    """

    account: ReadAccount = field(default_factory=lambda: ReadAccount(rows=0, parsed=0))
    drains: list[DrainReport] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unread: bool = False
    broken: list[str] = field(default_factory=list)
    signal: int | None = None

    @property
    def delivered(self) -> bool:
        """Everything reached every destination."""
        return all(drain.complete for drain in self.drains)


def run_once(
    config: Config,
    *,
    until: int | None = None,
    progress: Progress,
    patience: float = PATIENCE_SECONDS,
    clock: Clock | None = None,
) -> RunReport:
    """Read what is there, close and settle by event time (or by `until`), deliver, and return.

    What became of it is told last, of the job itself, unless time is made up: by `until` or a clock.

    Args:
        config: what to run.
        until: the clock and every watermark, in microseconds since the epoch.
        progress: told the number of rows of each batch.
        patience: how many seconds to wait for destinations while none takes anything.
        clock: what tells the present; the system's, or one that stands at `until`.

    Raises:
        StateError: the state cannot be used, or not be kept. What it could not note is done again by the next run.
        InputError: a source cannot be read at all.

    """
    with (
        keeping(config) as kept,
        open_pipeline(kept.config, until=until, clock=clock) as pipeline,
        heed_signals() as wish,
    ):
        report = RunReport(problems=[*absent(pipeline)])
        pipeline.heed()
        report.account = pipeline.read(complete=True, progress=progress, stop=wish.stop.is_set)
        report.problems += problems(pipeline)
        report.unread = any(source.faults for source in pipeline.sources)
        if not wish.stop.is_set():
            pipeline.engine.advance_when_all_is_read()
        kept.keep()  # before anything leaves: whoever was overtaken has told nobody anything
        pipeline.let_go()
        if until is None and clock is None:  # what is told of the job has the present's time, and a replay has none
            pipeline.deliveries.wait(patience=patience, parting=PARTING_SECONDS, stop=wish.stop.is_set)
            Watch.over(pipeline).tell_what_is_kept(kept.keep)
            patience = min(patience, PARTING_SECONDS)  # who did not answer has been waited for
        report.drains = part(pipeline, patience, wish)
        kept.keep()
        report.broken = pipeline.problems
        report.signal = wish.number
    return report


def part(pipeline: Pipeline, patience: float, wish: Wish) -> list[DrainReport]:
    """Wait for what is to be delivered, before the job ends; return what became of it, for each destination."""
    pipeline.deliveries.wait(patience=patience, parting=PARTING_SECONDS, stop=wish.stop.is_set)
    pipeline.deliveries.stop()
    return pipeline.deliveries.reports()


def absent(pipeline: Pipeline) -> Iterator[str]:
    """Tell what keeps sources from being read before they are: nothing is there yet, or it is closed to us."""
    for source in pipeline.sources:
        yield from (f"source {source.name}: {problem}" for problem in source.check())


def problems(pipeline: Pipeline) -> Iterator[str]:
    """Tell what the sources could not read."""
    for source in pipeline.sources:
        yield from (f"source {source.name}: {problem}" for problem in source.problems)
