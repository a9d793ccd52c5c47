"""A stand-in for OpenSearch's plugins Alerting, Notifications, Index Management and Security, before a real node.

None of them can be had where these tests run; their own makers publish no servers with them for tests. It answers
`/_plugins/…` itself and passes everything else on to the node. What it knows of the plugins was read in their sources.
"""

import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from tests.opensearch_plugins_standin.node import Node
from tests.opensearch_plugins_standin.plugins import Answer, Plugins, RefusedError, run_forever

_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_PASSED_WITHIN: Final = 60.0

Handle = Callable[[Plugins, Any, dict[str, str], tuple[str, ...]], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginsStandIn:
    """A running stand-in. address: what stands for the node's. plugins: what it keeps."""

    address: str
    plugins: Plugins


@contextmanager
def plugins_standin(node: str, *, pace: float | None = None) -> Iterator[PluginsStandIn]:
    """Stand before a node until the block ends.

    pace: how many times as fast as their schedules monitors run; None to run them only when they are asked for.
    """
    plugins = Plugins(node=Node(node))
    handler = type("Handler", (_Handler,), {"plugins": plugins, "node": node})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    ended = threading.Event()
    threads = [threading.Thread(target=server.serve_forever, daemon=True)]
    if pace is not None:
        threads.append(threading.Thread(target=run_forever, args=(plugins, pace, ended), daemon=True))
    for thread in threads:
        thread.start()
    try:
        yield PluginsStandIn(address=f"http://127.0.0.1:{server.server_port}", plugins=plugins)
    finally:
        ended.set()
        server.shutdown()
        for thread in threads:
            thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    plugins: Plugins
    node: str
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
        if self.path.startswith("/_plugins/"):
            status, told = self._own(body)
            self._write(status, json.dumps(told).encode(), {"Content-Type": "application/json; charset=UTF-8"})
        else:
            self._write(*self._pass(body))

    def _own(self, body: bytes) -> Answer:
        address = urlsplit(self.path)
        for method, pattern, handle in _ROUTES:
            match = re.fullmatch(pattern, address.path)
            if match is not None and method == self.command:
                try:
                    with self.plugins.lock:
                        given = json.loads(body) if body else None
                        return handle(self.plugins, given, dict(parse_qsl(address.query)), match.groups())
                except RefusedError as error:
                    return error.status, _refusal(error.status, str(error))
                except (AssertionError, ValueError) as error:
                    return 400, _refusal(400, str(error))
        return 400, _refusal(400, f"no handler found for uri [{address.path}] and method [{self.command}]")

    def _pass(self, body: bytes) -> tuple[int, bytes, Mapping[str, str]]:
        kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        request = urllib.request.Request(  # noqa: S310  # the node on loopback
            self.node + self.path, data=body or None, headers=kept, method=self.command
        )
        try:
            with _OPENER.open(request, timeout=_PASSED_WITHIN) as answer:
                return answer.status, answer.read(), dict(answer.headers)
        except urllib.error.HTTPError as error:
            return error.code, error.read(), dict(error.headers)

    def _write(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _refusal(status: int, reason: str) -> dict[str, Any]:
    return {"error": {"type": "status_exception", "reason": reason}, "status": status}


def _execute(plugins: Plugins, name: str, query: dict[str, str]) -> Answer:
    end = query.get("period_end")
    return plugins.execute(
        name,
        dry=query.get("dryrun", "false") == "true",
        end=None if end is None else datetime.fromtimestamp(int(end.removesuffix("ms")) / 1000, UTC),
    )


_MONITORS: Final = "/_plugins/_alerting/monitors"
_CHANNELS: Final = "/_plugins/_notifications/configs"
_POLICIES: Final = "/_plugins/_ism/policies"
_SECURITY: Final = "/_plugins/_security/api"
_NAMED: Final = "/([^/]+)"

_ROUTES: Final[tuple[tuple[str, str, Handle], ...]] = (
    ("GET", f"{_MONITORS}/alerts", lambda kept, _body, _query, _names: kept.alerts()),
    ("POST", f"{_MONITORS}{_NAMED}/_execute", lambda kept, _body, query, names: _execute(kept, names[0], query)),
    ("POST", _MONITORS, lambda kept, body, _query, _names: kept.put_monitor(body)),
    ("PUT", _MONITORS + _NAMED, lambda kept, body, _query, names: kept.put_monitor(body, names[0])),
    ("GET", _MONITORS + _NAMED, lambda kept, _body, _query, names: kept.monitor(names[0])),
    ("DELETE", _MONITORS + _NAMED, lambda kept, _body, _query, names: kept.delete(kept.monitors, names[0])),
    ("POST", _CHANNELS, lambda kept, body, _query, _names: kept.put_channel(body)),
    ("PUT", _CHANNELS + _NAMED, lambda kept, body, _query, names: kept.put_channel(body, names[0])),
    ("GET", _CHANNELS + _NAMED, lambda kept, _body, _query, names: kept.channel(names[0])),
    ("DELETE", _CHANNELS + _NAMED, lambda kept, _body, _query, names: kept.delete(kept.channels, names[0])),
    ("PUT", _POLICIES + _NAMED, lambda kept, body, query, names: kept.put_policy(names[0], body, query)),
    ("GET", _POLICIES + _NAMED, lambda kept, _body, _query, names: kept.policy(names[0])),
    ("DELETE", _POLICIES + _NAMED, lambda kept, _body, _query, names: kept.delete(kept.policies, names[0])),
    ("PUT", f"{_SECURITY}/roles{_NAMED}", lambda kept, body, _, names: kept.put_role(kept.roles, names[0], body)),
    ("GET", f"{_SECURITY}/roles{_NAMED}", lambda kept, _body, _query, names: kept.role(kept.roles, names[0])),
    ("DELETE", f"{_SECURITY}/roles{_NAMED}", lambda kept, _body, _, names: kept.delete(kept.roles, names[0])),
    (
        "PUT",
        f"{_SECURITY}/rolesmapping{_NAMED}",
        lambda kept, body, _query, names: kept.put_role(kept.mappings, names[0], body),
    ),
    (
        "GET",
        f"{_SECURITY}/rolesmapping{_NAMED}",
        lambda kept, _body, _query, names: kept.role(kept.mappings, names[0]),
    ),
    (
        "DELETE",
        f"{_SECURITY}/rolesmapping{_NAMED}",
        lambda kept, _body, _query, names: kept.delete(kept.mappings, names[0]),
    ),
)
