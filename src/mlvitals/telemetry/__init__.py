"""Measurements become points and log records here; each backend's spelling is a pure rule in `naming`."""

from mlvitals.telemetry.points import LogRecord, MetricPoint, Severity

__all__ = ["LogRecord", "MetricPoint", "Severity"]
