"""Delivery by turns: a destination that does not answer holds up no other."""

import time
from collections.abc import Callable, Sequence
from math import inf
from typing import Final

from mlvitals.clock import SECOND, SystemClock
from mlvitals.delivery import DrainReport, Sender

_TURN_SECONDS: Final = 1.0  # for so long a destination may send, and wait for its next try; then it is another's turn
_REST_SECONDS: Final = 0.1  # between rounds in which nothing was due


def deliver_in_turn(senders: Sequence[Sender]) -> list[DrainReport]:
    """Give every destination one turn to send what waits; return a report for each."""
    return [_take_turn(sender) for sender in senders]


def deliver_patiently(
    senders: Sequence[Sender], *, patience: float, parting: float, stop: Callable[[], bool]
) -> list[DrainReport]:
    """Send what waits until nothing does, or nothing was taken for a while; return a report for each destination.

    Every destination has one turn at least. One that holds its queue until a person acts is not waited for.

    Args:
        senders: of all destinations.
        patience: for so many seconds nothing may be taken.
        parting: no longer than so many seconds in all, once `stop` asks to come to an end.
        stop: asked between rounds.

    """
    reports = deliver_in_turn(senders)
    # What took something in its last turn may have only begun: it is not the destination that is to be waited for.
    progress = any(map(_took, reports))
    taken, end = time.monotonic(), inf
    while due := [place for place, report in enumerate(reports) if report.waiting and not report.held]:
        now = time.monotonic()
        if stop():
            end = min(end, now + parting)
        if now >= end or (not progress and now >= taken + patience):
            break
        turns = [_take_turn(senders[place]) for place in due]
        for place, turn in zip(due, turns, strict=True):
            reports[place].add(turn)
        progress = any(map(_took, turns))
        if progress:
            taken = time.monotonic()
        elif not any(turn.requests for turn in turns):
            time.sleep(_REST_SECONDS)
    return reports


def _took(turn: DrainReport) -> bool:
    return bool(turn.delivered or turn.rejected or turn.dead)


def _take_turn(sender: Sender) -> DrainReport:
    return sender.drain(SystemClock().now() + int(_TURN_SECONDS * SECOND))
