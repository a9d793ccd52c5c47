"""A strict stand-in for both engines: it keeps documents as they do, and answers as they do when a rule is broken."""

import fnmatch
import gzip
import json
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from mlvitals.clock import parse_time
from mlvitals.sinks.opensearch.choices import Engine
from tests.intake.loopback import listening

# What the engines bring themselves: each makes data streams of names that ours must not fall under.
BUILT_IN = {
    Engine.OPENSEARCH: {"ss4o_metrics": ("ss4o_metrics-*-*", 900), "ss4o_logs": ("ss4o_logs-*-*", 900)},
    Engine.ELASTICSEARCH: {"metrics": ("metrics-*-*", 100), "logs": ("logs-*-*", 100)},
}
TEMPLATE_KEYS = {"index_patterns", "template", "composed_of", "priority", "data_stream", "version", "_meta"}
NUMBERS = {"double", "long", "integer"}
POLICIES = {Engine.OPENSEARCH: "_plugins/_ism/policies", Engine.ELASTICSEARCH: "_ilm/policy"}


@dataclass(frozen=True)
class Scripted:
    """One answer to `_bulk` in place of the engine's: `drop` cuts the connection, `delay` sleeps before (seconds).

    taken: the engine does its work before the connection is cut.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    delay: float = 0.0
    drop: bool = False
    taken: bool = False


class Refusal(Exception):  # noqa: N818  # an answer
    def __init__(self, status: int, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.error = {"type": kind, "reason": reason}


@dataclass
class Standin:
    """The state of a cluster. script: answers to `_bulk`; fate: of an item, by action and source, status and error."""

    engine: Engine = Engine.OPENSEARCH
    lifecycle: bool = True
    port: int = 0
    script: list[Scripted] = field(default_factory=list)
    fate: Callable[[dict[str, Any], dict[str, Any]], tuple[int, dict[str, Any]] | None] = lambda _, __: None
    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bulks: list[bytes] = field(default_factory=list)
    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    documents: dict[str, dict[str, tuple[int, dict[str, Any]]]] = field(default_factory=dict)
    streams: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)  # features whose documents an ingest pipeline drops
    privileges: dict[str, bool] | None = None
    denied: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)  # by method and start of the path

    def __post_init__(self) -> None:
        for name, (pattern, priority) in BUILT_IN[self.engine].items():
            body = {"index_patterns": [pattern], "priority": priority, "data_stream": {}, "template": {}}
            self.stored[f"_index_template/{name}"] = body

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def will(self, *answers: Scripted) -> None:
        self.script += answers

    def sources(self, pattern: str = "*") -> list[dict[str, Any]]:
        return [
            source
            for index, held in sorted(self.documents.items())
            if fnmatch.fnmatch(index, pattern)
            for _, source in held.values()
        ]

    def answer(self, method, target, body, headers):
        parts = urlsplit(target)
        path = unquote(parts.path).strip("/")
        for start, (status, told) in self.denied.items():
            if f"{method} {path}".startswith(start):
                return status, told
        try:
            return self.route(method, path, parse_qs(parts.query), body, headers)
        except Refusal as refusal:
            return refusal.status, {"error": refusal.error, "status": refusal.status}

    def route(self, method, path, query, body, headers):
        if (method, path) == ("GET", ""):
            return 200, self.root()
        if (method, path) == ("POST", "_bulk"):
            return 200, filtered(self.bulk(body, headers), query)
        if (method, path) == ("POST", "_security/user/_has_privileges") and self.privileges is not None:
            wanted = json.loads(body)
            cluster = {one: self.privileges.get(one, True) for one in wanted["cluster"]}
            index = {
                name: {one: self.privileges.get(one, True) for one in part["privileges"]}
                for part in wanted["index"]
                for name in part["names"]
            }
            held = [*cluster.values(), *(one for several in index.values() for one in several.values())]
            return 200, {"has_all_requested": all(held), "cluster": cluster, "index": index}
        kind, _, name = path.rpartition("/")
        policies = POLICIES[self.engine] if self.lifecycle else None
        if kind not in {"_component_template", "_index_template", policies} or method not in {"GET", "PUT"}:
            return 400, {"error": f"no handler found for uri [/{path}] and method [{method}]"}
        return self.get(kind, name, path) if method == "GET" else self.put(path, query, body, headers)

    def root(self):
        if self.engine is Engine.ELASTICSEARCH:
            return {"version": {"number": "9.2.1", "build_flavor": "default"}, "tagline": "You Know, for Search"}
        return {
            "version": {"distribution": "opensearch", "number": "3.8.0"},
            "tagline": "The OpenSearch Project: https://opensearch.org/",
        }

    def get(self, kind, name, path):
        if path not in self.stored:
            return 404, {
                "error": {"type": "resource_not_found_exception", "reason": f"[{name}] missing"},
                "status": 404,
            }
        body = self.stored[path]
        if kind == "_ilm/policy":
            return 200, {name: {"version": 1, **body}}
        if kind.startswith("_plugins"):
            return 200, {"_id": name, "_seq_no": body["seq"], "_primary_term": 1, "policy": body["policy"]}
        singular = kind.removeprefix("_")
        return 200, {f"{singular}s": [{"name": name, singular: body}]}

    def put(self, path, query, body, headers):
        if headers.get("content-type") != "application/json":
            raise Refusal(406, "media_type_header_exception", "Content-Type header is not supported")
        kind, _, name = path.rpartition("/")
        told = json.loads(body)
        if kind.startswith("_plugins"):
            before = self.stored.get(path)
            if before is not None and query.get("if_seq_no") != [str(before["seq"])]:
                raise Refusal(409, "version_conflict_engine_exception", "document already exists")
            told["seq"] = 0 if before is None else before["seq"] + 1
        if kind == "_index_template":
            self.check_template(name, told)
        self.stored[path] = told
        return 200, {"acknowledged": True}

    def check_template(self, name, told):
        if unknown := told.keys() - TEMPLATE_KEYS:
            raise Refusal(400, "x_content_parse_exception", f"[index_template] unknown field [{min(unknown)}]")
        for component in told["composed_of"]:
            if f"_component_template/{component}" not in self.stored:
                raise Refusal(400, "invalid_index_template_exception", f"component [{component}] does not exist")
        for path, other in self.stored.items():
            if path.startswith("_index_template/") and path != f"_index_template/{name}":
                overlap = any(
                    fnmatch.fnmatch(one.replace("*", "x"), two) or fnmatch.fnmatch(two.replace("*", "x"), one)
                    for one in told["index_patterns"]
                    for two in other["index_patterns"]
                )
                if overlap and other["priority"] == told["priority"]:
                    raise Refusal(400, "illegal_argument_exception", f"[{name}] has patterns with equal priority")

    def bulk(self, body, headers):
        if headers.get("content-type") not in {"application/json", "application/x-ndjson"}:
            raise Refusal(406, "media_type_header_exception", "Content-Type header is not supported")
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.bulks.append(body)
        if not body.endswith(b"\n"):
            raise Refusal(400, "illegal_argument_exception", "The bulk request must be terminated by a newline [\\n]")
        lines = [json.loads(line, parse_constant=no_constant) for line in body.split(b"\n")[:-1]]
        items = [self.item(action, source) for action, source in zip(lines[::2], lines[1::2], strict=True)]
        return {"took": 1, "errors": any("error" in one for item in items for one in item.values()), "items": items}

    def item(self, action, source):
        [(operation, target)] = action.items()
        base = {"_index": target["_index"], "_id": target["_id"]}
        try:
            fate = self.fate(target, source)
            if fate is not None and fate[0] >= 300:
                return {operation: base | {"status": fate[0], "error": fate[1]}}
            if source.get("attributes", {}).get("mlvitals", {}).get("feature", {}).get("name") in self.dropped:
                return {operation: base | {"status": 200, "result": "noop", "_shards": {"total": 0}}}
            return {operation: base | {"status": self.write(operation, target, source), "_shards": {"total": 1}}}
        except Refusal as refusal:
            return {operation: base | {"status": refusal.status, "error": refusal.error}}

    def write(self, operation, target, source):
        index, identity = target["_index"], target["_id"]
        if len(identity.encode()) > 512:
            raise Refusal(400, "illegal_argument_exception", "id is too long, must be no longer than 512 bytes")
        template = self.template(index)
        if "data_stream" in template or index in self.streams:
            self.streams.add(index)
            if operation != "create":
                why = "only write ops with an op_type of create are allowed in data streams"
                raise Refusal(400, "illegal_argument_exception", why)
            if set(target) - {"_index", "_id"}:
                raise Refusal(400, "illegal_argument_exception", "create operations do not support versioning")
        check_fields(source, self.fields(template))
        parse_time(source["@timestamp"])
        held = self.documents.setdefault(index, {})
        if operation == "create" and identity in held:
            raise Refusal(409, "version_conflict_engine_exception", f"[{identity}]: version conflict, exists already")
        if operation == "index":
            if target["version_type"] != "external_gte":
                raise Refusal(400, "action_request_validation_exception", "a version without its type")
            if identity in held and held[identity][0] > target["version"]:
                raise Refusal(409, "version_conflict_engine_exception", f"[{identity}]: higher than the one provided")
        status = 200 if identity in held else 201
        held[identity] = (target.get("version", 1), source)
        return status

    def template(self, index):
        matching = [
            body
            for path, body in self.stored.items()
            if path.startswith("_index_template/")
            and any(fnmatch.fnmatch(index, one) for one in body["index_patterns"])
        ]
        return max(matching, key=lambda body: body["priority"], default={})

    def fields(self, template):
        found: dict[str, Any] = {}
        parts = [self.stored[f"_component_template/{name}"]["template"] for name in template.get("composed_of", ())]
        for part in [*parts, template.get("template", {})]:
            merge(found, part.get("mappings", {}).get("properties", {}))
        return found


def merge(into, fields):
    for name, mapping in fields.items():
        if name in into and "properties" in mapping:
            merge(into[name]["properties"], mapping["properties"])
        else:
            into[name] = json.loads(json.dumps(mapping))


def check_fields(source, fields, path=""):
    for name, value in source.items():
        mapping = fields.get(name)
        if mapping is None or mapping.get("enabled") is False:
            continue
        here = f"{path}{name}"
        inner = mapping.get("properties")
        if isinstance(value, dict) != (inner is not None or mapping.get("type") == "object"):
            raise Refusal(400, "mapper_parsing_exception", f"object mapping for [{here}] tried to parse field")
        if isinstance(value, dict):
            check_fields(value, inner or {}, f"{here}.")
        elif mapping["type"] in NUMBERS and isinstance(value, str):
            raise Refusal(
                400, "mapper_parsing_exception", f"failed to parse field [{here}] of type [{mapping['type']}]"
            )
        elif mapping["type"] == "date":
            parse_time(value)


def no_constant(name):
    raise ValueError(f"{name} is not JSON")


def filtered(told, query):
    """Apply `filter_path` as the engines do, for paths with `*` as a whole step."""
    if "filter_path" not in query:
        return told
    kept = [path.split(".") for path in query["filter_path"][0].split(",")]

    def keep(part, paths):
        if any(not path for path in paths) or not isinstance(part, dict | list):
            return part
        if isinstance(part, list):
            return [keep(one, paths) for one in part]
        chosen = {}
        for key, value in part.items():
            inner = [path[1:] for path in paths if path[0] in {key, "*"}]
            if inner and (found := keep(value, inner)) != {}:
                chosen[key] = found
        return chosen

    return keep(told, kept)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    told: Standin

    def handle_one(self):
        told = self.told
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        told.requests.append((self.command, self.path))
        told.headers.append(headers)
        scripted = told.script.pop(0) if told.script and self.path.startswith("/_bulk") else None
        if scripted is not None:
            time.sleep(scripted.delay)
            if scripted.taken:
                told.answer(self.command, self.path, body, headers)
            if scripted.drop:
                self.close_connection = True
                return
            self.reply(scripted.status, scripted.body, scripted.headers)
            return
        status, answer = told.answer(self.command, self.path, body, headers)
        self.reply(status, json.dumps(answer).encode(), {"Content-Type": "application/json; charset=UTF-8"})

    do_GET = do_POST = do_PUT = do_DELETE = handle_one  # noqa: N815  # as http.server asks for them

    def reply(self, status, body, headers):
        product = {"X-Elastic-Product": "Elasticsearch"} if self.told.engine is Engine.ELASTICSEARCH else {}
        self.send_response(status)
        for name, value in {**product, **headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def serving(told: Standin):
    with listening(Handler, told=told) as told.port:
        yield told
