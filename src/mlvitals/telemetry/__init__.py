"""Measurements become points and log records here; each backend's spelling is a pure rule in `naming`."""

from mlvitals.telemetry.points import LogRecord, MetricPoint, Severity
from mlvitals.telemetry.render import BODY_BYTES, WINDOW_CLOSED, render
from mlvitals.telemetry.service import Service

__all__ = ["BODY_BYTES", "WINDOW_CLOSED", "LogRecord", "MetricPoint", "Service", "Severity", "render"]
