"""Measurements become points and log records here; each backend's spelling is a pure rule in `naming`."""

from mlvitals.telemetry.budget import Allowance, SeriesBudget, allow
from mlvitals.telemetry.changes import CHANGE, change_record
from mlvitals.telemetry.gate import MIGRATIONS, Gate, Window, dropped_series, forget_series
from mlvitals.telemetry.links import Links
from mlvitals.telemetry.pages import page_record
from mlvitals.telemetry.points import LogRecord, MetricPoint, Severity
from mlvitals.telemetry.render import BODY_BYTES, WINDOW_CLOSED, render
from mlvitals.telemetry.series import Demand, Ordering, Rank, Unit, demand_of, united
from mlvitals.telemetry.service import Service

__all__ = [
    "BODY_BYTES",
    "CHANGE",
    "MIGRATIONS",
    "WINDOW_CLOSED",
    "Allowance",
    "Demand",
    "Gate",
    "Links",
    "LogRecord",
    "MetricPoint",
    "Ordering",
    "Rank",
    "SeriesBudget",
    "Service",
    "Severity",
    "Unit",
    "Window",
    "allow",
    "change_record",
    "demand_of",
    "dropped_series",
    "forget_series",
    "page_record",
    "render",
    "united",
]
