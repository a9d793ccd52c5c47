"""The sender: empties one destination's lanes, each oldest first, one request in flight, every answer classified."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from mlvitals.clock import HOUR, MINUTE, SECOND, Clock
from mlvitals.delivery.outbox import Outbox
from mlvitals.delivery.renewal import is_stale, renew
from mlvitals.delivery.report import DrainReport
from mlvitals.delivery.rows import Entry
from mlvitals.delivery.sink import Outcome, Sink, Verdict

_FIRST_PAUSE: Final = SECOND
_LONGEST_PAUSE: Final = 5 * MINUTE

# A server may ask for more patience than we would have, but a wrong one must not silence us for days.
_LONGEST_PATIENCE: Final = HOUR

# That many items in a row, each answered by a server error: rather an outage than poison.
_DOUBTFUL_IN_A_ROW: Final = 5

_LOOK_FOR_EXPIRED: Final = 30 * SECOND

# A series is told anew so much later than the time before at least, so that no second has two values of it.
_BETWEEN_RENEWALS: Final = 10 * SECOND


@dataclass(slots=True)
class _Lane:
    """What a sender knows of a route. Times are the steady clock's.

    due: when the next try is. held: since an answer to this sender. vain: its last try took it no further. doubts:
    doubtful answers in a row. renewed: when what waits was told anew.
    """

    route: str
    due: int
    held: bool = False
    vain: bool = False
    doubts: int = 0
    renewed: int | None = None


@dataclass(slots=True, kw_only=True)
class Sender:
    """Sends what waits for one destination: the oldest of each lane in turn, as far as its next try is due.

    clock: the wall clock, also where events are told by another. steady: one that nobody sets, by which ages and pauses
    are told, the same where not given. wait: sleeps for so many seconds. jitter: a number from [0, 1). left: it touches
    the outbox no more. A crash between an answer and its commit sends the identical bytes again (law 9).
    """

    outbox: Outbox
    sink: Sink
    clock: Clock
    steady: Clock | None = None
    wait: Callable[[float], object] = time.sleep
    jitter: Callable[[], float] = random.random
    _lanes: list[_Lane] = field(default_factory=list, init=False)
    _answered: tuple[_Lane, Entry, Outcome] | None = field(default=None, init=False)
    _looked: int = field(default=0, init=False)
    _gate: threading.Lock = field(default_factory=threading.Lock, init=False)
    left: bool = field(default=False, init=False)

    def begin(self) -> None:
        """Take up the lanes as an earlier sender left them; one that was held is tried again."""
        now, steady = self.clock.now(), self._now()
        name = self.sink.name
        self.outbox.resume(name, steady)
        for route in self.outbox.routes(name).keys() - {*self.sink.routes}:
            reason = f"`{route}` is no route of this destination any more"
            self.outbox.postpone(name, route, now, reason, now, hold=True)
        doubts = {lane.route: lane.doubts for lane in self._lanes}
        renewed = {lane.route: lane.renewed for lane in self._lanes}
        lanes = []
        for route in self.sink.routes:
            trouble = self.outbox.trouble(name, route)
            pause = max(trouble.not_before - now, 0) if trouble else 0
            if pause > _LONGEST_PATIENCE:  # nobody meant that: the clock has been set back since it was stored
                pause = 0
            lane = _Lane(route, steady + pause, doubts=doubts.get(route, 0), renewed=renewed.get(route))
            lanes.append(lane)
        self._lanes = lanes
        self._looked = steady - _LOOK_FOR_EXPIRED

    def step(self, report: DrainReport) -> bool:
        """Send one request, if one is due; return whether one was. What becomes of it is told in the report."""
        with self._gate:
            chosen = None if self.left else self._choose(report)
        if chosen is None:
            return False
        lane, entry = chosen
        outcome = self.sink.send(entry.request)
        with self._gate:
            if self.left:
                return False
            report.requests += 1
            self._answered = (lane, entry, outcome)
            self._settle(report)
        return True

    def pause(self, *, held: bool = True) -> float | None:
        """Return the seconds until a lane on which something waits is due, None if nothing waits.

        held: lanes that were held by an answer to this sender, too.
        """
        now = self._now()
        dues = [
            lane.due
            for lane in self._lanes
            if (held or not lane.held) and self.outbox.oldest(self.sink.name, lane.route) is not None
        ]
        return max(min(dues) - now, 0) / SECOND if dues else None

    def stuck_for(self, seconds: float) -> bool:
        """Tell whether nothing that waits is due within so many seconds.

        Once these are over (0 or less), what was tried in vain is stuck, too: one more try is always due or on its way.
        """
        until = self._now() + int(max(seconds, 0) * SECOND)
        return self._all_that_waits(lambda lane: lane.due > until or (seconds <= 0 and lane.vain))

    @property
    def held(self) -> bool:
        """All that waits is held by an answer to this sender, until a person acts."""
        return self._all_that_waits(lambda lane: lane.held)

    def leave(self) -> None:
        """Touch the outbox no more: what is on its way is sent again by the next sender."""
        with self._gate:
            self.left = True

    def drain(self, deadline: int) -> DrainReport:
        """Send until nothing waits, all that waits is held, or the next try is due after `deadline` (microseconds)."""
        report = DrainReport(destination=self.sink.name)
        self.begin()
        while self.clock.now() < deadline and not self.left:
            if self.step(report):
                continue
            pause = self.pause(held=False)
            if pause is None or self.clock.now() + pause * SECOND >= deadline:
                break
            self.wait(pause)
        self.look(report)
        return report

    def look(self, report: DrainReport) -> None:
        """Tell in a report what waits and why."""
        troubles = [trouble for trouble in self.outbox.routes(self.sink.name).values() if trouble is not None]
        gravest = min(troubles, key=lambda trouble: not trouble.held, default=None)
        report.waiting = self.outbox.waiting(self.sink.name)
        report.trouble, report.held = (gravest.reason, gravest.held) if gravest else ("", False)

    def _all_that_waits(self, condition: Callable[[_Lane], bool]) -> bool:
        lanes = {lane.route: lane for lane in self._lanes}
        routes = self.outbox.routes(self.sink.name).keys()
        # Before it has begun it has tried nothing; what leads nowhere any more is never tried.
        return not routes or (bool(lanes) and all(condition(lanes[route]) for route in routes & lanes.keys()))

    def _now(self) -> int:
        return (self.steady or self.clock).now()

    def _choose(self, report: DrainReport) -> tuple[_Lane, Entry] | None:
        """Return what leaves next, and let its lane be the last to be asked the next time."""
        self._settle(report)  # an answer that a full disk did not let us write down
        now = self._now()
        if now >= self._looked + _LOOK_FOR_EXPIRED:
            report.expired += self.outbox.expire(self.sink.name, now)
            self._looked = now
        for lane in self._lanes:
            if lane.due > now:
                continue
            entry = self._head(lane, report)
            if entry is not None:
                self._lanes = [*(other for other in self._lanes if other is not lane), lane]
                return lane, entry
        return None

    def _head(self, lane: _Lane, report: DrainReport) -> Entry | None:
        """Return the oldest request of a lane, told anew if it has grown too old."""
        entry = self.outbox.oldest(self.sink.name, lane.route)
        wall = self.clock.now()
        renewal = self.sink.renewal
        if entry is None or renewal is None or not is_stale(renewal, entry.request, wall):
            return entry
        now = self._now()
        if lane.renewed is not None and now < lane.renewed + _BETWEEN_RENEWALS:
            lane.due = lane.renewed + _BETWEEN_RENEWALS
            return None
        superseded = renew(self.outbox, renewal, entry, wall)
        if superseded is None:
            return None
        report.superseded += superseded
        lane.renewed = now
        return self.outbox.oldest(self.sink.name, lane.route)

    def _settle(self, report: DrainReport) -> None:
        """Give the request that was answered its fate, in one transaction."""
        if self._answered is not None:
            lane, entry, outcome = self._answered
            self._apply(lane, entry, outcome, report)
            self._answered = None

    def _apply(self, lane: _Lane, entry: Entry, outcome: Outcome, report: DrainReport) -> None:
        now = self.clock.now()
        lane.held = lane.vain = False
        if outcome.remains is not None or outcome.refused is not None:
            self._take_part(lane, entry, outcome, report)
            if outcome.remains is None:
                return
        match outcome.verdict:
            case Verdict.OK:
                lane.doubts = 0
                self.outbox.deliver(entry)
                report.delivered += entry.request.items
                if outcome.reason:
                    report.warn(outcome.reason)
            case Verdict.REJECTED:
                lane.doubts = 0
                lost = self.outbox.reject(entry, outcome.rejected, outcome.reason, now)
                report.rejected += lost
                report.delivered += entry.request.items - lost
            case Verdict.RETRY:
                self._postpone(lane, entry, outcome.reason, self._pause(lane, outcome))
            case Verdict.MISCONFIGURED:
                # Whoever starts again tries at once; this sender looks now and then whether it is mended.
                self.outbox.postpone(entry.destination, lane.route, now, outcome.reason, now, hold=True)
                lane.due, lane.held, lane.vain = self._now() + self._longest(lane), True, True
            case Verdict.POISON:
                self._bisect(lane, entry, outcome, report)

    def _take_part(self, lane: _Lane, entry: Entry, outcome: Outcome, report: DrainReport) -> None:
        """Give the items of a request their fates, of which some may go on waiting for what the verdict says."""
        lane.doubts = 0
        lost = outcome.refused.items if outcome.refused is not None else 0
        report.delivered += self.outbox.take_part(
            entry, remains=outcome.remains, refused=outcome.refused, reason=outcome.reason, now=self.clock.now()
        )
        report.rejected += lost

    def _bisect(self, lane: _Lane, entry: Entry, outcome: Outcome, report: DrainReport) -> None:
        pieces = self.sink.split(entry.request)
        if pieces:
            self.outbox.split(entry, pieces)
            return
        now = self.clock.now()
        doubts = lane.doubts + 1 if outcome.doubtful else 0
        trouble = self.outbox.trouble(entry.destination, lane.route)
        held = trouble is not None and trouble.held
        outage = outcome.doubtful and (held or doubts >= _DOUBTFUL_IN_A_ROW)
        with self.outbox.store.transaction():
            self.outbox.bury(entry, outcome.reason, now, recovered=not outcome.doubtful)
            if outage:
                reason = f"one item after the other is refused: {outcome.reason}"
                self._postpone(lane, entry, reason, self._pause(lane, outcome), hold=True)
        lane.doubts = doubts
        report.dead += entry.request.items

    def _postpone(self, lane: _Lane, entry: Entry, reason: str, pause: int, *, hold: bool = False) -> None:
        now = self.clock.now()
        self.outbox.postpone(entry.destination, lane.route, now + pause, reason, now, hold=hold)
        lane.due, lane.held, lane.vain = self._now() + pause, hold, True

    def _pause(self, lane: _Lane, outcome: Outcome) -> int:
        """Return how long to wait: full jitter (Brooker 2015), or what the server asks for, if that is longer."""
        asked = min(outcome.retry_after or 0.0, _LONGEST_PATIENCE / SECOND)
        return max(int(self.jitter() * self._longest(lane)), int(asked * SECOND))

    def _longest(self, lane: _Lane) -> int:
        trouble = self.outbox.trouble(self.sink.name, lane.route)
        failures = trouble.failures if trouble else 0
        return min(_LONGEST_PAUSE, _FIRST_PAUSE << min(failures, 30))
