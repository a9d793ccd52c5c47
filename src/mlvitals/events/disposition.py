"""What became of a row: exactly one disposition each, the first in this order that applies."""

from enum import StrEnum


class Disposition(StrEnum):
    """The final account of one event, in order of precedence.

    unparseable: not readable as an event (bad syntax, no usable time, no id where one is needed, no prediction).
    skipped: readable, but not meant for us (filtered out, or an event kind that we do not use).
    unknown_model: its model is not configured.
    dropped: its model cannot run, and no more of its rows can wait.
    parked: its time is implausibly far ahead of the clock; it moves no watermark.
    duplicate: same id and same content as an event already accounted for.
    conflict: a prediction whose id was already served with other content; the first by source position stands.
    late: a prediction whose window was already closed; remembered, so that its label is no orphan.
    expired: a label older than the horizon of its prediction.
    orphan: a label whose prediction has not been seen; it becomes accepted when the prediction arrives.
    joined: a request that has met its response, with which the prediction is counted.
    accepted: counted.
    """

    UNPARSEABLE = "unparseable"
    SKIPPED = "skipped"
    UNKNOWN_MODEL = "unknown_model"
    DROPPED = "dropped"
    PARKED = "parked"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    LATE = "late"
    EXPIRED = "expired"
    ORPHAN = "orphan"
    JOINED = "joined"
    ACCEPTED = "accepted"
