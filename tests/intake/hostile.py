"""One server for OTLP, Datadog and OpenSearch that answers as servers do on their worst days, by a seed.

What it truly took is noted item by item, whatever it answered; a second value for the same thing is a fault.
"""

import gzip
import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

JSON, PROTOBUF = "application/json", "application/x-protobuf"
STATUSES = (301, 400, 401, 403, 404, 408, 413, 429, 500, 503)
FAULTS = (
    *map(str, STATUSES),
    *("html", "in part", "wrong type", "429 reset", "429 date", "hang", "reset", "slow", "taken and reset"),
)
AGAIN = frozenset({"429", "429 reset", "429 date", "503", "hang", "reset", "taken and reset"})
HANG_SECONDS = 1.5  # longer than the destinations' timeouts

Items = dict[tuple[Any, ...], Any]


def read_items(path: str, body: bytes) -> Items:
    """Return what a request holds: by what each item is, what it tells."""
    if body[:2] == b"\x1f\x8b":
        body = gzip.decompress(body)
    if path.endswith("/v1/metrics"):
        return {
            ("point", metric.name, point.attributes_key, point.time_unix_nano): point.value
            for metric, point in map(_point, _points(body))
        }
    if path.endswith("/v1/logs"):
        return {("record", one): 1 for one in _records(body)}
    if path.endswith("/_bulk"):
        lines = [json.loads(line) for line in body.splitlines()]
        return dict(map(_document, zip(lines[::2], lines[1::2], strict=True)))
    told = json.loads(body)
    if path.endswith("/series"):
        return {
            ("series", one["metric"], *sorted(one["tags"]), point["timestamp"]): point["value"]
            for one in told["series"]
            for point in one["points"]
        }
    return {("log", one["mlvitals"]["id"]): one["message"] for one in told}


@dataclass(frozen=True)
class _Point:
    attributes_key: tuple[Any, ...]
    time_unix_nano: int
    value: float


def _points(body: bytes) -> Iterator[tuple[Any, Any]]:
    for outer in ExportMetricsServiceRequest.FromString(body).resource_metrics:
        for scope in outer.scope_metrics:
            for metric in scope.metrics:
                yield from ((metric, point) for point in metric.gauge.data_points)


def _point(pair: tuple[Any, Any]) -> tuple[Any, _Point]:
    metric, point = pair
    key = tuple(sorted((one.key, one.value.SerializeToString(deterministic=True)) for one in point.attributes))
    return metric, _Point(key, point.time_unix_nano, point.as_double)


def _records(body: bytes) -> Iterator[bytes]:
    for outer in ExportLogsServiceRequest.FromString(body).resource_logs:
        for scope in outer.scope_logs:
            yield from (record.SerializeToString(deterministic=True) for record in scope.log_records)


def _document(pair: tuple[Any, Any]) -> tuple[tuple[Any, ...], Any]:
    (target,) = pair[0].values()
    return ("document", target["_index"], target["_id"], target.get("version", 0)), json.dumps(pair[1], sort_keys=True)


@dataclass
class Hostile:
    """What was taken, by destination, and how often which fault was played. likely: of a fault, 0 for a healthy day.

    conflicts: things that were told twice, and not alike. changed: requests that had to come again and came otherwise.
    """

    seed: int
    likely: float = 0.0
    faults: tuple[str, ...] = FAULTS
    url: str = ""
    taken: dict[str, Items] = field(default_factory=lambda: {"otlp": {}, "datadog": {}, "opensearch": {}})
    played: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    twice: int = 0
    conflicts: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    awaited: dict[str, bytes] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)

    def fault(self, path: str, body: bytes) -> str:
        """Choose what becomes of a request, and hold it against one that had to come again."""
        with self.lock:
            self.requests += 1
            awaited = self.awaited.pop(path, body)
            if awaited != body and not path.startswith("/datadog"):  # what is too old by the clock is told anew there
                self.changed.append(path)
            fault = self.draw.choice(self.faults) if self.draw.random() < self.likely else ""
            if fault in AGAIN:
                self.awaited[path] = body
            if fault:
                self.played[fault] += 1
        return fault

    def take(self, path: str, items: Items) -> None:
        """Take items: each once, or again with the very same value."""
        taken = self.taken[path.split("/")[1]]
        with self.lock:
            for key, value in items.items():
                if key in taken and taken[key] != value:
                    self.conflicts.append(f"{key}: {taken[key]} and {value}")
                self.twice += key in taken
                taken[key] = value


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hostile: Hostile

    def do_GET(self) -> None:
        path = self.path.partition("/opensearch")[2]
        root = {"version": {"distribution": "opensearch", "number": "3.8.0"}}
        self.say(200 if path in {"", "/"} else 404, json.dumps(root if path in {"", "/"} else {"error": {}}).encode())

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.say(200, b'{"acknowledged":true}')

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path = self.path.partition("?")[0]
        fault = self.hostile.fault(path, body)
        items = read_items(path, body)
        match fault:
            case "" | "slow" | "taken and reset":
                self.hostile.take(path, items)
                self.succeed(path, items, slow=fault == "slow", cut=fault == "taken and reset")
            case "in part":
                self.take_in_part(path, items)
            case "hang":
                time.sleep(HANG_SECONDS)
                self.cut()
            case "reset":
                self.cut()
            case "html":
                self.say(200, b"<html>welcome</html>", "text/html")
            case "wrong type":
                self.say(200, b"ok", "text/plain")
            case _:
                self.refuse(fault)

    def refuse(self, fault: str) -> None:
        status = int(fault[:3])
        headers = {
            "429": {"Retry-After": "1"},
            "429 reset": {"X-RateLimit-Reset": "1", "X-RateLimit-Remaining": "0"},
            "429 date": {"Retry-After": formatdate(time.time() + 1, usegmt=True)},
            "301": {"Location": "/elsewhere"},
        }.get(fault, {})
        told = {"errors": ["no"], "error": {"type": "no", "reason": "no"}, "message": "no"}
        self.say(status, json.dumps(told).encode(), headers=headers)

    def succeed(self, path: str, items: Items, *, slow: bool, cut: bool) -> None:
        body, kind, status = b'{"errors":[]}', JSON, 202
        if path.startswith("/otlp"):
            body, kind, status = b"", PROTOBUF, 200
        if path.startswith("/opensearch"):
            body, status = self.bulk([201] * len(items), items), 200
        if cut:
            self.cut(kind, status)
        elif slow:
            self.drip(status, body, kind)
        else:
            self.say(status, body, kind)

    def take_in_part(self, path: str, items: Items) -> None:
        """Refuse the first half, in the words of each protocol."""
        keys = list(items)
        half = max(len(keys) // 2, 1)
        if path.startswith("/datadog"):  # an answer to all of it
            self.say(202, b'{"errors":["some of it was not good"]}')
            return
        self.hostile.take(path, {key: items[key] for key in keys[half:]})
        if path.startswith("/opensearch"):
            quarter = half // 2
            self.say(200, self.bulk([400] * quarter + [429] * (half - quarter) + [201] * (len(keys) - half), items))
            return
        response: Any = ExportMetricsServiceResponse()
        if path.endswith("/v1/logs"):
            response = ExportLogsServiceResponse()
            response.partial_success.rejected_log_records = half
        else:
            response.partial_success.rejected_data_points = half
        response.partial_success.error_message = "some of it was not good"
        self.say(200, response.SerializeToString(), PROTOBUF)

    def bulk(self, statuses: list[int], items: Items) -> bytes:
        told = []
        for status, (_, index, identity, _) in zip(statuses, items, strict=True):
            one: dict[str, Any] = {"_index": index, "_id": identity, "status": status}
            if status == 400:
                one["error"] = {"type": "mapper_parsing_exception", "reason": "no"}
            elif status == 429:
                one["error"] = {"type": "circuit_breaking_exception", "reason": "busy"}
            else:
                one |= {"result": "created", "_shards": {"total": 1, "successful": 1, "failed": 0}}
            told.append({"index": one})
        errors = any(status >= 300 for status in statuses)
        return json.dumps({"took": 1, "errors": errors, "items": told}).encode()

    def say(self, status: int, body: bytes, kind: str = JSON, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def drip(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        middle = len(body) // 2
        for piece in (body[:middle], body[middle:]):
            self.wfile.write(piece)
            self.wfile.flush()
            time.sleep(0.1)

    def cut(self, kind: str | None = None, status: int = 200) -> None:
        """Reset the connection, before an answer or in the midst of it."""
        if kind is not None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"{")
            self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *_: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that were killed."""


@contextmanager
def hostile_server(seed: int) -> Iterator[Hostile]:
    told = Hostile(seed)
    server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"hostile": told}))
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
