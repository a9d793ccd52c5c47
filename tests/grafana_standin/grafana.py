"""What the stand-in keeps: folders, dashboards, contact points, mute timings and rules, each by Grafana's checks."""

import itertools
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.grafana_standin import shapes

Answer = tuple[int, Any]
Document = dict[str, Any]

_REDACTED: Final = "[REDACTED]"
_RESERVED: Final = {"alertname", "grafana_folder"}  # labels that Grafana gives
_BASE: Final = 10  # seconds: an interval of evaluation is a multiple of it
_ORG: Final = 1


class RefusedError(Exception):
    """Grafana refuses a request: a status, and the words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True, kw_only=True)
class Grafana:
    """All that one organisation keeps.

    sources: UIDs of data sources that there are. tree: the notification policies, which are the user's. unheard: what
    was asked for and is not known here.
    """

    sources: frozenset[str]
    folders: dict[str, Document] = field(default_factory=dict)
    dashboards: dict[str, Document] = field(default_factory=dict)
    contact_points: dict[str, Document] = field(default_factory=dict)
    mute_timings: dict[str, Document] = field(default_factory=dict)
    rules: dict[str, Document] = field(default_factory=dict)
    intervals: dict[tuple[str, str], int] = field(default_factory=dict)
    tree: Document = field(default_factory=lambda: {"receiver": "grafana-default-email", "group_by": ["alertname"]})
    unheard: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    lock: threading.RLock = field(default_factory=threading.RLock)

    # Folders and dashboards

    def put_folder(self, body: Any, uid: str | None = None) -> Answer:
        self._shaped("folder", body)
        if uid is None:
            uid = body.get("uid") or f"folder{next(self.numbers)}"
            if uid in self.folders:
                raise RefusedError(412, "a folder with that UID already exists")
            self.folders[uid] = {"id": next(self.numbers), "uid": uid, "orgId": _ORG, "version": 0}
        kept = self._known(self.folders, uid, "folder not found")
        kept |= {"title": body["title"], "url": f"/dashboards/f/{uid}", "version": kept["version"] + 1}
        return 200, kept

    def folder(self, uid: str) -> Answer:
        return 200, self._known(self.folders, uid, "folder not found")

    def delete_folder(self, uid: str, query: Mapping[str, str]) -> Answer:
        self._known(self.folders, uid, "folder not found")
        held = [name for name, rule in self.rules.items() if rule["folderUID"] == uid]
        if held and query.get("forceDeleteRules") != "true":
            raise RefusedError(400, "folder cannot be deleted: folder contains alert rules")
        for name in held:
            del self.rules[name]
        self.dashboards = {name: one for name, one in self.dashboards.items() if one["folder"] != uid}
        return 200, {"message": "Folder deleted", "title": self.folders.pop(uid)["title"]}

    def put_dashboard(self, body: Any) -> Answer:
        self._shaped("dashboard", body)
        model, folder = body["dashboard"], body.get("folderUid", "")
        if folder:
            self._known(self.folders, folder, "folder not found", status=400)
        kept = self.dashboards.get(model["uid"])
        if kept is not None and not body.get("overwrite"):
            raise RefusedError(412, "A dashboard with the same uid already exists")
        number = next(self.numbers) if kept is None else kept["model"]["id"]
        version = 1 if kept is None else kept["model"]["version"] + 1
        uid = model["uid"]
        self.dashboards[uid] = {"folder": folder, "model": model | {"id": number, "version": version}}
        told = {"id": number, "uid": uid, "version": version, "url": f"/d/{uid}/{uid}", "folderUid": folder}
        return 200, told | {"status": "success", "slug": uid, "title": model["title"]}

    def dashboard(self, uid: str) -> Answer:
        kept = self._known(self.dashboards, uid, "Dashboard not found")
        meta = {"url": f"/d/{uid}/{uid}", "folderUid": kept["folder"], "version": kept["model"]["version"], "slug": uid}
        return 200, {"dashboard": kept["model"], "meta": meta}

    def delete_dashboard(self, uid: str) -> Answer:
        self._known(self.dashboards, uid, "Dashboard not found")
        del self.dashboards[uid]
        return 200, {"message": "Dashboard deleted", "title": uid}

    # Contact points and mute timings

    def put_contact_point(self, body: Any, uid: str | None = None) -> Answer:
        self._refuse(shapes.fault(shapes.CONTACT_POINT, body))
        kind = body["type"]
        settings = dict(body["settings"])
        if uid is not None:
            before = self._known(self.contact_points, uid, "contact point not found")["settings"]
            settings = {key: before.get(key) if value == _REDACTED else value for key, value in settings.items()}
        self._shaped(kind, settings)
        kept = uid or f"point{next(self.numbers)}"
        self.contact_points[kept] = body | {"uid": kept, "settings": settings, "provenance": "api"}
        return (202, {"message": "contactpoint updated"}) if uid else (202, _told(self.contact_points[kept]))

    def all_contact_points(self, query: Mapping[str, str]) -> Answer:
        wanted = query.get("name")
        found = [one for one in self.contact_points.values() if wanted in (None, one["name"])]
        return 200, [_told(one) for one in sorted(found, key=lambda one: one["name"])]

    def delete_contact_point(self, uid: str) -> Answer:
        name = self._known(self.contact_points, uid, "contact point not found")["name"]
        alone = sum(one["name"] == name for one in self.contact_points.values()) == 1
        if alone and any(_settings(rule).get("receiver") == name for rule in self.rules.values()):
            raise RefusedError(409, f"contact point '{name}' is currently used by an alert rule")
        del self.contact_points[uid]
        return 202, {"message": "contactpoint deleted"}

    def put_mute_timing(self, body: Any, name: str | None = None) -> Answer:
        self._shaped("mute timing", body)
        if name is None and body["name"] in self.mute_timings:
            raise RefusedError(409, "time interval already exists")
        if name is not None:
            self._known(self.mute_timings, name, "time interval not found")
        # What is empty is not told.
        spans = [{key: value for key, value in one.items() if value} for one in body["time_intervals"]]
        self.mute_timings[body["name"]] = {"name": body["name"], "time_intervals": spans, "provenance": "api"}
        return 202 if name else 201, self.mute_timings[body["name"]]

    def mute_timing(self, name: str) -> Answer:
        return 200, self._known(self.mute_timings, name, "time interval not found")

    def delete_mute_timing(self, name: str) -> Answer:
        self._known(self.mute_timings, name, "time interval not found")
        if any(name in (_settings(rule).get("mute_time_intervals") or ()) for rule in self.rules.values()):
            raise RefusedError(409, f"time interval '{name}' is used by an alert rule")
        del self.mute_timings[name]
        return 204, None

    # Rules

    def put_group(self, folder: str, group: str, body: Any) -> Answer:
        """Keep a group as it is: rules that it names no more are gone."""
        self._shaped("group", body)
        if body["interval"] <= 0 or body["interval"] % _BASE:
            raise RefusedError(400, f"interval ({body['interval']}s) should be a multiple of {_BASE} seconds")
        for rule in body["rules"]:
            if (rule["folderUID"], rule["ruleGroup"]) != (folder, group):
                raise RefusedError(400, f"rule {rule['title']} names another group")
            self._check_rule(rule)
        mine = [uid for uid, rule in self.rules.items() if (rule["folderUID"], rule["ruleGroup"]) == (folder, group)]
        elsewhere = {
            rule["title"] for uid, rule in self.rules.items() if uid not in mine and rule["folderUID"] == folder
        }
        titles = [rule["title"] for rule in body["rules"]]
        if len(set(titles)) < len(titles) or elsewhere & set(titles):
            raise RefusedError(
                409, "a conflicting alert rule is found: rule title under the same folder should be unique"
            )
        for rule in body["rules"]:
            if rule.get("uid") and rule["uid"] not in mine:
                raise RefusedError(404, f"rule {rule['uid']} not found")
        kept = [self._kept_rule(rule) for rule in body["rules"]]
        for uid in mine:
            del self.rules[uid]
        self.rules |= {rule["uid"]: rule for rule in kept}
        self.intervals[folder, group] = body["interval"]
        return 200, body | {"rules": kept}

    def group(self, folder: str, group: str) -> Answer:
        rules = [rule for rule in self.rules.values() if (rule["folderUID"], rule["ruleGroup"]) == (folder, group)]
        if not rules:
            raise RefusedError(404, "rule group not found")
        told = {"title": group, "folderUid": folder, "interval": self.intervals[folder, group]}
        return 200, told | {"rules": rules}

    def put_rule(self, uid: str, body: Any) -> Answer:
        self._known(self.rules, uid, "alert rule not found")
        self._shaped("rule", body)
        self._check_rule(body)
        self.rules[uid] = self._kept_rule(body | {"uid": uid})
        return 200, self.rules[uid]

    def rule(self, uid: str) -> Answer:
        return 200, self._known(self.rules, uid, "alert rule not found")

    def delete_rule(self, uid: str) -> Answer:
        self.rules.pop(uid, None)  # one that is not there is gone already
        return 204, None

    def _check_rule(self, rule: Document) -> None:
        self._known(self.folders, rule["folderUID"], "folder does not exist", status=400)
        queries = {query["refId"]: query for query in rule["data"]}
        if len(queries) < len(rule["data"]) or rule["condition"] not in queries:
            raise RefusedError(400, f"condition {rule['condition']} does not exist, must be one of {sorted(queries)}")
        for name, query in queries.items():
            if query["model"]["refId"] != name:
                raise RefusedError(400, f"query {name} says that it is {query['model']['refId']}")
            expression = query["datasourceUid"] == "__expr__"
            if not expression and query["datasourceUid"] not in self.sources:
                raise RefusedError(400, f"data source {query['datasourceUid']} not found")
            if expression and query["model"]["expression"] not in queries:
                raise RefusedError(400, f"query {name} asks for {query['model']['expression']}, which is not there")
            span = query["relativeTimeRange"]
            if not expression and span.get("from", 0) <= span.get("to", 0):
                raise RefusedError(400, f"invalid relative time range of {name}")
        if _RESERVED & set(rule.get("labels", {})):
            raise RefusedError(400, "system reserved labels cannot be defined in the rule")
        panel = [name in rule.get("annotations", {}) for name in ("__dashboardUid__", "__panelId__")]
        if panel[0] != panel[1] or (panel[1] and not rule["annotations"]["__panelId__"].isdigit()):
            raise RefusedError(400, "both annotations __dashboardUid__ and __panelId__ must be specified")
        self._check_settings(_settings(rule))

    def _check_settings(self, settings: Document) -> None:
        names = {one["name"] for one in self.contact_points.values()}
        if settings and settings["receiver"] not in names:
            raise RefusedError(400, f"invalid notification settings: receiver {settings['receiver']} does not exist")
        groups = settings.get("group_by") or []
        if groups and (not set(groups) >= _RESERVED or len(set(groups)) < len(groups)):
            raise RefusedError(400, "group by must contain grafana_folder and alertname, and none twice")
        for name in settings.get("mute_time_intervals") or []:
            self._known(self.mute_timings, name, f"mute time interval {name} does not exist", status=400)

    def _kept_rule(self, rule: Document) -> Document:
        number = next(self.numbers)
        given = {"id": number, "uid": rule.get("uid") or f"rule{number}", "provenance": "api", "orgID": _ORG}
        # Grafana writes what it does by itself into each query.
        told = {"intervalMs": 1_000, "maxDataPoints": 43_200}
        data = [
            query | {"queryType": query.get("queryType", ""), "model": query["model"] | told} for query in rule["data"]
        ]
        return rule | given | {"data": data, "updated": "2026-01-01T00:00:00Z"}

    # What all of them need

    def _shaped(self, name: str, body: Any) -> None:
        self._refuse(shapes.fault(shapes.SHAPES[name], body))

    def _refuse(self, reason: str | None) -> None:
        if reason is not None:
            raise RefusedError(400, reason)

    def _known(self, kept: dict[str, Document], name: str, reason: str, *, status: int = 404) -> Document:
        if name not in kept:
            raise RefusedError(status, reason)
        return kept[name]


def _settings(rule: Document) -> Document:
    settings: Document = rule.get("notification_settings") or {}
    return settings


def _told(point: Document) -> Document:
    """Return a contact point as it is told: without its secrets."""
    secret = shapes.SECRETS[point["type"]]
    return point | {"settings": {key: _REDACTED if key in secret else one for key, one in point["settings"].items()}}
