"""Servers of four protocols that do as a script says, and remember what they really took."""

import gzip
import json
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceResponse,
)

from mlvitals.clock import Clock
from tests.intake import datadog, opensearch
from tests.soak.acts import MANNERS, Act, Manner, Player, Script, is_cursed, refusals, serving
from tests.soak.items import Book, Item, read_bulk, read_datadog, read_otlp

PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}


class OtlpHandler(Player):
    book: ClassVar[Book]
    secret: ClassVar[str]

    def do_POST(self) -> None:  # noqa: N802  # as http.server asks for it
        body = self.read_body()
        if body is None:
            return
        route = self.path.rpartition("/")[2]
        if self.headers["Authorization"] != self.secret or self.headers["Content-Encoding"] != "gzip":
            self.book.faults.append(f"{self.path}: headers {dict(self.headers)}")
        items = read_otlp(route, body)
        self.book.sent(route, items, body)
        act = self.script.next()
        if not self.script.healed and act.manner is Manner.WHOLE and any(map(is_cursed, items)):
            act = self.script.change(Act("400 for an item", 400, *say_otlp(400, "cursed")))

        def own() -> tuple[int, bytes, Mapping[str, str]]:
            refused = lose(items) if act.partial else {}
            self.book.take({item: content for item, content in items.items() if item not in refused})
            return 200, say_partial(route, len(refused)), PROTOBUF

        self.play(act, own)


def lose(items: Mapping[Item, Any]) -> dict[Item, Any]:
    """Return the items that a partial success leaves out: the last third."""
    return dict(list(items.items())[-(len(items) // 3 or 1) :])


def say_partial(route: str, lost: int) -> bytes:
    if not lost:
        return b""
    if route == "metrics":
        points = ExportMetricsPartialSuccess(rejected_data_points=lost, error_message="too old")
        return bytes(ExportMetricsServiceResponse(partial_success=points).SerializeToString())
    records = ExportLogsPartialSuccess(rejected_log_records=lost, error_message="too old")
    return bytes(ExportLogsServiceResponse(partial_success=records).SerializeToString())


def say_otlp(status: int, reason: str) -> tuple[bytes, Mapping[str, str]]:
    return Status(code=status, message=reason).SerializeToString(), PROTOBUF


GRPC = {
    "301": "UNIMPLEMENTED",
    "400": "INVALID_ARGUMENT",
    "400 for an item": "INVALID_ARGUMENT",
    "401": "UNAUTHENTICATED",
    "403": "PERMISSION_DENIED",
    "404": "UNIMPLEMENTED",
    "408": "DEADLINE_EXCEEDED",
    "413": "OUT_OF_RANGE",
    "429 with Retry-After": "RESOURCE_EXHAUSTED",
    "429 with X-RateLimit": "RESOURCE_EXHAUSTED",
    "500": "INTERNAL",
    "503": "UNAVAILABLE",
    "200 with HTML": "UNKNOWN",
    "wrong content type": "DATA_LOSS",
    "reset mid-body": "UNAVAILABLE",
}


class GrpcReceiver(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpcio ships no types
    """Takes messages as bytes, or ends as a script says."""

    def __init__(self, book: Book, script: Script) -> None:
        self.book, self.script = book, script

    def service(self, handler_call_details: Any) -> Any:
        route = "metrics" if "MetricsService" in handler_call_details.method else "logs"
        metadata = dict(handler_call_details.invocation_metadata)
        if metadata.get("authorization") != self.script.secret:
            self.book.faults.append(f"metadata {metadata}")
        return grpc.unary_unary_rpc_method_handler(lambda body, context: self.take(route, body, context))

    def take(self, route: str, body: bytes, context: Any) -> bytes:
        items = read_otlp(route, body)
        self.book.sent(route, items, body)
        act = self.script.next()
        if not self.script.healed and act.manner is Manner.WHOLE and any(map(is_cursed, items)):
            act = self.script.change(Act("400 for an item", 400))
        refused = lose(items) if act.partial else {}
        if act.taken or act.partial:
            self.book.take({item: content for item, content in items.items() if item not in refused})
        if act.manner in {Manner.HANG, Manner.SLOW}:
            threading.Event().wait(1.0)
        if act.kind not in GRPC:
            return say_partial(route, len(refused))
        code = grpc.StatusCode[GRPC[act.kind]]
        if act.kind.startswith("429"):
            status = Status(code=code.value[0], message="slow down")
            status.details.add().Pack(RetryInfo(retry_delay=Duration(nanos=300_000_000)))
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(code, f"no: {self.script.secret}")
        raise AssertionError("abort raises")


class DatadogHandler(datadog.Handler, Player):
    book: ClassVar[Book]
    ROUTES: ClassVar = {datadog.SERIES: "metrics", datadog.LOGS: "logs", datadog.EVENTS: "events"}

    def do_POST(self) -> None:  # noqa: N802  # as http.server asks for it
        body = self.read_body()
        if body is not None:
            self.answer(self.path if self.path in datadog.ENCODINGS else None, body)

    def answer(self, path: str | None, body: bytes) -> None:
        assert path in self.ROUTES, self.path
        route = self.ROUTES[path]
        content = json.loads(datadog.inflate(body, self.headers.get("Content-Encoding")))
        items = read_datadog(route, content)
        self.book.sent(route, items, body)
        act = self.script.next()
        if not self.script.healed and act.manner is Manner.WHOLE and any(is_cursed(item[:3]) for item in items):
            act = self.script.change(Act("400 for an item", 400, *say_datadog(400, "cursed")))

        def own() -> tuple[int, bytes, Mapping[str, str]]:
            status, said = self.work(path, body, take=not act.partial)
            taken = items
            if act.partial:
                taken = self.take_some(path, route, content)
                said = b'{"errors":["some were refused"]}'
            self.book.take(taken)
            return status, said, JSON

        self.play(act, own)

    def take_some(self, path: str, route: str, content: Any) -> dict[Item, Any]:
        if route == "events":
            return {}
        some = {"series": content["series"][::2]} if route == "metrics" else content[::2]
        self.told.take(path, some)
        return read_datadog(route, some)


def say_datadog(_: int, reason: str) -> tuple[bytes, Mapping[str, str]]:
    return json.dumps({"errors": [reason]}).encode(), JSON


class OpenSearchHandler(opensearch.Handler, Player):
    book: ClassVar[Book]

    def handle_one(self) -> None:
        body = self.read_body()
        if body is None:
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        if headers.get("authorization") != f"ApiKey {self.script.secret}":
            self.book.faults.append(f"{self.path}: headers {headers}")
        is_bulk = self.path.startswith("/_bulk")
        items = read_bulk(gzip.decompress(body)) if is_bulk else {}
        if is_bulk:
            self.book.sent("bulk", items, body)
        act = self.script.next() if is_bulk else self.script.next(96)

        def own() -> tuple[int, bytes, Mapping[str, str]]:
            with self.book.lock:
                self.told.fate = self.doom if act.partial else self.curse
                status, answer = self.told.answer(self.command, self.path, body, headers)
            return status, json.dumps(answer).encode(), {"Content-Type": "application/json; charset=UTF-8"}

        self.play(act, own)

    do_GET = do_POST = do_PUT = handle_one  # noqa: N815  # as http.server asks for them

    def doom(self, target: dict[str, Any], source: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        status = self.script.draw.choice([200, 200, 200, 429, 503, 500, 400, 403])
        error = {"type": "some_exception", "reason": f"no: {self.script.secret}"}
        return self.curse(target, source) or (None if status == 200 else (status, error))

    def curse(self, target: dict[str, Any], _: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        if self.script.healed or not is_cursed(target["_id"]):
            return None
        return 400, {"type": "mapper_parsing_exception", "reason": "cursed"}


def say_opensearch(status: int, reason: str) -> tuple[bytes, Mapping[str, str]]:
    return json.dumps({"error": {"type": "some_exception", "reason": reason}, "status": status}).encode(), JSON


@dataclass
class World:
    """All servers. scripts, books: by destination."""

    urls: dict[str, str]
    scripts: dict[str, Script]
    books: dict[str, Book]
    intake: datadog.DatadogIntake
    cluster: opensearch.Standin

    @property
    def requests(self) -> int:
        return sum(script.requests for script in self.scripts.values())

    def heal(self, *, healed: bool = True) -> None:
        for script in self.scripts.values():
            script.healed, script.away = healed, False


NAMES = ("otlp", "grpc", "datadog", "opensearch")


@contextmanager
def world(draws: Mapping[str, Any], secrets: Mapping[str, str], clock: Clock) -> Iterator[World]:
    """Serve all protocols, each by a script of its own; Datadog tells ages by a clock."""
    odd = Act("202 with errors", 202, say_datadog(202, f"no: {secrets['datadog']}")[0], JSON)
    words = {"otlp": say_otlp, "grpc": say_otlp, "datadog": say_datadog, "opensearch": say_opensearch}
    acts = {name: [*MANNERS, *refusals(say, secrets[name]), odd] for name, say in words.items()}
    acts["grpc"].remove(odd)
    books = {name: Book() for name in NAMES}
    scripts = {name: Script(acts[name], draws[name], secrets[name]) for name in NAMES}
    schema = json.loads(Path(datadog.__file__).with_name("datadog.schema.json").read_text("utf-8"))
    intake = datadog.DatadogIntake(clock=clock, key=secrets["datadog"])
    cluster = opensearch.Standin()

    def bound(kind: type[Player], name: str, **more: Any) -> type[Player]:
        return type("Bound", (kind,), {"book": books[name], "script": scripts[name], **more})

    with ExitStack() as stack:
        urls = {
            "otlp": stack.enter_context(serving(bound(OtlpHandler, "otlp", secret=secrets["otlp"]))),
            "datadog": stack.enter_context(serving(bound(DatadogHandler, "datadog", told=intake, schema=schema))),
            "opensearch": stack.enter_context(serving(bound(OpenSearchHandler, "opensearch", told=cluster))),
        }
        server = grpc.server(ThreadPoolExecutor(8))
        server.add_generic_rpc_handlers((GrpcReceiver(books["grpc"], scripts["grpc"]),))
        urls["grpc"] = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        stack.callback(lambda: server.stop(None).wait())
        yield World(urls, scripts, books, intake, cluster)
