"""Requests wait in the outbox and leave through a sender for each destination; nothing is lost or counted twice."""

from mlvitals.delivery.bounds import Bounds
from mlvitals.delivery.outbox import Outbox
from mlvitals.delivery.renewal import is_too_old
from mlvitals.delivery.report import DrainReport
from mlvitals.delivery.rows import Entry
from mlvitals.delivery.sender import Sender
from mlvitals.delivery.sink import LOGS, Outcome, Renewal, Request, Sink, Verdict
from mlvitals.delivery.status import DeadLetter, Fate, LaneStatus, QueueStatus, dead_letters, queue_statuses
from mlvitals.delivery.tables import MIGRATIONS
from mlvitals.delivery.thread import SenderThread

__all__ = [
    "LOGS",
    "MIGRATIONS",
    "Bounds",
    "DeadLetter",
    "DrainReport",
    "Entry",
    "Fate",
    "LaneStatus",
    "Outbox",
    "Outcome",
    "QueueStatus",
    "Renewal",
    "Request",
    "Sender",
    "SenderThread",
    "Sink",
    "Verdict",
    "dead_letters",
    "is_too_old",
    "queue_statuses",
]
