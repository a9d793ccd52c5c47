"""One run of a monitor: its query and its conditions by the real node, its alerts by the book, its messages sent.

The conditions of bucket-level triggers are evaluated by a `bucket_selector` inside the composite aggregation, with one
search for each trigger, page by page; the plugin does the same by an aggregation of its own.
"""

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.opensearch_plugins_standin.alerts import Alert, Book
from tests.opensearch_plugins_standin.node import Node

Send = Callable[[str, str], None]

# Above so many alerts the plugin sends one message for all of them (`plugins.alerting.max_actionable_alert_count`).
MOST_ALERTS: Final = 50

_BY_DEFAULT: Final[dict[str, Any]] = {
    "bucket_level_monitor": {"per_alert": {"actionable_alerts": ["DEDUPED", "NEW"]}},
    "query_level_monitor": {"per_execution": {}},
}
_LISTS: Final = {"NEW": "newAlerts", "DEDUPED": "dedupedAlerts", "COMPLETED": "completedAlerts"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Who evaluates a monitor, where its alerts are kept, and how a message is sent: channel, text."""

    node: Node
    book: Book
    send: Send

    def run(self, name: str, monitor: dict[str, Any], *, start: datetime, end: datetime) -> dict[str, Any]:
        """Return what each trigger found for a period, after its actions are done."""
        period = {"period_start": _milliseconds(start), "period_end": _milliseconds(end)}
        told = {}
        for trigger in (trigger for one in monitor["triggers"] for trigger in one.values()):
            context: dict[str, Any] = {
                "monitor": {"_id": name, "name": monitor["name"], "enabled": monitor["enabled"]},
                "trigger": {"id": trigger["id"], "name": trigger["name"], "severity": trigger["severity"]},
                "results": [],
                "periodStart": _text(start),
                "periodEnd": _text(end),
                "error": None,
            }
            try:
                context["results"], found = self._ask(monitor, trigger, period)
            except AssertionError as error:
                # A failed search changes no alert, and is told without any.
                self._complain(trigger, {**context, "error": str(error), **_listed({})})
                told[trigger["id"]] = {"name": trigger["name"], "error": str(error)}
                continue
            sorted_alerts = self.book.sort(name, trigger, found, end)
            self._act(monitor, trigger, context, sorted_alerts, end)
            told[trigger["id"]] = {
                "name": trigger["name"],
                **{kind: [list(one.keys) for one in alerts] for kind, alerts in sorted_alerts.items()},
            }
        return told

    def try_query(self, monitor: dict[str, Any], end: datetime) -> None:
        """Run what the triggers ask once, so that a query that the node refuses is refused before it is kept."""
        period = {"period_start": _milliseconds(end - timedelta(minutes=1)), "period_end": _milliseconds(end)}
        [search] = [one["search"] for one in monitor["inputs"]]
        if self.node.search(search["indices"], self.node.render(json.dumps(search["query"]), dict(period)))["_shards"][
            "total"
        ]:
            for trigger in (trigger for one in monitor["triggers"] for trigger in one.values()):
                self._ask(monitor, trigger, period)

    def _ask(
        self, monitor: dict[str, Any], trigger: dict[str, Any], period: dict[str, int]
    ) -> tuple[list[Any], list[tuple[str, ...]]]:
        ask = self._buckets if monitor["monitor_type"] == "bucket_level_monitor" else self._whole
        return ask(monitor, trigger, period)

    def _whole(
        self, monitor: dict[str, Any], trigger: dict[str, Any], period: dict[str, int]
    ) -> tuple[list[Any], list[tuple[str, ...]]]:
        [search] = [one["search"] for one in monitor["inputs"]]
        results = [self.node.search(search["indices"], self.node.render(json.dumps(search["query"]), dict(period)))]
        return results, [()] if self.node.holds(trigger["condition"]["script"]["source"], {"results": results}) else []

    def _buckets(
        self, monitor: dict[str, Any], trigger: dict[str, Any], period: dict[str, int]
    ) -> tuple[list[Any], list[tuple[str, ...]]]:
        """Return what messages know, and the keys of every bucket, of every page, that fulfils the condition.

        Messages know the first page of the search as it is: with buckets that do not fulfil the condition.
        """
        [search] = [one["search"] for one in monitor["inputs"]]
        known = self.node.search(search["indices"], self.node.render(json.dumps(search["query"]), dict(period)))
        query = copy.deepcopy(search["query"])
        composite = _at(query, trigger["condition"]["parent_bucket_path"])
        composite.setdefault("aggregations", {})[trigger["id"]] = {
            "bucket_selector": {
                "buckets_path": trigger["condition"]["buckets_path"],
                "script": trigger["condition"]["script"],
            }
        }
        pages = []
        while True:
            answer = self.node.search(search["indices"], self.node.render(json.dumps(query), dict(period)))
            if "aggregations" not in answer:
                raise AssertionError("no index was searched")
            pages.append(answer)
            page = answer["aggregations"]
            for step in trigger["condition"]["parent_bucket_path"].split(">"):
                page = page[step]
            if "after_key" not in page:
                return [known], [*_keys(pages, trigger["condition"]["parent_bucket_path"])]
            composite["composite"]["after"] = page["after_key"]

    def _act(
        self,
        monitor: dict[str, Any],
        trigger: dict[str, Any],
        context: dict[str, Any],
        found: dict[str, list[Alert]],
        now: datetime,
    ) -> None:
        for action in trigger["actions"]:
            by_default = {"action_execution_scope": _BY_DEFAULT[monitor["monitor_type"]]}
            scope = action.get("action_execution_policy", by_default)["action_execution_scope"]
            if monitor["monitor_type"] == "query_level_monitor":
                alive = [*found["NEW"], *found["DEDUPED"]]
                if alive and _may(action, alive[0], now):
                    self._send(action, {**context, "alert": alive[0].told("")})
            elif "per_alert" in scope and sum(map(len, found.values())) <= MOST_ALERTS:
                for kind in scope["per_alert"]["actionable_alerts"]:
                    for alert in found[kind]:
                        if _may(action, alert, now):
                            self._send(action, {**context, **_listed({kind: [alert]})})
            elif any(found.values()):
                self._send(action, {**context, **_listed(found)})

    def _complain(self, trigger: dict[str, Any], context: dict[str, Any]) -> None:
        for action in trigger["actions"]:
            self._send(action, context)

    def _send(self, action: dict[str, Any], context: dict[str, Any]) -> None:
        message = self.node.render(action["message_template"]["source"], {"ctx": context})
        if message:  # the plugin refuses an action without a message
            self.send(action["destination_id"], message)


def _may(action: dict[str, Any], alert: Alert, now: datetime) -> bool:
    """Tell whether an action is not throttled for an alert, and note that it is done: over, too, it is one alert."""
    last = alert.acted.get(action["id"])
    pause = timedelta(minutes=action["throttle"]["value"] if action.get("throttle_enabled", False) else 0)
    if last is not None and now < last + pause:
        return False
    alert.acted[action["id"]] = now
    return True


def _listed(found: dict[str, list[Alert]]) -> dict[str, Any]:
    return {name: [alert.told(kind) for alert in found.get(kind, [])] for kind, name in _LISTS.items()}


def _at(query: dict[str, Any], path: str) -> dict[str, Any]:
    inner = query
    for step in path.split(">"):
        inner = (inner.get("aggregations") or inner["aggs"])[step]
    if "composite" not in inner:
        raise AssertionError(f"`{path}` is no composite aggregation")
    return inner


def _keys(pages: list[dict[str, Any]], path: str) -> Iterator[tuple[str, ...]]:
    for page in pages:
        inner = page["aggregations"]
        for step in path.split(">"):
            inner = inner[step]
        for bucket in inner["buckets"]:
            # What is missing is the word `null`, as the plugin spells it.
            yield tuple("null" if value is None else str(value) for value in bucket["key"].values())


def _milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
