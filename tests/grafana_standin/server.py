"""A stand-in for the part of Grafana's API that its Terraform provider asks, for no Grafana server can be had here.

What it knows of Grafana was read in the API's description and Grafana's sources; where that leaves a choice it is the
stricter one.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.grafana_standin.grafana import Answer, Grafana, RefusedError
from tests.intake.loopback import listening

Handle = Callable[[Grafana, Any, dict[str, str], list[str]], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrafanaStandIn:
    """A running stand-in. address: of Grafana. grafana: what it keeps."""

    address: str
    grafana: Grafana


@contextmanager
def grafana_standin(*, sources: Iterable[str], token: str) -> Iterator[GrafanaStandIn]:
    """Answer on a free port of loopback until the block ends.

    sources: UIDs of data sources. token: what a caller must show.
    """
    grafana = Grafana(sources=frozenset(sources))
    with listening(_Handler, grafana=grafana, token=token) as port:
        yield GrafanaStandIn(address=f"http://127.0.0.1:{port}", grafana=grafana)


class _Handler(BaseHTTPRequestHandler):
    grafana: Grafana
    token: str
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
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _told(self, body: bytes) -> Answer:
        address = urlsplit(self.path)
        if self.headers["Authorization"] != f"Bearer {self.token}":
            return 401, {"message": "Unauthorized"}
        for method, pattern, handle in _ROUTES:
            match = re.fullmatch(pattern, address.path)
            if match is not None and method == self.command:
                names = [unquote(name) for name in match.groups()]
                try:
                    with self.grafana.lock:
                        given = json.loads(body) if body else None
                        return handle(self.grafana, given, dict(parse_qsl(address.query)), names)
                except RefusedError as error:
                    return error.status, {"message": str(error)}
                except ValueError as error:
                    return 400, {"message": f"bad request data: {error}"}
        self.grafana.unheard.append(f"{self.command} {address.path}")
        return 404, {"message": "Not found"}


_NAMED: Final = "/([^/]+)"
_PROVISIONING: Final = "/api/v1/provisioning"
_GROUPS: Final = f"{_PROVISIONING}/folder{_NAMED}/rule-groups{_NAMED}"
_POINTS: Final = f"{_PROVISIONING}/contact-points"
_TIMINGS: Final = f"{_PROVISIONING}/mute-timings"
_RULES: Final = f"{_PROVISIONING}/alert-rules"

_ROUTES: Final[tuple[tuple[str, str, Handle], ...]] = (
    ("POST", "/api/folders", lambda kept, body, _query, _names: kept.put_folder(body)),
    ("GET", f"/api/folders{_NAMED}", lambda kept, _body, _query, names: kept.folder(names[0])),
    ("PUT", f"/api/folders{_NAMED}", lambda kept, body, _query, names: kept.put_folder(body, names[0])),
    ("DELETE", f"/api/folders{_NAMED}", lambda kept, _body, query, names: kept.delete_folder(names[0], query)),
    ("POST", "/api/dashboards/db", lambda kept, body, _query, _names: kept.put_dashboard(body)),
    ("GET", f"/api/dashboards/uid{_NAMED}", lambda kept, _body, _query, names: kept.dashboard(names[0])),
    ("DELETE", f"/api/dashboards/uid{_NAMED}", lambda kept, _body, _query, names: kept.delete_dashboard(names[0])),
    ("GET", _POINTS, lambda kept, _body, query, _names: kept.all_contact_points(query)),
    ("POST", _POINTS, lambda kept, body, _query, _names: kept.put_contact_point(body)),
    ("PUT", _POINTS + _NAMED, lambda kept, body, _query, names: kept.put_contact_point(body, names[0])),
    ("DELETE", _POINTS + _NAMED, lambda kept, _body, _query, names: kept.delete_contact_point(names[0])),
    ("POST", _TIMINGS, lambda kept, body, _query, _names: kept.put_mute_timing(body)),
    ("GET", _TIMINGS + _NAMED, lambda kept, _body, _query, names: kept.mute_timing(names[0])),
    ("PUT", _TIMINGS + _NAMED, lambda kept, body, _query, names: kept.put_mute_timing(body, names[0])),
    ("DELETE", _TIMINGS + _NAMED, lambda kept, _body, _query, names: kept.delete_mute_timing(names[0])),
    ("GET", f"{_PROVISIONING}/policies", lambda kept, _body, _query, _names: (200, kept.tree)),
    ("PUT", _GROUPS, lambda kept, body, _query, names: kept.put_group(names[0], names[1], body)),
    ("GET", _GROUPS, lambda kept, _body, _query, names: kept.group(names[0], names[1])),
    ("GET", _RULES, lambda kept, _body, _query, _names: (200, [*kept.rules.values()])),
    ("GET", _RULES + _NAMED, lambda kept, _body, _query, names: kept.rule(names[0])),
    ("PUT", _RULES + _NAMED, lambda kept, body, _query, names: kept.put_rule(names[0], body)),
    ("DELETE", _RULES + _NAMED, lambda kept, _body, _query, names: kept.delete_rule(names[0])),
)
