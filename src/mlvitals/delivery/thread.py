"""A sender's thread: destinations wait for each other, and for reading, in nothing."""

import sqlite3
import threading
import time
from typing import Final

from mlvitals.delivery.report import DrainReport
from mlvitals.delivery.sender import Sender
from mlvitals.state import is_full

# Also where nothing comes and nothing is due, a queue is looked at for what has expired.
_IDLE_SECONDS: Final = 30.0
_FULL_DISK_SECONDS: Final = 1.0


class SenderThread:
    """Runs a sender until it is stopped. It wakes when something new waits, or the next try is due.

    report: what was done so far; it goes on changing. full: the disk lets none of it be written down. moved: set
    whenever there is news for who watches the delivery.
    """

    def __init__(self, sender: Sender, moved: threading.Event) -> None:
        self.sender = sender
        self.report = DrainReport(destination=sender.sink.name)
        self.last_taken = time.monotonic()
        self.full = False
        self._moved = moved
        self._failure: BaseException | None = None
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"sender of {sender.sink.name}", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self.sender.outbox.wake[self.sender.sink.name] = self._wake.set
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """End after the request on its way, or leave it: it is sent again by the next sender, to the byte."""
        self.ask_to_stop()
        if not self.sender.left:
            if self._thread.ident is not None:  # it was started
                self._thread.join(max(seconds, 0.0))
            self.sender.leave()

    def ask_to_stop(self) -> None:
        """Begin to stop, without waiting."""
        self._stop.set()
        self._wake.set()

    def stuck_for(self, seconds: float) -> bool:
        """Tell what the sender does; once the seconds are over, what a full disk leaves unwritten is stuck, too."""
        return (self.full and seconds <= 0) or self.sender.stuck_for(seconds)

    def check(self) -> None:
        """Raise here what was raised there: a bug is nobody's to hide."""
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        began = False
        try:
            while not self._stop.is_set():
                self._wake.clear()
                try:
                    if not began:
                        self.sender.begin()
                        began = True
                    pause = self._send_what_is_due()
                    self.full = False
                except sqlite3.OperationalError as error:
                    if not is_full(error):
                        raise
                    pause, self.full = _FULL_DISK_SECONDS, True
                self._moved.set()
                self._wake.wait(_IDLE_SECONDS if pause is None else min(pause, _IDLE_SECONDS))
        except BaseException as error:  # noqa: BLE001  # it is raised in the main thread, by `check`
            if not self._stop.is_set():
                self._failure = error
        finally:
            self._moved.set()

    def _send_what_is_due(self) -> float | None:
        """Send all that is due; return the seconds until something is again, None if nothing waits."""
        taken = self.report.taken
        while not self._stop.is_set() and self.sender.step(self.report):
            if self.report.taken != taken:
                taken, self.last_taken = self.report.taken, time.monotonic()
        return self.sender.pause()
