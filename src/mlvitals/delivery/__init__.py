"""Requests wait in the outbox and leave through a sender for each destination; nothing is lost or counted twice."""

from mlvitals.delivery.outbox import MIGRATIONS, Bounds, Entry, Outbox
from mlvitals.delivery.sender import DrainReport, Sender
from mlvitals.delivery.sink import Outcome, Request, Sink, Verdict
from mlvitals.delivery.status import DeadLetter, Fate, QueueStatus, dead_letters, queue_statuses

__all__ = [
    "MIGRATIONS",
    "Bounds",
    "DeadLetter",
    "DrainReport",
    "Entry",
    "Fate",
    "Outbox",
    "Outcome",
    "QueueStatus",
    "Request",
    "Sender",
    "Sink",
    "Verdict",
    "dead_letters",
    "queue_statuses",
]
