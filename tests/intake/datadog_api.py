"""A stand-in for the part of Datadog's API that keeps what Terraform makes: strict in what it takes.

What the API's description has is held to it with nothing beside it; of downtimes, pipelines, webhooks and metrics of
logs, which the part of it that we have leaves out, the keys are those of the documentation. Queries are read, and a
monitor's bar must be its critical threshold. What comes back has what Datadog adds by itself.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.assets.datadog.language import read_alert, read_selector
from tests.assets.datadog.strict import wrong_with, wrong_with_dashboard, wrong_with_monitor
from tests.terraform_standin.kept import Kept

_DASHBOARD: Final = "/api/v1/dashboard"
_MONITOR: Final = "/api/v1/monitor"
_SLO: Final = "/api/v1/slo"
_WRITES: Final = frozenset({"POST", "PUT", "PATCH"})
_COUNTED: Final = ".as_count()"


def _closed(known: frozenset[str], required: frozenset[str], within: str = "") -> Callable[[Any], Iterator[str]]:
    """Return a check of keys; `within` is the place of the object that has them, keys joined by dots."""

    def check(body: Any) -> Iterator[str]:
        for name in within.split(".") if within else ():
            body = body[name]
        for name in sorted(body.keys() - known):
            yield f"`{name}` is not known"
        for name in sorted(required - body.keys()):
            yield f"`{name}` is missing"

    return check


def wrong_monitor(body: Any) -> Iterator[str]:
    """Yield what is wrong with a monitor, its query included."""
    yield from wrong_with_monitor(body)
    alert = read_alert(body["query"])
    thresholds = body["options"]["thresholds"]
    if alert.bar != thresholds["critical"]:
        yield f"the critical threshold {thresholds['critical']} is not the one of the query, {alert.bar}"
    beyond = alert.compared in (">", ">=") and thresholds.get("critical_recovery", -1e300) >= alert.bar
    if beyond:
        yield "the recovery threshold is beyond the critical one"


def wrong_slo(body: Any) -> Iterator[str]:
    """Yield what is wrong with an objective, its queries of counts included."""
    yield from wrong_with("ServiceLevelObjectiveRequest", body)
    for text in (body["query"]["numerator"], body["query"]["denominator"]):
        if not text.endswith(_COUNTED):
            yield f"no count: {text}"
        read_selector(text.removesuffix(_COUNTED))


_CHECKS: Final[tuple[tuple[str, Callable[[Any], Iterator[str]]], ...]] = (
    (rf"{_DASHBOARD}/lists/manual(/\d+)?", _closed(frozenset({"name"}), frozenset({"name"}))),
    (r"/api/v2/dashboard/lists/manual/\d+/dashboards", _closed(frozenset({"dashboards"}), frozenset({"dashboards"}))),
    (rf"{_DASHBOARD}(/[\w-]+)?", wrong_with_dashboard),
    (rf"{_MONITOR}(/\d+|/validate)?", wrong_monitor),
    (rf"{_SLO}(/\w+)?", wrong_slo),
    (r"/api/v1/metrics/[\w.]+", lambda body: wrong_with("MetricMetadata", body)),
    (r"/api/v2/metrics/[\w.]+/tags", lambda body: wrong_with("MetricTagConfigurationCreateRequest", body)),
    (
        r"/api/v2/logs/config/metrics(/[\w.]+)?",
        _closed(frozenset({"compute", "filter", "group_by"}), frozenset({"compute"}), "data.attributes"),
    ),
    (
        r"/api/v1/logs/config/pipelines(/\w+)?",
        _closed(frozenset({"name", "is_enabled", "filter", "processors", "description", "tags"}), frozenset({"name"})),
    ),
    (
        r"/api/v2/downtime(/[\w-]+)?",
        _closed(
            frozenset({"scope", "message", "monitor_identifier", "schedule", "display_timezone"}),
            frozenset({"scope", "monitor_identifier"}),
            "data.attributes",
        ),
    ),
    (
        r"/api/v1/integration/webhooks/configuration/webhooks(/[\w-]+)?",
        _closed(frozenset({"name", "url", "payload", "custom_headers", "encode_as"}), frozenset({"name", "url"})),
    ),
)


@dataclass
class StrictApi(Kept):
    """An API that keeps what is right and refuses the rest with 400, or with 404 where it knows no such path."""

    refusals: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Check what is written; then keep, tell or forget."""
        if method in _WRITES:
            check = next((check for pattern, check in _CHECKS if re.fullmatch(pattern, path)), None)
            if check is None:
                return self._refuse(404, f"{method} {path}")
            try:
                wrong = [*check(body)]
            except (ValueError, KeyError, TypeError) as error:
                wrong = [repr(error)]
            if wrong:
                return self._refuse(400, f"{method} {path}: {'; '.join(wrong)}")
        return super().answer(method, path, body)

    def added(self, path: str, told: Any) -> Any:
        """Return a new thing with what Datadog adds to it: keys of its own, and in a dashboard an id in each widget."""
        if path == _DASHBOARD:
            name = f"abc-{told['id']}"
            owned = {"author_handle": "a@example.com", "created_at": "2026-11-01T00:00:00Z", "notify_list": []}
            widgets = [_numbered(widget, number) for number, widget in enumerate(told["widgets"], 1)]
            return {**told, **owned, "id": name, "url": f"/dashboard/{name}/board", "widgets": widgets}
        if path == _MONITOR:
            more = {"overall_state": "No Data", "multi": True, "created": "2026-11-01T00:00:00Z", "deleted": None}
            return {**told, **more, "options": {"silenced": {}, **told["options"]}}
        if path == _SLO:
            shown = [{**one, "target_display": f"{one['target']:g}."} for one in told["thresholds"]]
            return {**told, "thresholds": shown, "created_at": 1_795_000_000, "creator": {"email": "a@example.com"}}
        return told

    def of(self, path: str) -> Mapping[str, Any]:
        """Return what is kept below a path, by its id."""
        return {at.removeprefix(f"{path}/"): one for at, one in self.things.items() if at.startswith(f"{path}/")}

    def _refuse(self, status: int, why: str) -> tuple[int, Any]:
        self.refusals.append(why)
        return status, {"errors": [why]}


def _numbered(widget: Any, number: int) -> Any:
    definition = widget["definition"]
    if "widgets" in definition:
        inner = [_numbered(one, 1_000 * number + place) for place, one in enumerate(definition["widgets"], 1)]
        definition = {**definition, "widgets": inner}
    return {**widget, "id": number, "definition": definition}
