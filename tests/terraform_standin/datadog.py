"""A stand-in for the provider `DataDog/datadog`: what it sends, and what it takes an answer for."""

import json
import os
from dataclasses import dataclass
from typing import Any, Final

from tests.terraform_standin.api import Api
from tests.terraform_standin.body import body_of, state_of
from tests.terraform_standin.plan import same
from tests.terraform_standin.provider import Provider
from tests.terraform_standin.resource import Resource
from tests.terraform_standin.schema import Attribute, Block, read_schema
from tests.terraform_standin.values import Object

_SITE: Final = "https://api.datadoghq.com"

# What Datadog adds to a dashboard, and the provider takes out before it compares.
_ADDED: Final = (
    "id",
    "url",
    "author_handle",
    "author_name",
    "created_at",
    "modified_at",
    "dashboard_lists",
    "notify_list",
)


def provider() -> Provider:
    """Return the stand-in."""
    return Provider(name="DataDog/datadog", schema=read_schema("datadog"), resources=_RESOURCES, connect=_connect)


def _connect(config: Object) -> Api:
    key = config.get("api_key") or os.environ.get("DD_API_KEY") or ""
    application = config.get("app_key") or os.environ.get("DD_APP_KEY") or ""
    address = config.get("api_url") or os.environ.get("DD_HOST") or _SITE
    if address.rstrip("/").endswith("/api"):
        raise ValueError("api_url must not end with /api/")
    api = Api(address=address, headers={"DD-API-KEY": key, "DD-APPLICATION-KEY": application})
    if config.get("validate") != "false":
        if not key or not application:
            raise ValueError("api_key and app_key must be set unless validate is false")
        api.ask("GET", "/api/v1/validate")
    return api


class _Monitor(Resource):
    def check(self, api: Api, block: Block, planned: Object) -> None:
        if planned["validate"] is not False:
            api.ask("POST", "/api/v1/monitor/validate", self.body(block, planned))


class _Dashboard(Resource):
    def told(self, body: Any) -> Any:
        return {**_bare(body), "url": body.get("url")}

    def same(self, attribute: Attribute, one: Any, other: Any) -> bool:
        if attribute.form != "json" or not isinstance(one, str) or not isinstance(other, str):
            return same(attribute, one, other)
        return bool(_bare(json.loads(one)) == _bare(json.loads(other)))


def _bare(dashboard: Any) -> Any:
    """Return a dashboard without what Datadog adds: its own keys, and an id in every widget."""
    told = {name: value for name, value in dashboard.items() if name not in _ADDED}
    if "widgets" in told:
        told["widgets"] = [_bare_widget(widget) for widget in told["widgets"]]
    return told


def _bare_widget(widget: Any) -> Any:
    told = {name: value for name, value in widget.items() if name != "id"}
    definition = told.get("definition")
    if isinstance(definition, dict) and "widgets" in definition:
        told["definition"] = {**definition, "widgets": [_bare_widget(inner) for inner in definition["widgets"]]}
    return told


class _List(Resource):
    """A list of dashboards, which are kept at an address of their own."""

    def make(self, api: Api, block: Block, planned: Object) -> Object:
        made = api.ask("POST", _LISTS, {"name": planned["name"]})
        return self.change(api, block, {"id": str(made["id"])}, planned)

    def look(self, api: Api, block: Block, state: Object) -> Object | None:
        told = api.look("GET", f"{_LISTS}/{state['id']}")
        if told is None:
            return None
        items = api.ask("GET", f"{_ITEMS}/{state['id']}/dashboards")
        return {**state_of(block, {**told, **items}, state), "id": state["id"]}

    def change(self, api: Api, block: Block, prior: Object, planned: Object) -> Object:
        state = {**planned, "id": prior["id"]}
        body = self.body(block, state)
        api.ask("PUT", f"{_LISTS}/{state['id']}", {"name": body["name"]})
        api.ask("PUT", f"{_ITEMS}/{state['id']}/dashboards", {"dashboards": body.get("dashboards", [])})
        return self.must_look(api, block, state)


class _Pipeline(Resource):
    """A pipeline, each of whose processors Terraform names by its block, and the API by its type."""

    def body(self, block: Block, state: Object) -> Any:
        told = super().body(block, state)
        steps = [(kind, step) for one in told.get("processors", []) for kind, step in one.items()]
        return {**told, "processors": [{"type": kind.replace("_", "-"), **step} for kind, step in steps]}

    def told(self, body: Any) -> Any:
        steps = [(step["type"].replace("-", "_"), step) for step in body.get("processors", [])]
        return {**body, "processors": [{kind: step} for kind, step in steps]}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wrapped(Resource):
    """What the API's second version takes: a type, an id and attributes. known: where the id is known beforehand."""

    type: str
    known: str | None = None

    def body(self, block: Block, state: Object) -> Any:
        is_change = isinstance(state["id"], str)
        identity = state[self.known] if self.known is not None else state["id"]
        given = {"id": identity} if is_change or self.known is not None else {}
        fixed = {one.at for one in block.attributes if one.replaces and is_change}  # a change may not name them
        said = {name: value for name, value in body_of(block, state).items() if name not in fixed}
        return {"data": {"type": self.type, **given, "attributes": said}}


_LISTS: Final = "/api/v1/dashboard/lists/manual"
_ITEMS: Final = "/api/v2/dashboard/lists/manual"


def _addresses(path: str, change: str = "PUT") -> dict[str, Any]:
    return {"create": f"POST {path}", "read": f"GET {path}/{{id}}", "update": f"{change} {path}/{{id}}"} | {
        "delete": f"DELETE {path}/{{id}}"
    }


_METADATA: Final = "/api/v1/metrics/{metric}"
_TAGS: Final = "/api/v2/metrics/{metric_name}/tags"

_RESOURCES: Final = {
    "datadog_monitor": _Monitor(**_addresses("/api/v1/monitor")),
    "datadog_dashboard_json": _Dashboard(**_addresses("/api/v1/dashboard")),
    "datadog_dashboard_list": _List(**_addresses(_LISTS)),
    "datadog_service_level_objective": Resource(**_addresses("/api/v1/slo"), made="data.0", found="data"),
    "datadog_logs_custom_pipeline": _Pipeline(**_addresses("/api/v1/logs/config/pipelines")),
    "datadog_logs_metric": _Wrapped(
        **_addresses("/api/v2/logs/config/metrics", "PATCH"),
        made="data",
        found="data.attributes",
        type="logs_metrics",
        known="name",
    ),
    "datadog_metric_metadata": Resource(  # metadata cannot be deleted
        create=f"PUT {_METADATA}",
        read=f"GET {_METADATA}",
        update=f"PUT {_METADATA}",
        delete=None,
        identity="{metric}",
    ),
    "datadog_metric_tag_configuration": _Wrapped(
        create=f"POST {_TAGS}",
        read=f"GET {_TAGS}",
        update=f"PATCH {_TAGS}",
        delete=f"DELETE {_TAGS}",
        identity="{metric_name}",
        found="data.attributes",
        type="manage_tags",
        known="metric_name",
    ),
    "datadog_downtime_schedule": _Wrapped(
        **_addresses("/api/v2/downtime", "PATCH"), made="data", found="data.attributes", type="downtime"
    ),
    "datadog_webhook": Resource(
        **_addresses("/api/v1/integration/webhooks/configuration/webhooks") | {"identity": "name"}
    ),
}
