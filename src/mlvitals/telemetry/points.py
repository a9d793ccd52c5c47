"""What leaves the process: points of metrics and records of logs, neutral to the destination."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final


class Severity(StrEnum):
    """How much a log record asks of its reader."""

    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"

    @property
    def number(self) -> int:
        """The number of OpenTelemetry's log data model ("Field: SeverityNumber")."""
        return _NUMBERS[self]


_NUMBERS: Final = {Severity.INFO: 9, Severity.WARN: 13, Severity.ERROR: 17}


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPoint:
    """One value of one gauge. Times are microseconds since the epoch: the window's start, and the stamp (law 8).

    attributes: by the registry's short names (model, model_version, environment, feature, …); a sink spells them.
    tags: a person's own, as they are spelled; an attribute of the same name goes before.
    """

    name: str
    unit: str
    value: float
    time: int
    start: int
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """One event: name, time (microseconds since the epoch), attributes by short names, tags, a body of JSON values."""

    event_name: str
    time: int
    severity: Severity = Severity.INFO
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
