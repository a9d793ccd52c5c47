"""A strict stand-in for Datadog's intake: its description's schemas, and the rules that they leave out.

It answers as Datadog does, which is to say 202 to much that it throws away: too old, too far ahead, too long. That is
counted in `dropped`. What a sink must never send is a fault, and no test may leave one.
"""

import gzip
import json
import re
import threading
import time
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, NamedTuple

import zstandard
from jsonschema import Draft202012Validator

from mlvitals.clock import HOUR, MILLISECOND, MINUTE, SECOND, Clock, SystemClock, parse_time
from tests.intake.loopback import listening

KEY = "0123456789abcdef0123456789abcdef"

SERIES, LOGS, EVENTS, VALIDATE = "/api/v2/series", "/api/v2/logs", "/api/v2/events", "/api/v1/validate"
ENCODINGS = {SERIES: {"deflate", "zstd1", "gzip"}, LOGS: {"deflate", "gzip", "identity"}, EVENTS: set()}
SENT = {SERIES: 512_000, LOGS: 5_000_000, EVENTS: 1_000_000}
INFLATED = {SERIES: 5_242_880, LOGS: 5_000_000, EVENTS: 1_000_000}
LOG_ENTRIES, LOG_BYTES, LOG_ATTRIBUTES, LOG_KEY, LOG_DEPTH, LOG_TAGS = 1_000, 1_000_000, 256, 50, 20, 100

_METRIC = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,199}")


@dataclass(frozen=True)
class Scripted:
    """One answer in place of the intake's own: `drop` cuts the connection, `delay` sleeps before (seconds).

    taken: the intake does its work before it answers. act: what happens meanwhile. path: of which requests only; the
    first that fits is used.
    """

    status: int = 202
    body: bytes = b'{"errors":[]}'
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    delay: float = 0.0
    drop: bool = False
    taken: bool = False
    act: Callable[[], object] = lambda: None
    path: str | None = None


class Sent(NamedTuple):
    """A request as it came in; `told` is its body's JSON."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    told: Any


class Refusal(Exception):  # noqa: N818  # an answer
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass
class DatadogIntake:
    """What came in, and what of it is kept. clock: by which ages are told. historical: metrics kept whatever their age.

    series: values by metric and tags, then by second; the last write wins. dropped: answered with 202, and gone.
    looked: what is wrong with each body. To find it takes longer than a short timeout, and whoever sends again
    meanwhile must not be answered later each time.
    """

    url: str = ""
    key: str = KEY
    clock: Clock = field(default_factory=SystemClock)
    historical: set[str] = field(default_factory=set)
    script: list[Scripted] = field(default_factory=list)
    requests: list[Sent] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    series: dict[tuple[str, frozenset[str]], dict[int, float]] = field(default_factory=dict)
    units: dict[str, str | None] = field(default_factory=dict)
    logs: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    looked: dict[tuple[str, bytes], list[str]] = field(default_factory=dict)
    turn: threading.RLock = field(default_factory=threading.RLock)

    @property
    def endpoints(self) -> dict[str, str]:
        """What a sink is configured with to send here."""
        return dict.fromkeys(("metrics", "logs", "events"), self.url)

    def will(self, *answers: Scripted) -> None:
        self.script += answers

    def query(self, metric: str, *tags: str) -> dict[int, float]:
        """Return the points of the one series of a metric that has these tags, by second."""
        found = [points for (name, own), points in self.series.items() if name == metric and own.issuperset(tags)]
        assert len(found) == 1, f"{len(found)} series of {metric} have {tags}"
        return found[0]

    def scripted(self, path: str) -> Scripted | None:
        with self.turn:
            for place, answer in enumerate(self.script):
                if answer.path in {None, path}:
                    return self.script.pop(place)
        return None

    def take(self, path: str, told: Any) -> None:
        with self.turn:
            {SERIES: self.take_series, LOGS: self.take_logs, EVENTS: self.take_event}[path](told)

    def take_series(self, told: Any) -> None:
        now = self.clock.now()
        for one in told["series"]:
            points = self.series.setdefault((one["metric"], frozenset(one.get("tags", ()))), {})
            self.units[one["metric"]] = one.get("unit")
            for point in one["points"]:
                age = now - point["timestamp"] * SECOND
                if age < -10 * MINUTE or (age > HOUR and one["metric"] not in self.historical):
                    self.dropped[SERIES] += 1
                else:
                    points[point["timestamp"]] = point["value"]
        self.series = {identity: points for identity, points in self.series.items() if points}

    def take_logs(self, told: Any) -> None:
        now = self.clock.now()
        for one in told:
            old = now - one.get("timestamp", now // MILLISECOND) * MILLISECOND > 18 * HOUR
            if old:
                self.dropped[LOGS] += 1
            else:
                self.logs.append(one)

    def take_event(self, told: Any) -> None:
        attributes = told["data"]["attributes"]
        if self.clock.now() - parse_time(attributes["timestamp"]) > 18 * HOUR:
            self.dropped[EVENTS] += 1
        else:
            self.events.append(attributes)


@cache
def is_normal(tag: str) -> bool:
    """Tell whether Datadog stores a tag as it is: written anew from its documentation, not from our spelling."""
    letters_and_digits = {"L", "N"}
    whole = len(tag.encode()) <= 200 and tag == "".join(char.lower() for char in tag)
    start = tag != "" and unicodedata.category(tag[0])[0] == "L"
    inside = all(
        char in "_-:./" or (unicodedata.category(char)[0] in letters_and_digits and unicodedata.category(char) != "No")
        for char in tag
    )
    return whole and start and inside and "__" not in tag and not tag.endswith(("_", ":")) and ":" in tag


def look(path: str, told: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a request's content."""
    validator = Draft202012Validator(
        {"$ref": f"#/components/schemas/{schema['paths'][path]['request']}", "components": schema["components"]}
    )
    wrong = next(validator.iter_errors(told), None)
    if wrong is not None:
        yield f"{wrong.json_path}: {wrong.message[:200]}"
        return
    yield from {SERIES: look_at_series, LOGS: look_at_logs, EVENTS: look_at_event}[path](told)


def look_at_series(told: Any) -> Iterator[str]:
    for one in told["series"]:
        if _METRIC.fullmatch(one["metric"]) is None:
            yield f"{one['metric']!r} is no metric's name"
        unknown = one.keys() - {"metric", "points", "type", "tags", "unit", "interval", "resources"}
        if unknown or not one["points"]:
            yield f"{one['metric']}: {sorted(unknown)}, {len(one['points'])} points"
        if one.get("type") in {1, 2} and "interval" not in one:
            yield f"{one['metric']}: a count or a rate without its interval"
        if any(point.keys() != {"timestamp", "value"} for point in one["points"]):
            yield f"{one['metric']}: a point without its time or value"
        yield from look_at_tags(one.get("tags", []))


def look_at_logs(told: Any) -> Iterator[str]:
    for one in told:
        size = len(json.dumps(one, ensure_ascii=False).encode())
        if size > LOG_BYTES:
            yield f"a log of {size} bytes would be cut off"
        names = list(paths(one))
        if len(names) > LOG_ATTRIBUTES or any(len(name) >= LOG_KEY or depth > LOG_DEPTH for name, depth in names):
            yield f"a log with {len(names)} attributes, or one too deep, or with a longer name than is indexed"
        tags = one.get("ddtags", "").split(",")
        if len(tags) > LOG_TAGS:
            yield f"a log with {len(tags)} tags"
        yield from look_at_tags(tags)


def look_at_event(told: Any) -> Iterator[str]:
    yield from look_at_tags(told["data"]["attributes"].get("tags", []))


def look_at_tags(tags: list[str]) -> Iterator[str]:
    yield from (f"{tag!r} is not as Datadog stores it" for tag in tags if not is_normal(tag))
    if len(set(tags)) < len(tags):
        yield f"a tag stands twice in {tags}"


def paths(value: Any, depth: int = 1) -> Iterator[tuple[str, int]]:
    """Yield the name and the depth of each attribute."""
    for name, inner in value.items():
        yield name, depth
        if isinstance(inner, dict):
            yield from paths(inner, depth + 1)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    told: DatadogIntake
    schema: Mapping[str, Any]

    def do_GET(self) -> None:
        self.answer(VALIDATE if self.path == VALIDATE else None, b"")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length")
        body = self.rfile.read(int(length)) if length is not None else b""
        self.answer(self.path if self.path in ENCODINGS else None, body)

    def answer(self, path: str | None, body: bytes) -> None:
        answer = self.told.scripted(path or self.path)
        try:
            status, said = self.work(path, body, take=answer is None or answer.taken)
        except Refusal as refusal:
            status, said = refusal.status, json.dumps({"errors": [str(refusal)]}).encode()
        if answer is None:
            self.say(status, said, {"Content-Type": "application/json"})
            return
        answer.act()
        time.sleep(answer.delay)
        if answer.drop:
            self.close_connection = True
        else:
            self.say(answer.status, answer.body, answer.headers)

    def work(self, path: str | None, body: bytes, *, take: bool) -> tuple[int, bytes]:
        if path is None:
            raise Refusal(404, "Not Found")
        if self.headers.get("DD-API-KEY") != self.told.key:
            raise Refusal(403, "Forbidden")
        if path == VALIDATE:
            return 200, b'{"valid":true}'
        content = self.read(path, body)
        wrong = self.told.looked.get((path, body))
        if wrong is None:
            wrong = self.told.looked[path, body] = list(look(path, content, self.schema))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.told.turn:
            self.told.requests.append(Sent(path, headers, body, content))
            self.told.faults += wrong
        if wrong:
            raise Refusal(400, wrong[0])
        if take:
            self.told.take(path, content)
        if path == EVENTS:
            return 202, b'{"data":{"type":"event","attributes":{"attributes":{"evt":{"uid":"AZ"}}}}}'
        return 202, b'{"errors":[]}' if path == SERIES else b"{}"

    def read(self, path: str, body: bytes) -> Any:
        """Return the JSON of a body; what is wrong with its outside is a fault."""
        if self.headers.get("Content-Type") != "application/json":
            self.refuse(400, f"{path}: content type {self.headers.get('Content-Type')}")
        encoding = self.headers.get("Content-Encoding")
        if encoding is not None and encoding not in ENCODINGS[path]:
            self.refuse(415, f"{path}: content encoding {encoding}")
        content = inflate(body, encoding)
        if len(body) > SENT[path] or len(content) > INFLATED[path]:
            self.refuse(413, f"{path}: {len(body)} bytes, {len(content)} inflated")
        try:
            told = json.loads(content, parse_constant=not_finite, object_pairs_hook=once)
        except ValueError as error:
            self.refuse(400, f"{path}: {error}")
        if path == LOGS and len(told) > LOG_ENTRIES:
            self.refuse(413, f"{path}: {len(told)} logs")
        return told

    def refuse(self, status: int, fault: str) -> None:
        self.told.faults.append(fault)
        raise Refusal(status, fault)

    def say(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def inflate(body: bytes, encoding: str | None) -> bytes:
    match encoding:
        case "gzip":
            return gzip.decompress(body)
        case "deflate":
            return zlib.decompress(body)
        case "zstd1":
            return zstandard.ZstdDecompressor().decompress(body)
    return body


def not_finite(spelled: str) -> None:
    raise ValueError(f"{spelled} is no JSON")


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) < len(pairs):
        raise ValueError(f"a name stands twice among {[name for name, _ in pairs]}")
    return told


@contextmanager
def datadog_intake(clock: Clock | None = None) -> Iterator[DatadogIntake]:
    """Serve on a free port of the loopback interface."""
    schema = json.loads(Path(__file__).with_name("datadog.schema.json").read_text("utf-8"))
    told = DatadogIntake(clock=clock or SystemClock())
    with listening(Handler, told=told, schema=schema) as port:
        told.url = f"http://127.0.0.1:{port}"
        yield told
