"""A stand-in for the provider `opensearch-project/opensearch`: what it sends, and what it takes an answer for."""

import base64
import json
import os
import re
from typing import Any, Final
from urllib.parse import quote

from tests.terraform_standin.api import Api
from tests.terraform_standin.plan import same
from tests.terraform_standin.provider import Provider
from tests.terraform_standin.resource import Resource
from tests.terraform_standin.schema import Attribute, Block, read_schema
from tests.terraform_standin.values import Object

_MONITORS: Final = "/_plugins/_alerting/monitors"
_CHANNELS: Final = "/_plugins/_notifications/configs"
_POLICY: Final = "/_plugins/_ism/policies/{policy_id}"
_SECURITY: Final = "/_plugins/_security/api"


def provider() -> Provider:
    """Return the stand-in."""
    return Provider(
        name="opensearch-project/opensearch", schema=read_schema("opensearch"), resources=_RESOURCES, connect=_connect
    )


def _connect(config: Object) -> Api:
    user = config.get("username") or os.environ.get("OPENSEARCH_USERNAME")
    secret = config.get("password") or os.environ.get("OPENSEARCH_PASSWORD") or ""
    headers = {}
    if config.get("token"):
        headers["Authorization"] = f"{config.get('token_name') or 'ApiKey'} {config['token']}"
    elif user:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()
    api = Api(address=config["url"], headers=headers)
    if config.get("healthcheck") is not False or not config.get("opensearch_version"):
        api.ask("GET", "/")
    return api


class _Template(Resource):
    def same(self, attribute: Attribute, one: Any, other: Any) -> bool:
        return _alike(attribute, one, other, _bare_template)


class _Channel(Resource):
    def told(self, body: Any) -> Any:
        return {name: value for name, value in body.items() if name not in ("last_updated_time_ms", "created_time_ms")}

    def same(self, attribute: Attribute, one: Any, other: Any) -> bool:
        return _alike(attribute, one, other, lambda body: {name: body[name] for name in body if name != "config_id"})


class _Monitor(Resource):
    """A monitor. Like the provider it takes the ids out of triggers of the older shape only.

    So whatever else the API adds to a monitor is a change in every plan, unless the module leaves the body out of it.
    """

    def told(self, body: Any) -> Any:
        kept = {name: value for name, value in body.items() if name not in ("user", "last_update_time", "enabled_time")}
        for trigger in kept.get("triggers", []):
            trigger.pop("id", None)
            for action in trigger.get("actions", []):
                action.pop("id", None)
        return kept


class _Policy(Resource):
    """A lifecycle policy, which only who knows its last number in the sequence may change."""

    def look(self, api: Api, block: Block, state: Object) -> Object | None:
        found = super().look(api, block, state)
        answer = api.look("GET", self.read.replace("{policy_id}", quote(state["id"], safe="")).removeprefix("GET "))
        if found is None or answer is None:
            return None
        return {**found, "seq_no": answer["_seq_no"], "primary_term": answer["_primary_term"]}

    def told(self, body: Any) -> Any:
        added = ("policy_id", "schema_version", "last_updated_time", "error_notification", "user")
        return {"policy": {name: value for name, value in body["policy"].items() if name not in added}}


class _Saved(Resource):
    """A saved object of Dashboards, written past Dashboards as a document into its index, the body's first one only."""

    def make(self, api: Api, block: Block, planned: Object) -> Object:
        index = _index(planned)
        if api.look("GET", f"/{quote(index)}") is None:
            api.ask("PUT", f"/{quote(index)}", {"mappings": {}})
        return self.change(api, block, {"id": json.loads(planned["body"])[0]["_id"]}, planned)

    def look(self, api: Api, block: Block, state: Object) -> Object | None:
        told = api.look("GET", _document(state))
        if told is None:
            return None
        [body] = [one for one in block.attributes if one.name == "body"]
        read = json.dumps([{"_id": told["_id"], "_source": told["_source"]}], sort_keys=True)
        return {**state, "body": state["body"] if self.same(body, state["body"], read) else read}

    def change(self, api: Api, block: Block, prior: Object, planned: Object) -> Object:
        state = {**planned, "id": prior["id"]}
        api.ask("PUT", _document(state), json.loads(planned["body"])[0]["_source"])
        return self.must_look(api, block, state)

    def end(self, api: Api, state: Object) -> None:
        api.look("DELETE", _document(state))

    def same(self, attribute: Attribute, one: Any, other: Any) -> bool:
        return _alike(attribute, one, other, lambda body: {"_id": body[0]["_id"], "_source": body[0]["_source"]})


class _Role(Resource):
    def told(self, body: Any) -> Any:
        [role] = body.values()
        return role


def _alike(attribute: Attribute, one: Any, other: Any, bare: Any) -> bool:
    """Tell whether two bodies are the same but for what a function takes out of both."""
    if attribute.form != "json" or not isinstance(one, str) or not isinstance(other, str):
        return same(attribute, one, other)
    return bool(bare(json.loads(one)) == bare(json.loads(other)))


def _bare_template(body: Any) -> Any:
    """Return a template with its settings as the node tells them: texts, below `index`. All else is compared as it is.

    So a body must say what the node would add, such as a data stream's field of time: that is right for the provider
    whether it overlooks this or not.
    """
    template = dict(body.get("template") or {})
    if "settings" in template:
        flat = _flat(template["settings"])
        template["settings"] = {name if name.startswith("index.") else f"index.{name}": flat[name] for name in flat}
    return {**body, "template": template}


def _flat(settings: Any, before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{before}{name}.")
        else:
            flat[before + name] = [*map(str, value)] if isinstance(value, list) else _text(value)
    return flat


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _document(state: Object) -> str:
    return f"/{quote(_index(state))}/_doc/{quote(state['id'], safe='')}"


def _index(state: Object) -> str:
    """Return the index of a saved object: a tenant's is named by its name, and by Java's hash of it."""
    tenant = state.get("tenant_name")
    if not tenant:
        return str(state["index"])
    number = 0
    for letter in tenant:
        number = (31 * number + ord(letter)) & 0xFFFF_FFFF
    signed = number - (1 << 32) if number >> 31 else number
    return f".kibana_{signed}_{re.sub('[^a-z0-9]+', '', tenant.lower())}"


def _addresses(path: str) -> dict[str, Any]:
    return {"create": f"PUT {path}", "read": f"GET {path}", "update": f"PUT {path}", "delete": f"DELETE {path}"}


def _numbered(path: str) -> dict[str, Any]:
    return {**_addresses(f"{path}/{{id}}"), "create": f"POST {path}"}


_RESOURCES: Final = {
    "opensearch_component_template": _Template(
        **_addresses("/_component_template/{name}"),
        identity="{name}",
        found="component_templates.0.component_template",
    ),
    "opensearch_composable_index_template": _Template(
        **_addresses("/_index_template/{name}"), identity="{name}", found="index_templates.0.index_template"
    ),
    "opensearch_ism_policy": _Policy(
        **_addresses(_POLICY) | {"update": f"PUT {_POLICY}?if_seq_no={{seq_no}}&if_primary_term={{primary_term}}"},
        identity="{policy_id}",
    ),
    "opensearch_channel_configuration": _Channel(**_numbered(_CHANNELS), identity="config_id", found="config_list.0"),
    "opensearch_monitor": _Monitor(**_numbered(_MONITORS), identity="_id", found="monitor"),
    "opensearch_dashboard_object": _Saved(**_addresses("/{index}/_doc/{id}"), identity="_id"),
    "opensearch_role": _Role(**_addresses(f"{_SECURITY}/roles/{{role_name}}"), identity="{role_name}"),
    "opensearch_roles_mapping": _Role(**_addresses(f"{_SECURITY}/rolesmapping/{{role_name}}"), identity="{role_name}"),
}
