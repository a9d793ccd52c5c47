"""The main job: once over what is there, or for as long as it is left alone."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

from mlvitals.app.pipeline import Pipeline, open_pipeline
from mlvitals.clock import Clock
from mlvitals.config import Config
from mlvitals.delivery import DrainReport

_DELIVERY_SECONDS: Final = 120.0  # `--once` does not wait longer for a destination that does not answer
_PARTING_SECONDS: Final = 5.0  # a supervisor kills after ten
_POLL_SECONDS: Final = 1.0

Progress = Callable[[int], None]


@dataclass(slots=True)
class RunReport:
    """What a run did: rows seen, and what became of the telemetry at each destination."""

    rows: int = 0
    drains: list[DrainReport] = field(default_factory=list)

    @property
    def delivered(self) -> bool:
        """Everything reached every destination."""
        return all(drain.complete for drain in self.drains)


def run_once(config: Config, *, until: int | None = None, progress: Progress, clock: Clock | None = None) -> RunReport:
    """Read what is there, close and settle by event time (or by `until`), deliver, and return."""
    with open_pipeline(config, until=until, clock=clock) as pipeline, _stop_on_signal() as stopped:
        rows = pipeline.read(complete=True, progress=progress, stop=stopped.is_set)
        if not stopped.is_set():
            pipeline.engine.advance_when_all_is_read()
        return RunReport(rows, pipeline.deliver(_PARTING_SECONDS if stopped.is_set() else _DELIVERY_SECONDS))


def run_until_stopped(config: Config, *, progress: Progress, poll: float = _POLL_SECONDS) -> RunReport:
    """Follow the sources until a signal asks to stop (SIGTERM, SIGINT), then finish the batch at hand and deliver."""
    report = RunReport()
    with open_pipeline(config) as pipeline, _stop_on_signal() as stopped:
        while not stopped.is_set():
            report.rows += _cycle(pipeline, progress, stopped)
            report.drains = pipeline.deliver(poll)
            stopped.wait(poll)
        report.drains = pipeline.deliver(_PARTING_SECONDS)
    return report


def _cycle(pipeline: Pipeline, progress: Progress, stopped: threading.Event) -> int:
    rows = pipeline.read(complete=False, progress=progress, stop=stopped.is_set)
    if not stopped.is_set():
        pipeline.engine.advance_while_running()
    return rows


@contextmanager
def _stop_on_signal() -> Iterator[threading.Event]:
    """Turn the first SIGTERM or SIGINT into an event; the second interrupts as usual."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    before = {}

    def stop(number: int, _frame: FrameType | None) -> None:
        stopped.set()
        signal.signal(number, before[number])

    for number in (signal.SIGTERM, signal.SIGINT):
        before[number] = signal.signal(number, stop)
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
