"""The sender: empties one destination's queue, oldest first, one request in flight, every answer classified."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from mlvitals.clock import HOUR, MINUTE, SECOND, Clock
from mlvitals.delivery.outbox import Entry, Outbox
from mlvitals.delivery.sink import Outcome, Sink, Verdict

_FIRST_PAUSE: Final = SECOND
_LONGEST_PAUSE: Final = 5 * MINUTE

# A server may ask for more patience than we would have, but a wrong one must not silence us for days.
_LONGEST_PATIENCE: Final = HOUR

# That many items in a row, each answered by a server error: rather an outage than poison.
_DOUBTFUL_IN_A_ROW: Final = 5


@dataclass(slots=True, kw_only=True)
class DrainReport:
    """What one drain did to a destination.

    requests: how many were sent. delivered, rejected, dead, expired: items. waiting: requests that still wait.
    trouble: why, if anything does; held: until a person acts. warnings: what the destination said beside its consent.
    """

    destination: str
    requests: int = 0
    delivered: int = 0
    rejected: int = 0
    dead: int = 0
    expired: int = 0
    waiting: int = 0
    trouble: str = ""
    held: bool = False
    warnings: list[str] = field(default_factory=list)

    def add(self, later: "DrainReport") -> None:
        """Take in a later drain of the same destination: what was done adds up, what waits is what waits now."""
        self.requests += later.requests
        self.delivered += later.delivered
        self.rejected += later.rejected
        self.dead += later.dead
        self.expired += later.expired
        self.waiting, self.trouble, self.held = later.waiting, later.trouble, later.held
        self.warnings += (warning for warning in later.warnings if warning not in self.warnings)

    @property
    def complete(self) -> bool:
        """Nothing waits, and nothing was lost on the way."""
        return not (self.waiting or self.rejected or self.dead or self.expired)


@dataclass(slots=True, kw_only=True)
class Sender:
    """Sends what waits for one destination.

    clock: a running one, also where events are told by another. wait: sleeps for so many seconds. jitter: a number from
    [0, 1). A crash between an answer and its commit sends the identical bytes again (law 9).
    """

    outbox: Outbox
    sink: Sink
    clock: Clock
    wait: Callable[[float], object] = time.sleep
    jitter: Callable[[], float] = random.random
    _doubts: int = field(default=0, init=False)

    def drain(self, deadline: int) -> DrainReport:
        """Send until nothing waits, the destination holds, or the next try is due after `deadline` (microseconds)."""
        name = self.sink.name
        report = DrainReport(destination=name)
        report.expired = self.outbox.expire(name, self.clock.now())
        while self.clock.now() < deadline:
            entry = self.outbox.oldest(name)
            if entry is None or not self._wait_until_due(deadline):
                break
            outcome = self.sink.send(entry.request)
            report.requests += 1
            if not self._apply(entry, outcome, report):
                break
        trouble = self.outbox.trouble(name)
        report.waiting = self.outbox.waiting(name)
        report.trouble, report.held = (trouble.reason, trouble.held) if trouble else ("", False)
        return report

    def _wait_until_due(self, deadline: int) -> bool:
        trouble = self.outbox.trouble(self.sink.name)
        if trouble is None:
            return True
        now = self.clock.now()
        pause = min(trouble.not_before - now, _LONGEST_PATIENCE)  # the clock may have been set back meanwhile
        if pause <= 0:
            return True
        if now + pause >= deadline:
            return False
        self.wait(pause / SECOND)
        return True

    def _apply(self, entry: Entry, outcome: Outcome, report: DrainReport) -> bool:
        """Give a request its fate, in one transaction; return whether to go on."""
        now = self.clock.now()
        if outcome.remains is not None or outcome.refused is not None:
            self._take_part(entry, outcome, report)
            if outcome.remains is None:
                return True
        match outcome.verdict:
            case Verdict.OK:
                self._doubts = 0
                self.outbox.deliver(entry)
                report.delivered += entry.request.items
                if outcome.reason:
                    report.warnings.append(outcome.reason)
            case Verdict.REJECTED:
                self._doubts = 0
                lost = self.outbox.reject(entry, outcome.rejected, outcome.reason, now)
                report.rejected += lost
                report.delivered += entry.request.items - lost
            case Verdict.RETRY:
                self.outbox.postpone(entry.destination, now + self._pause(outcome), outcome.reason, now)
            case Verdict.MISCONFIGURED:
                self.outbox.postpone(entry.destination, now, outcome.reason, now, hold=True)
                return False
            case Verdict.POISON:
                return self._bisect(entry, outcome, report)
        return True

    def _take_part(self, entry: Entry, outcome: Outcome, report: DrainReport) -> None:
        """Give the items of a request their fates, of which some may go on waiting for what the verdict says."""
        self._doubts = 0
        lost = outcome.refused.items if outcome.refused is not None else 0
        report.rejected += lost
        report.delivered += self.outbox.take_part(
            entry, remains=outcome.remains, refused=outcome.refused, reason=outcome.reason, now=self.clock.now()
        )

    def _bisect(self, entry: Entry, outcome: Outcome, report: DrainReport) -> bool:
        pieces = self.sink.split(entry.request)
        if pieces:
            self.outbox.split(entry, pieces)
            return True
        now = self.clock.now()
        self._doubts = self._doubts + 1 if outcome.doubtful else 0
        trouble = self.outbox.trouble(entry.destination)
        held = trouble is not None and trouble.held
        outage = outcome.doubtful and (held or self._doubts >= _DOUBTFUL_IN_A_ROW)
        report.dead += entry.request.items
        with self.outbox.store.transaction():
            self.outbox.bury(entry, outcome.reason, now, recovered=not outcome.doubtful)
            if outage:
                reason = f"one item after the other is refused: {outcome.reason}"
                self.outbox.postpone(entry.destination, now + self._pause(outcome), reason, now, hold=True)
        return not outage

    def _pause(self, outcome: Outcome) -> int:
        """Return how long to wait: full jitter (Brooker 2015), or what the server asks for, if that is longer."""
        trouble = self.outbox.trouble(self.sink.name)
        failures = trouble.failures if trouble else 0
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE << min(failures, 30))
        asked = min(outcome.retry_after or 0.0, _LONGEST_PATIENCE / SECOND)
        return max(int(self.jitter() * longest), int(asked * SECOND))
