"""Alerts by their bucket: new where there was none, the same while it stays, completed when it has gone."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True, kw_only=True)
class Alert:
    """One alert. acted: when each action was last done for it, by the action's id."""

    id: str
    monitor: str
    trigger: str
    severity: str
    keys: tuple[str, ...]
    start: datetime
    end: datetime | None = None
    acted: dict[str, datetime] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """Return the word for its state."""
        return "ACTIVE" if self.end is None else "COMPLETED"

    def told(self, category: str) -> dict[str, Any]:
        """Return what a message may say of it: keys joined by commas, times in milliseconds."""
        return {
            "id": self.id,
            "severity": self.severity,
            "state": self.state,
            "start_time": _milliseconds(self.start),
            "end_time": None if self.end is None else _milliseconds(self.end),
            "bucket_keys": ",".join(self.keys),
            "category": category,
        }


@dataclass(slots=True)
class Book:
    """All alerts of all monitors, those that are over too."""

    alerts: list[Alert] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def sort(
        self, monitor: str, trigger: Mapping[str, Any], found: Iterable[tuple[str, ...]], now: datetime
    ) -> dict[str, list[Alert]]:
        """Return the alerts of a trigger by category, given the buckets that fulfil it now, and keep them."""
        open_ones = {one.keys: one for one in self.open(monitor) if one.trigger == trigger["id"]}
        told: dict[str, list[Alert]] = {"DEDUPED": [], "NEW": [], "COMPLETED": []}
        for keys in found:
            alert = open_ones.pop(keys, None)
            if alert is not None:
                told["DEDUPED"].append(alert)
                continue
            alert = Alert(
                id=f"alert-{next(self.numbers)}",
                monitor=monitor,
                trigger=trigger["id"],
                severity=trigger["severity"],
                keys=keys,
                start=now,
            )
            self.alerts.append(alert)
            told["NEW"].append(alert)
        for alert in open_ones.values():
            alert.end = now
            told["COMPLETED"].append(alert)
        return told

    def open(self, monitor: str) -> list[Alert]:
        """Return the alerts of a monitor that are not over."""
        return [one for one in self.alerts if one.monitor == monitor and one.end is None]


def _milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)
