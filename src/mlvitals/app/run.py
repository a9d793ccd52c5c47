"""The main job: once over what is there, or for as long as it is left alone."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

from mlvitals.app.deliver import deliver_in_turn, deliver_patiently
from mlvitals.app.pipeline import Pipeline, open_pipeline
from mlvitals.clock import Clock
from mlvitals.config import Config
from mlvitals.delivery import DrainReport

PATIENCE_SECONDS: Final = 120.0  # `--once` does not wait longer for destinations that do not answer
_PARTING_SECONDS: Final = 5.0  # a supervisor kills after ten
_POLL_SECONDS: Final = 1.0

Progress = Callable[[int], None]
Tell = Callable[[str], None]


@dataclass(slots=True)
class RunReport:
    """What a run did.

    rows: how many were seen. drains: what became of the telemetry, for each destination. problems: what the sources
    tell. unread: input that is there and could not be read. signal: what asked the run to stop, None if it ended by
    itself.
    """

    rows: int = 0
    drains: list[DrainReport] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unread: bool = False
    signal: int | None = None

    @property
    def delivered(self) -> bool:
        """Everything reached every destination."""
        return all(drain.complete for drain in self.drains)


@dataclass(slots=True)
class _Stop:
    """Whether a signal has asked to stop, and which."""

    event: threading.Event = field(default_factory=threading.Event)
    number: int | None = None


def run_once(
    config: Config,
    *,
    until: int | None = None,
    progress: Progress,
    patience: float = PATIENCE_SECONDS,
    clock: Clock | None = None,
) -> RunReport:
    """Read what is there, close and settle by event time (or by `until`), deliver, and return.

    Args:
        config: what to run.
        until: the clock and every watermark, in microseconds since the epoch.
        progress: told the number of rows of each batch.
        patience: how many seconds to wait for destinations while none takes anything.
        clock: what tells the present; the system's, or one that stands at `until`.

    Raises:
        StateError: the state cannot be used.
        InputError: a reference or a source cannot be read at all.
        ConfigError: a reference does not fit.

    """
    with open_pipeline(config, until=until, clock=clock) as pipeline, _stop_on_signal() as stop:
        report = RunReport(problems=[*_absent(pipeline)])
        report.rows = pipeline.read(complete=True, progress=progress, stop=stop.event.is_set)
        report.problems += _problems(pipeline)
        report.unread = any(source.faults for source in pipeline.sources)
        if not stop.event.is_set():
            pipeline.engine.advance_when_all_is_read()
        report.drains = _part(pipeline, patience, stop)
        report.signal = stop.number
    return report


def run_until_stopped(
    config: Config, *, progress: Progress, tell: Tell = lambda _: None, poll: float = _POLL_SECONDS
) -> RunReport:
    """Follow the sources until a signal asks to stop (SIGTERM, SIGINT), then finish the batch at hand and deliver.

    `tell` is given one line for each trouble of a source or a destination as it begins.
    """
    report = RunReport()
    with open_pipeline(config) as pipeline, _stop_on_signal() as stop:
        told = set(_absent(pipeline))
        for line in sorted(told):
            tell(line)
        report.drains = [DrainReport(destination=sender.sink.name) for sender in pipeline.senders]
        while not stop.event.is_set():
            report.rows += pipeline.read(complete=False, progress=progress, stop=stop.event.is_set)
            if not stop.event.is_set():
                pipeline.engine.advance_while_running()
            _add(report.drains, deliver_in_turn(pipeline.senders))
            told = _tell_news(told, [*_problems(pipeline), *_troubles(report.drains)], tell)
            stop.event.wait(poll)
        _add(report.drains, _part(pipeline, _PARTING_SECONDS, stop))
        report.signal = stop.number
    return report


def _part(pipeline: Pipeline, patience: float, stop: _Stop) -> list[DrainReport]:
    return deliver_patiently(pipeline.senders, patience=patience, parting=_PARTING_SECONDS, stop=stop.event.is_set)


def _add(totals: list[DrainReport], turns: list[DrainReport]) -> None:
    for total, turn in zip(totals, turns, strict=True):
        total.add(turn)


def _absent(pipeline: Pipeline) -> Iterator[str]:
    """Tell what keeps sources from being read before they are: nothing is there yet, or it is closed to us."""
    for source in pipeline.sources:
        yield from (f"source {source.name}: {problem}" for problem in source.check())


def _problems(pipeline: Pipeline) -> Iterator[str]:
    for source in pipeline.sources:
        yield from (f"source {source.name}: {problem}" for problem in source.problems)


def _troubles(drains: list[DrainReport]) -> Iterator[str]:
    yield from (f"sink {drain.destination}: {drain.trouble}" for drain in drains if drain.trouble)


def _tell_news(told: set[str], lines: list[str], tell: Tell) -> set[str]:
    for line in lines:
        if line not in told:
            tell(line)
    return set(lines)


@contextmanager
def _stop_on_signal() -> Iterator[_Stop]:
    """Turn the first SIGTERM or SIGINT into a wish to stop; the second interrupts as usual."""
    stop = _Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.getsignal(number) or signal.SIG_DFL for number in (signal.SIGTERM, signal.SIGINT)}

    def note(number: int, _frame: FrameType | None) -> None:
        stop.number = number
        stop.event.set()
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in before:
        signal.signal(number, note)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
