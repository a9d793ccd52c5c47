"""Recorded events again, at another time and speed: for demonstrations and for end-to-end tests of alerts."""

from mlvitals.replay.events import ReplayAccount, find_origin, shift_events
from mlvitals.replay.reference import shift_reference
from mlvitals.replay.shift import Shift

__all__ = ["ReplayAccount", "Shift", "find_origin", "shift_events", "shift_reference"]
