"""Answers of servers that mean harm, or are merely broken: bounded in time and bytes, and no secret comes back."""

import contextlib
import gzip
import json
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from mlvitals.errors import ConfigError
from mlvitals.transport.http import ANSWER_BYTES, HttpTransport, TransportError
from mlvitals.transport.secret import Secret

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def scripted():
    """Serve connections one after another, each by a script that writes what it likes once the request has come."""
    listening = socket.create_server(("127.0.0.1", 0))
    scripts: list[Callable[[socket.socket], None]] = []

    def serve():
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5)
                for script in scripts.copy():
                    received = b""
                    while b"\r\n\r\nbody" not in received:
                        piece = connection.recv(65536)
                        if not piece:
                            break
                        received += piece
                    else:
                        script(connection)
                        continue
                    break

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()

    def begin(*given):
        scripts[:] = given
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    yield begin
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(timeout=6)


def saying(*pieces, pause=0.0, forever=False):
    def script(connection):
        while True:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
            if not forever:
                return

    return script


def post(base, *, timeout=5.0, headers=None, times=1, **options):
    transport = HttpTransport(base, timeout=timeout, **options)
    try:
        return [transport.request("POST", "/", b"body", headers or {}) for _ in range(times)]
    finally:
        transport.close()


@pytest.mark.parametrize(
    "script",
    [
        saying(OK, b"X-A: b\r\n", pause=0.05, forever=True),
        saying(b"HTTP/1.1 100 Continue\r\n\r\n", forever=True),
        saying(b"H", pause=0.05, forever=True),
        saying(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", pause=0.05, forever=True),
        saying(OK + b"\r\n", *[b"x"] * 100, pause=0.05),
    ],
    ids=["headers", "interim answers", "status line", "chunks", "body without a length"],
)
def test_what_trickles_without_end_is_given_up_in_time(scripted, script):
    base = scripted(script)
    began = time.monotonic()
    with pytest.raises(TransportError):
        post(base, timeout=0.4)
    assert time.monotonic() - began < 2.0


@pytest.mark.parametrize(
    "head",
    [
        OK + b"".join(b"X-%d: y\r\n" % number for number in range(5000)) + b"\r\n",
        OK + b"X: " + b"y" * 1_000_000 + b"\r\n\r\n",
        b"HTTP/1.1 " + b"9" * 1_000_000,
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000,
        b"\x00\xff" * 1000 + b"\r\n\r\n",
    ],
    ids=["many headers", "a long header", "a long status", "a thousand interim answers", "no HTTP"],
)
def test_a_head_past_its_bounds_is_no_answer(scripted, head):
    with pytest.raises(TransportError, match="the connection was lost before the whole answer came"):
        post(scripted(saying(head)))


def test_interim_answers_are_passed_over_and_the_next_answer_is_its_own(scripted):
    hints = (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
    )
    first = saying(hints + OK + b"Content-Length: 5\r\n\r\nfirst")
    second = saying(OK + b"Content-Length: 6\r\n\r\nsecond")
    assert [answer.body for answer in post(scripted(first, second), times=2)] == [b"first", b"second"]


def test_a_gzip_bomb_costs_no_more_than_the_bound(scripted):
    squeezed = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(squeezed.compress(bytes(1 << 20)) for _ in range(300)) + squeezed.flush()
    assert len(bomb) < ANSWER_BYTES
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    base = scripted(saying(head + bomb))
    tracemalloc.start()
    [answer] = post(base)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.body == bytes(ANSWER_BYTES)
    assert most < 12 * ANSWER_BYTES


@pytest.mark.parametrize("squeeze", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
def test_what_is_compressed_unasked_is_read(scripted, squeeze):
    body = squeeze(b'{"errors": false}')
    name = b"gzip" if squeeze is gzip.compress else b"deflate"
    head = OK + b"Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (name, len(body))
    assert post(scripted(saying(head + body)))[0].body == b'{"errors": false}'


@pytest.mark.parametrize(("encoding", "body"), [(b"gzip", b"not at all"), (b"br", b"\x0b\x02\x80")])
def test_what_cannot_be_decompressed_stays_as_it_came(scripted, encoding, body):
    head = OK + b"Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (encoding, len(body))
    assert post(scripted(saying(head + body)))[0].body == body


def test_an_answer_longer_than_it_says_does_not_become_the_next_one(scripted):
    lie = OK + b"Content-Length: 3\r\n\r\nlie"
    honest = saying(OK + b"Content-Length: 6\r\n\r\nhonest")
    at_once = saying(OK + b"Content-Length: 4\r\n\r\nbody" + lie)
    assert [answer.body for answer in post(scripted(at_once, honest), times=2)] == [b"body", b"honest"]
    transport = HttpTransport(scripted(saying(OK + b"Content-Length: 4\r\n\r\nbody", lie, pause=0.02)), timeout=5.0)
    assert transport.request("POST", "/", b"body", {}).body == b"body"
    time.sleep(0.1)
    scripted(honest)
    assert transport.request("POST", "/", b"body", {}).body == b"honest"
    transport.close()


@pytest.mark.parametrize("length", [b"100", b"99999999999999999999"])
def test_an_answer_shorter_than_it_says_is_none(scripted, length):
    def short(connection):
        connection.sendall(OK + b"Content-Length: " + length + b"\r\n\r\nshort")
        connection.shutdown(socket.SHUT_RDWR)

    with pytest.raises(TransportError, match="the connection was lost before the whole answer came"):
        post(scripted(short))


def test_a_sink_may_bound_answers_otherwise(scripted):
    head = OK + b"Content-Length: 3000\r\n\r\n"
    assert len(post(scripted(saying(head + b"x" * 3000)), answer_bytes=1000)[0].body) == 1000


def test_a_server_that_takes_nothing_in_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        transport = HttpTransport(f"http://127.0.0.1:{deaf.getsockname()[1]}", timeout=0.3)
        began = time.monotonic()
        with pytest.raises(TransportError):
            transport.request("POST", "/", bytes(50_000_000), {})
        assert time.monotonic() - began < 3.0
        transport.close()


def test_a_secret_that_a_server_repeats_becomes_asterisks_of_its_length(scripted):
    told = 'hunter2/"quoted"&more'
    said = [told, json.dumps(told), "hunter2%2F%22quoted%22%26more", f"Bearer {told}", "unharmed"]
    body = "|".join(said).encode()
    head = OK + b"X-Echo: " + told.encode() + b"\r\nContent-Length: %d\r\n\r\n" % len(body)
    given = {"authorization": Secret(told).spelled("Bearer {}".format)}
    [answer] = post(scripted(saying(head + body)), headers=given)
    assert b"hunter2" not in answer.body
    assert len(answer.body) == len(body)
    assert answer.body.endswith(b"|unharmed")
    assert "hunter2" not in answer.headers["x-echo"]


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        ("application/json", "application/json"),
        ("Application/JSON; hint=application", "application/json"),
        ("application/x-protobuf", "application/x-protobuf"),
        ("application/application+json", "***********/***********+json"),
    ],
)
def test_the_type_of_an_answer_does_not_hang_on_our_secrets(scripted, kind, read):
    head = OK + b"Content-Length: 0\r\nContent-Type: " + kind.encode() + b"\r\n\r\n"
    [answer] = post(scripted(saying(head)), headers={"x-team": Secret("application")})
    assert answer.headers["content-type"] == read


@pytest.mark.parametrize("value", ["hunter2\r\nX-Injected: yes", "hunter2\x00", "hunter2\u2713"])
def test_a_secret_that_no_header_can_hold_is_refused_without_showing_it(scripted, value):
    base = scripted(saying(OK + b"Content-Length: 0\r\n\r\n"))
    with pytest.raises(TransportError, match="`api-key` holds what no HTTP header can") as told:
        post(base, headers={"api-key": Secret(value)})
    assert "hunter2" not in repr(told.value)
    assert told.value.lasting


def test_a_secret_file_that_is_gone_for_a_moment_is_waited_for(scripted, tmp_path):
    base = scripted(saying(OK + b"Content-Length: 0\r\n\r\n"))
    file = tmp_path / "api-key"
    with pytest.raises(TransportError, match="api-key: No such file") as told:
        post(base, headers={"api-key": Secret(file=file)})
    assert not told.value.lasting
    file.write_text("hunter2\n")
    assert post(base, headers={"api-key": Secret(file=file)})[0].status == 200


def test_a_secret_is_neither_copied_nor_written():
    import copy  # noqa: PLC0415
    import pickle  # noqa: PLC0415

    import msgspec  # noqa: PLC0415

    secret = Secret("hunter2")
    for write in (pickle.dumps, copy.deepcopy, msgspec.json.encode, json.dumps):
        with pytest.raises(TypeError) as told:
            write(secret)
        assert "hunter2" not in str(told.value)


def test_a_secret_spelled_for_a_protocol_follows_its_file(tmp_path):
    file = tmp_path / "key"
    file.write_text("old")
    spelled = Secret(file=file).spelled("ApiKey {}".format)
    assert spelled.read() == "ApiKey old"
    file.write_text("new\n")
    assert spelled.read() == "ApiKey new"
    assert "new" not in repr(spelled)
    file.write_text("")
    with pytest.raises(ConfigError, match="key: is empty"):
        spelled.read()
