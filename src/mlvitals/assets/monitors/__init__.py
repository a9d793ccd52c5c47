"""The monitors: two that page, and those that warn; the same in every backend."""

from typing import Final

from mlvitals.assets.monitors.exporter import EXPORTER
from mlvitals.assets.monitors.models import MODELS
from mlvitals.assets.monitors.monitor import (
    INTERVALS,
    LOOKBACK,
    TELEMETRY_INTERVAL,
    Bar,
    Cadence,
    Comparator,
    Monitor,
    Overdue,
    Severity,
    Silence,
)

MONITORS: Final[tuple[Monitor, ...]] = (*MODELS, *EXPORTER)

__all__ = [
    "INTERVALS",
    "LOOKBACK",
    "MONITORS",
    "TELEMETRY_INTERVAL",
    "Bar",
    "Cadence",
    "Comparator",
    "Monitor",
    "Overdue",
    "Severity",
    "Silence",
]
