"""No secret appears anywhere, whatever a destination answers: not on the screen, in the state, a report or a copy."""

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, get_args

import click
import msgspec
import pytest

from mlvitals.cli.main import cli
from mlvitals.config.model import Document
from mlvitals.config.shape import OURS
from mlvitals.transport.secret import Secret

SECRET = "Zq7-hidden/9f3a+NOWHERE=x5w"  # noqa: S105  # of this test

# What stands around the secret in a sink's configuration, by the kind of sink and the path of the key.
PLACES: dict[tuple[str, str], dict[str, Any]] = {
    ("otlp", "headers"): {"endpoint": "{url}", "headers": {"authorization": "Bearer {secret}", "api-key": "{secret}"}},
    ("opensearch", "password"): {"hosts": ["{url}"], "username": "user", "password": "{secret}"},
    ("opensearch", "api_key"): {"hosts": ["{url}"], "api_key": "{secret}"},
    ("opensearch", "proxy"): {"hosts": ["http://cluster.invalid:9200"], "proxy": "http://user:{quoted}@{place}"},
    ("otlp", "proxy"): {"endpoint": "http://collector.invalid:4318", "proxy": "http://user:{quoted}@{place}"},
    ("datadog", "api_key"): {
        "endpoints": {"metrics": "{url}", "logs": "{url}", "events": "{url}"},
        "api_key": "{secret}",
    },
    ("datadog", "proxy"): {
        "endpoints": {"metrics": "{away}", "logs": "{away}", "events": "{away}"},
        "api_key": "0" * 32,
        "proxy": "http://user:{quoted}@{place}",
    },
}
# What is no sink's, and holds secrets: tested where it is used.
ELSEWHERE = {"instrumentation.headers"}

ANSWERS = {
    "401 that echoes": (401, "application/json", '{{"error": "no access with {headers}"}}'),
    "403 in HTML": (403, "text/html", "<html><body>{headers}</body></html>"),
    "200 in HTML": (200, "text/html", "<html>{headers}</html>"),
    "a redirect": (301, "text/plain", "go to {headers}"),
    "400 that quotes": (
        400,
        "application/json",
        '{{"error": {{"reason": "{headers}", "type": "{headers}"}}, "status": 400}}',
    ),
    "500": (500, "text/plain", "{headers}"),
}


def secrets_of(struct: type, before: str = "") -> Iterator[str]:
    """Yield the paths of the keys of a struct that hold secrets."""
    for field in msgspec.structs.fields(struct):
        path = f"{before}{field.encode_name}"
        for kind in (field.type, *_inside(field.type)):
            if kind is Secret:
                yield path
            elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
                yield from secrets_of(kind, f"{path}.")


def _inside(kind: Any) -> Iterator[Any]:
    for inner in get_args(kind):
        yield inner
        yield from _inside(inner)


def taken() -> set[tuple[str, str]]:
    """Return where our sinks take secrets."""
    return {(str(kind.__struct_config__.tag), path) for kind in OURS["sinks"] for path in secrets_of(kind)}


def present() -> list[tuple[str, str]]:
    return sorted(taken() & PLACES.keys())


def filled(pattern: Any, values: dict[str, str]) -> Any:
    """Return a part of a configuration with its values put in."""
    if isinstance(pattern, dict):
        return {key: filled(value, values) for key, value in pattern.items()}
    if isinstance(pattern, list):
        return [filled(value, values) for value in pattern]
    for name, value in values.items():
        pattern = pattern.replace(f"{{{name}}}", value)
    return pattern


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was sent, as `answer` says."""

    protocol_version = "HTTP/1.1"
    answer = ANSWERS["401 that echoes"]
    asked: list[str] = []  # noqa: RUF012  # each server has a class of its own
    place = ""

    def handle_all(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        sent = " ".join(f"{name}: {value}" for name, value in self.headers.items())
        self.asked.append(sent)
        status, kind, text = self.answer
        body = text.format(headers=sent.replace('"', "'")).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Location", f"http://127.0.0.1:9/?{sent}")
        self.send_header("WWW-Authenticate", sent)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def __getattr__(self, name):
        if name.startswith("do_"):  # whatever the method
            return self.handle_all
        raise AttributeError(name)

    def log_message(self, *_):
        pass


@pytest.fixture
def echo():
    class Bound(Echo):
        asked: list[str] = []  # noqa: RUF012  # of this server

    bound = Bound
    server = ThreadingHTTPServer(("127.0.0.1", 0), bound)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    bound.place = f"127.0.0.1:{server.server_address[1]}"
    yield bound
    server.shutdown()
    server.server_close()
    thread.join()


FORMS = [
    SECRET.encode(),
    SECRET[:10].encode(),  # a message that was cut
    SECRET[-10:].encode(),
    *(base64.b64encode(text.encode())[:-4] for text in (SECRET, f"user:{SECRET}")),
]


def assert_hidden(what: str, data: bytes) -> None:
    for form in FORMS:
        place = data.find(form)
        assert place < 0, f"{what}: …{data[max(0, place - 80) : place]!r} and then the secret"


@pytest.fixture
def look(world, mlvitals):
    """Run every command that reads or writes anything, and search what they say and leave."""
    words: list[tuple[str, ...]] = [
        ("check",),
        ("run", "--once", "--patience", "0s"),
        ("status",),
        ("state", "check"),
        ("state", "backup", "-o", str(world.folder / "copy.db")),
        ("report", "-o", str(world.folder / "report.html")),
    ]
    if "outbox" in cli.list_commands(click.Context(cli)):
        words.append(("outbox", "show"))

    def look(*, commands=tuple(words)):
        for command in commands:
            answer = mlvitals("--debug", *command, "-c", world.config)
            assert_hidden(f"{command[0]} says", f"{answer.out}{answer.err}".encode())
            assert answer.code in (0, 1, 2, 3)
        for file in world.folder.rglob("*"):
            if file.is_file() and file.name != "the-secret":
                assert_hidden(file.name, file.read_bytes())

    return look


def test_every_key_that_takes_a_secret_is_searched_for_here():
    assert taken() <= PLACES.keys(), "a sink takes a secret in a place of which this test does not know: add it"
    everywhere = set(secrets_of(Document))
    elsewhere = {path for path in everywhere if not path.startswith("sinks.")}
    assert elsewhere <= ELSEWHERE, "the configuration takes a secret in a place of which no test knows"


@pytest.mark.parametrize(("kind", "key"), present(), ids=lambda text: text)
def test_no_secret_is_told_whatever_a_destination_answers(world, echo, look, monkeypatch, kind, key):  # noqa: PLR0917  # fixtures
    quoted = SECRET.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D")
    monkeypatch.setenv("THE_SECRET", SECRET)
    monkeypatch.setenv("QUOTED_SECRET", quoted)
    values = {
        "url": f"http://{echo.place}",
        "place": echo.place,
        "away": "http://intake.invalid",
        "secret": "${THE_SECRET}",
        "quoted": "${QUOTED_SECRET}",
    }
    sink = {"type": kind, **filled(PLACES[kind, key], values)}
    world.configure(sinks=[{"type": "local"}, sink])
    for name, answer in ANSWERS.items():
        echo.answer = answer
        commands = [("run", "--once", "--patience", "0s"), ("status",)]
        look() if name == "401 that echoes" else look(commands=commands)
    told = " ".join(echo.asked)
    assert any(form.decode() in told for form in FORMS), "the secret was never sent: the test would see nothing"


@pytest.mark.parametrize(("kind", "key"), sorted(taken() & PLACES.keys()), ids=lambda text: text)
def test_no_secret_is_told_by_an_error_of_the_configuration(world, look, mlvitals, kind, key):
    (world.folder / "the-secret").write_text(f"{SECRET}\nand more\n")
    values = {
        "url": "http://localhost",
        "place": "localhost:1",
        "away": "http://intake.invalid",
        "secret": "${file:the-secret}",
        "quoted": "${file:the-secret}",
    }
    sink = {"type": kind, **filled(PLACES[kind, key], values)}
    for wrong in ({"unknown": 1}, {"name": 7}, {key: [SECRET_PLACEHOLDER]}, {key: {"fiel": [SECRET_PLACEHOLDER]}}):
        world.configure(sinks=[{**sink, **wrong}])
        answer = mlvitals("--debug", "check", "-c", world.config)
        assert answer.code == 2, answer
        assert_hidden("check says", f"{answer.out}{answer.err}".encode())
    world.configure(sinks=[{"type": "local"}, sink])  # a line's end in a header, or in an address
    look(commands=[("check",), ("run", "--once", "--patience", "0s"), ("status",)])


SECRET_PLACEHOLDER = "${file:the-secret}"  # noqa: S105  # where the secret stands
