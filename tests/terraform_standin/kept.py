"""A small API that keeps what is put at an address, by Datadog's or OpenSearch's ways to name it: for own tests only.

It checks nothing: what an API refuses is the matter of whoever stands in for that API.
"""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.intake.loopback import listening


@dataclass
class Kept:
    """What is kept by its path, what was asked, and what is answered in place of the rest."""

    things: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    headers: list[dict[str, str]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(101))

    @property
    def bodies(self) -> list[Any]:
        """Return what was sent, oldest first."""
        return [body for _, _, body in self.asked if body is not None]

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Keep, tell or forget."""
        self.asked.append((method, path, body))
        if path in self.refused:
            return self.refused[path]
        if path.endswith("/validate") or path == "/":
            return 200, {}
        if method == "POST" and not path.endswith("/tags"):
            return 200, self._made(path, body)
        if method in ("POST", "PUT", "PATCH"):
            self.things[path] = {**self.things.get(path, {}), **body}
        if path not in self.things:
            return 404, {"errors": ["not found"]}
        told = self.things[path]
        if method == "DELETE":
            within = f"/{path.rpartition('/')[2]}/dashboards"  # what a list holds goes with it
            self.things = {at: one for at, one in self.things.items() if at != path and not at.endswith(within)}
        return 200, {"data": told} if path.startswith("/api/v1/slo") else told

    def added(self, path: str, told: Any) -> Any:
        """Return a new thing with what the API adds to one of its own."""
        del path
        return told

    def _made(self, path: str, body: Any) -> Any:
        number = next(self.numbers)
        if "data" in body:
            name = body["data"].get("id", f"made-{number}")
            told: Any = {"data": {**body["data"], "id": name}}
            self.things[f"{path}/{name}"] = told
            return told
        told = self.added(path, {"id": body["name"] if "webhooks" in path else number, **body})
        self.things[f"{path}/{told['id']}"] = told
        return {"data": [told]} if path == "/api/v1/slo" else told


class _Handler(BaseHTTPRequestHandler):
    kept: Kept
    protocol_version = "HTTP/1.1"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.kept.headers.append(dict(self.headers))
        status, told = self.kept.answer(
            self.command, unquote(urlsplit(self.path).path), json.loads(sent) if sent else None
        )
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def keeping(kept: Kept | None = None) -> Iterator[tuple[str, Kept]]:
    """Serve on loopback until the block ends: the address, and what is kept."""
    kept = kept or Kept()
    with listening(_Handler, kept=kept) as port:
        yield f"http://127.0.0.1:{port}", kept
