"""A stand-in for what Elastic's Terraform provider asks of Elasticsearch and Kibana, both at one address."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from tests.elastic_standin.elastic import Answer, Elastic, RefusedError
from tests.intake.loopback import listening

VERSION: Final = "8.17.4"

Handle = Callable[[Elastic, Any, list[str]], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticStandIn:
    """A running stand-in. address: of both. elastic: what it keeps."""

    address: str
    elastic: Elastic


@contextmanager
def elastic_standin(*, space: str, key: str) -> Iterator[ElasticStandIn]:
    """Answer on a free port of loopback until the block ends. space: Kibana's; key: what a caller must show."""
    elastic = Elastic()
    with listening(_Handler, elastic=elastic, space=space, key=key) as port:
        yield ElasticStandIn(address=f"http://127.0.0.1:{port}", elastic=elastic)


class _Handler(BaseHTTPRequestHandler):
    elastic: Elastic
    space: str
    key: str
    protocol_version = "HTTP/1.1"

    def __getattr__(self, name: str) -> Any:
        """Return what handles a method: `do_GET` and its like are all one."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        """Say nothing."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, told = self._told(body)
        content = b"" if told is None else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _told(self, body: bytes) -> Answer:
        path = urlsplit(self.path).path
        scheme, _, key = (self.headers["Authorization"] or "").partition(" ")
        if (scheme.lower(), key) != ("apikey", self.key):
            return 401, {"error": "Unauthorized", "status": 401}
        path = path.removeprefix(f"/s/{self.space}")
        for method, pattern, handle in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match is not None and method == self.command:
                try:
                    with self.elastic.lock:
                        return handle(self.elastic, self._read(body), [unquote(name) for name in match.groups()])
                except RefusedError as error:
                    return error.status, {"statusCode": error.status, "error": "Bad Request", "message": str(error)}
                except KeyError as error:
                    return 404, {"statusCode": 404, "error": "Not Found", "message": str(error)}
        self.elastic.unheard.append(f"{self.command} {self.path}")
        return 404, {"statusCode": 404, "error": "Not Found", "message": "Not Found"}

    def _read(self, body: bytes) -> Any:
        kind = self.headers.get("Content-Type") or ""
        if kind.startswith("multipart/form-data"):
            parts = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body).walk()
            return next(part.get_payload(decode=True) for part in parts if not part.is_multipart())
        return json.loads(body) if body else None


_NAMED: Final = "/([^/]+)"
_KINDS: Final = "/(_component_template|_index_template|_ilm/policy|_security/role)"
_CONNECTOR: Final = "/api/actions/connector"
_RULE: Final = "/api/alerting/rule"
_INFO: Final = {
    "name": "stand-in",
    "cluster_name": "stand-in",
    "cluster_uuid": "a-cluster-of-a-test",
    "version": {
        "number": VERSION,
        "build_flavor": "default",
        "build_type": "tar",
        "build_hash": "0",
        "build_date": "2025-03-20T00:00:00.000Z",
        "build_snapshot": False,
        "lucene_version": "9.12.0",
        "minimum_wire_compatibility_version": "7.17.0",
        "minimum_index_compatibility_version": "7.0.0",
    },
    "tagline": "You Know, for Search",
}


def _deleted(kept: dict[str, Any], name: str) -> Answer:
    del kept[name]
    return 204, None


_ROUTES: Final[tuple[tuple[str, str, Handle], ...]] = (
    ("GET", "/", lambda _kept, _body, _names: (200, _INFO)),
    ("GET", "/api/status", lambda _kept, _body, _names: (200, {"version": _INFO["version"]})),
    ("PUT", _KINDS + _NAMED, lambda kept, body, names: kept.put_artifact(names[0], names[1], body)),
    ("GET", _KINDS + _NAMED, lambda kept, _body, names: kept.artifact(names[0], names[1])),
    ("DELETE", _KINDS + _NAMED, lambda kept, _body, names: kept.delete_artifact(names[0], names[1])),
    ("POST", _CONNECTOR, lambda kept, body, _names: kept.put_connector(body)),
    ("GET", _CONNECTOR + _NAMED, lambda kept, _body, names: (200, kept.connectors[names[0]])),
    ("PUT", _CONNECTOR + _NAMED, lambda kept, body, names: kept.put_connector(body, names[0])),
    ("DELETE", _CONNECTOR + _NAMED, lambda kept, _body, names: _deleted(kept.connectors, names[0])),
    ("POST", f"{_RULE}/?", lambda kept, body, _names: kept.put_rule(body)),
    ("GET", _RULE + _NAMED, lambda kept, _body, names: (200, kept.rules[names[0]])),
    ("PUT", _RULE + _NAMED, lambda kept, body, names: kept.put_rule(body, names[0])),
    ("DELETE", _RULE + _NAMED, lambda kept, _body, names: _deleted(kept.rules, names[0])),
    ("POST", f"{_RULE}{_NAMED}/_enable", lambda kept, _body, names: kept.switch_rule(names[0], enabled=True)),
    ("POST", f"{_RULE}{_NAMED}/_disable", lambda kept, _body, names: kept.switch_rule(names[0], enabled=False)),
    ("POST", "/api/saved_objects/_import", lambda kept, body, _names: kept.put_saved(body)),
)
