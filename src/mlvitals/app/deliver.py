"""Delivery by turns: a destination that does not answer holds up no other."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from mlvitals.clock import SECOND, SystemClock
from mlvitals.delivery import DrainReport, Sender

TURN_SECONDS: Final = 1.0  # a destination may wait for its next try that long; then it is another's turn
_REST_SECONDS: Final = 0.1  # between rounds in which nothing was due


def deliver_by_turns(
    senders: Sequence[Sender], *, seconds: float, parting: float, stop: Callable[[], bool]
) -> list[DrainReport]:
    """Send what waits at each destination until nothing does, or the time is over; return a report for each.

    Every destination has one turn at least. One that holds its queue until a person acts is not waited for.

    Args:
        senders: of all destinations.
        seconds: for all of them together.
        parting: no longer than this once `stop` asks to come to an end.
        stop: asked between turns.

    """
    clock = SystemClock()
    began = clock.now()
    deadline, hurried = began + int(seconds * SECOND), False
    reports = [DrainReport(destination=sender.sink.name) for sender in senders]
    due = list(range(len(senders)))
    while due:
        sent = 0
        for index in due:
            turn = senders[index].drain(clock.now() + int(min(seconds, TURN_SECONDS) * SECOND))
            reports[index].add(turn)
            sent += turn.requests
        due = [index for index in due if reports[index].waiting and not reports[index].held]
        if stop() and not hurried:
            deadline, hurried = min(deadline, clock.now() + int(parting * SECOND)), True
        if clock.now() >= deadline:
            break
        if due and not sent:
            time.sleep(_REST_SECONDS)
    return reports
