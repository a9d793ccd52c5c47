"""Delivery beside everything else: a thread for each destination, for as long as the pipeline lives."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from math import inf
from typing import Final

from mlvitals.delivery import DrainReport, Sender, SenderThread

_LEAVING_SECONDS: Final = 1.0  # for so long the requests on their way are waited for in the end
_LOOK_SECONDS: Final = 0.1


class Deliveries:
    """The senders of all destinations, each in a thread of its own."""

    def __init__(self, senders: Sequence[Sender]) -> None:
        self._moved = threading.Event()
        self._threads = [SenderThread(sender, self._moved) for sender in senders]

    def start(self) -> None:
        """Begin to send what waits and what comes."""
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = _LEAVING_SECONDS) -> None:
        """End all after the requests on their way, or leave these: they are sent again, to the byte."""
        for thread in self._threads:
            thread.ask_to_stop()
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.stop(end - time.monotonic())

    def check(self) -> None:
        """Raise what a thread has raised: a bug."""
        for thread in self._threads:
            thread.check()

    def reports(self) -> list[DrainReport]:
        """Return what was done so far, for each destination."""
        self.check()
        reports = []
        for thread in self._threads:
            report = deepcopy(thread.report)
            thread.sender.look(report)
            if thread.full:
                report.trouble = "the disk takes no more"
            reports.append(report)
        return reports

    def wait(self, *, patience: float, parting: float, stop: Callable[[], bool]) -> None:
        """Wait until nothing waits, or what waits has been tried and nothing was taken for a while.

        A lane that is held until a person acts is not waited for, nor one whose next try is due after patience ends.

        Args:
            patience: for so many seconds nothing may be taken, once all that waits has been tried.
            parting: no longer than so many seconds in all, once `stop` asks to come to an end.
            stop: asked again and again.

        """
        began, end = time.monotonic(), inf
        while True:
            self._moved.clear()
            self.check()
            waiting = [thread for thread in self._threads if not thread.sender.held]
            now = time.monotonic()
            if stop():
                end = min(end, now + parting)
            taken = max((began, *(thread.last_taken for thread in self._threads)))
            patient = not all(thread.stuck_for(taken + patience - now) for thread in waiting)
            if not waiting or now >= end or not patient:
                return
            self._moved.wait(min(_LOOK_SECONDS, max(end - now, 0.0)))


@contextmanager
def deliveries(senders: Sequence[Sender], *, at_once: bool) -> Iterator[Deliveries]:
    """Send in threads of their own while a block lasts, from its beginning or when it starts them."""
    running = Deliveries(senders)
    if at_once:
        running.start()
    try:
        yield running
    finally:
        running.stop()
