"""What the stand-in keeps: monitors, channels, lifecycle policies and roles, each by its plugin's rules."""

import copy
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.opensearch_plugins_standin import shapes
from tests.opensearch_plugins_standin.alerts import Book
from tests.opensearch_plugins_standin.evaluate import Evaluation
from tests.opensearch_plugins_standin.node import Node
from tests.stack.serve.process import ask

Answer = tuple[int, dict[str, Any]]

_UNITS: Final = {"MINUTES": timedelta(minutes=1), "HOURS": timedelta(hours=1), "DAYS": timedelta(days=1)}


class RefusedError(Exception):
    """A plugin refuses a request: a status, and the words."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(slots=True, kw_only=True)
class Kept:
    """One thing that is kept: its body as the plugin would tell it, and how often it was written."""

    body: dict[str, Any]
    version: int = 1
    sequence: int = 0


@dataclass(slots=True, kw_only=True)
class Plugins:
    """All that the plugins keep. sent: channel, message and the status that its receiver answered, oldest first."""

    node: Node
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monitors: dict[str, Kept] = field(default_factory=dict)
    channels: dict[str, Kept] = field(default_factory=dict)
    policies: dict[str, Kept] = field(default_factory=dict)
    roles: dict[str, Kept] = field(default_factory=dict)
    mappings: dict[str, Kept] = field(default_factory=dict)
    book: Book = field(default_factory=Book)
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    ran: dict[str, datetime] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    lock: threading.RLock = field(default_factory=threading.RLock)

    # Alerting

    def put_monitor(self, body: Any, name: str | None = None) -> Answer:
        """Keep a monitor, a new one where none is named; its actions' channels must be there."""
        self._refuse(400, shapes.monitor_fault(self._told_back(body, name)))
        if name is not None:
            self._known(self.monitors, name, "Monitor")
        monitor = _with_ids(self._told_back(body, name), self.numbers)
        try:
            self._evaluation().try_query(monitor, self.now())
        except AssertionError as error:
            raise RefusedError(400, str(error)) from error
        kept = self._keep(self.monitors, name or f"monitor-{next(self.numbers)}", monitor)
        stay = {trigger["id"] for one in monitor["triggers"] for trigger in one.values()}
        for alert in self.book.open(kept):
            if alert.trigger not in stay:  # whose trigger was changed away are over, without a word
                alert.end = self.now()
        return self.monitor(kept, 200 if name is not None else 201)

    def monitor(self, name: str, status: int = 200) -> Answer:
        """Return a monitor as the plugin tells it: with what it adds by itself."""
        kept = self._known(self.monitors, name, "Monitor")
        added = {
            "schema_version": 8,
            "owner": "alerting",
            "data_sources": {"alerts_index": ".opendistro-alerting-alerts"},
        }
        told = {**kept.body, **added, "user": None, "last_update_time": kept.sequence}
        return status, {"_id": name, "_version": kept.version, **_place(kept), "monitor": told}

    def execute(self, name: str, *, dry: bool, end: datetime | None = None) -> Answer:
        """Run a monitor now, or as of a time; a dry run keeps no alert and sends nothing."""
        kept = self._known(self.monitors, name, "Monitor")
        until = end or self.now()
        start = self.ran.get(name, until - _every(kept.body))
        evaluation = self._evaluation()
        if dry:
            evaluation = Evaluation(node=self.node, book=copy.deepcopy(self.book), send=lambda *_: None)
        else:
            self.ran[name] = until
        told = evaluation.run(name, kept.body, start=start, end=until)
        return 200, {"monitor_name": kept.body["name"], "trigger_results": told, "error": None}

    def run_due(self, pace: float) -> None:
        """Run every enabled monitor whose time has come; at a pace of 60 a minute of its schedule is a second."""
        for name, kept in [*self.monitors.items()]:
            last = self.ran.get(name)
            if kept.body["enabled"] and (last is None or self.now() >= last + _every(kept.body) / pace):
                self.execute(name, dry=False)

    def alerts(self) -> Answer:
        """Return all alerts."""
        told = [
            {"monitor_id": one.monitor, "trigger_id": one.trigger, "severity": one.severity, **one.told("")}
            for one in self.book.alerts
        ]
        return 200, {"alerts": told, "totalAlerts": len(told)}

    def delete(self, kept: dict[str, Kept], name: str) -> Answer:
        """Forget one thing."""
        self._known(kept, name, "")
        if kept is self.channels and any(name in json.dumps(one.body) for one in self.monitors.values()):
            raise RefusedError(400, f"channel {name} is in use")
        del kept[name]
        return 200, {"_id": name, "delete_response_list": {name: "OK"}, "result": "deleted", "status": "OK"}

    # Notifications

    def put_channel(self, body: Any, name: str | None = None) -> Answer:
        """Keep a channel."""
        self._refuse(400, shapes.channel_fault(body))
        if name is None and body.get("config_id") in self.channels:
            raise RefusedError(409, f"Config with id: {body['config_id']} already exists")
        if name is not None:
            self._known(self.channels, name, "Channel")
        given = name or body.get("config_id") or f"channel-{next(self.numbers)}"
        return 200, {"config_id": self._keep(self.channels, given, body["config"])}

    def channel(self, name: str) -> Answer:
        """Return a channel as the plugin tells it: in a list."""
        kept = self._known(self.channels, name, "Channel")
        config = {"description": "", "is_enabled": True, **kept.body}
        told = {"config_id": name, "last_updated_time_ms": kept.sequence, "created_time_ms": 0, "config": config}
        return 200, {"start_index": 0, "total_hits": 1, "total_hit_relation": "eq", "config_list": [told]}

    def _send(self, channel: str, message: str) -> None:
        kept = self.channels.get(channel)
        if kept is None or not kept.body.get("is_enabled", True):
            self.sent.append((channel, message, "no such channel"))
            return
        config = kept.body[kept.body["config_type"]]
        body = message if kept.body["config_type"] == "webhook" else json.dumps({"text": message})
        headers = config.get("header_params", {})
        try:
            ask(config["url"], method=config.get("method", "POST"), body=body, headers=headers)
            self.sent.append((channel, message, "ok"))
        except (AssertionError, OSError) as error:
            self.sent.append((channel, message, str(error)))

    # Index Management and Security

    def put_policy(self, name: str, body: Any, given: dict[str, str]) -> Answer:
        """Keep a lifecycle policy; one that is there is changed by who knows its sequence number."""
        self._refuse(400, shapes.policy_fault(body))
        there = self.policies.get(name)
        if there is not None and given.get("if_seq_no") != str(there.sequence):
            raise RefusedError(409, f"[{name}]: version conflict, document already exists")
        self._keep(self.policies, name, body["policy"])
        return self.policy(name, 201 if there is None else 200)

    def policy(self, name: str, status: int = 200) -> Answer:
        """Return a lifecycle policy as the plugin tells it: with what it adds by itself."""
        kept = self._known(self.policies, name, "Policy")
        told = {"policy_id": name, "schema_version": 21, "error_notification": None, **kept.body}
        return status, {"_id": name, "_version": kept.version, **_place(kept), "policy": told}

    def put_role(self, kept: dict[str, Kept], name: str, body: Any) -> Answer:
        """Keep a role, or who has it."""
        if kept is self.roles:
            self._refuse(400, shapes.role_fault(body))
        there = name in kept
        self._keep(kept, name, body)
        return (200 if there else 201), {"status": "OK" if there else "CREATED", "message": f"'{name}' is kept."}

    def role(self, kept: dict[str, Kept], name: str) -> Answer:
        """Return a role as the plugin tells it."""
        told = {"reserved": False, "hidden": False, "static": False, **self._known(kept, name, "Role").body}
        return 200, {name: told}

    def _evaluation(self) -> Evaluation:
        return Evaluation(node=self.node, book=self.book, send=self._send)

    def _told_back(self, body: Any, name: str | None) -> Any:
        """Return a body without what `monitor` adds, so that what was told may be sent again."""
        added = ("schema_version", "owner", "data_sources", "user", "last_update_time") if name is not None else ()
        return {key: value for key, value in body.items() if key not in added} if isinstance(body, dict) else body

    def _keep(self, kept: dict[str, Kept], name: str, body: dict[str, Any]) -> str:
        there = kept.get(name)
        kept[name] = Kept(body=body, version=there.version + 1 if there else 1, sequence=next(self.numbers))
        return name

    def _known(self, kept: dict[str, Kept], name: str, what: str) -> Kept:
        if name not in kept:
            raise RefusedError(404, f"{what} {name} not found".strip())
        return kept[name]

    def _refuse(self, status: int, fault: str | None) -> None:
        if fault is not None:
            raise RefusedError(status, fault)


def run_forever(plugins: Plugins, pace: float, ended: threading.Event) -> None:
    """Run monitors by their schedules until told to end."""
    while not ended.is_set():
        with plugins.lock:
            plugins.run_due(pace)
        time.sleep(0.05)


def _place(kept: Kept) -> dict[str, int]:
    return {"_seq_no": kept.sequence, "_primary_term": 1}


def _every(monitor: dict[str, Any]) -> timedelta:
    period = monitor["schedule"]["period"]
    return int(period["interval"]) * _UNITS[period["unit"]]


def _with_ids(monitor: dict[str, Any], numbers: Iterator[int]) -> dict[str, Any]:
    told = copy.deepcopy(monitor)
    for trigger in (trigger for one in told["triggers"] for trigger in one.values()):
        trigger.setdefault("id", f"trigger-{next(numbers)}")
        for action in trigger["actions"]:
            action.setdefault("id", f"action-{next(numbers)}")
    return told
