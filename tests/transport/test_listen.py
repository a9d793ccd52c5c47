import http.client
import socket
import threading
import time
from contextlib import closing, suppress

import pytest

from mlvitals.errors import ConfigError
from mlvitals.transport import listen
from mlvitals.transport.listen import NOT_FOUND, Listener, Page, split_address


def answer(query):
    if query.path == "/broken":
        raise RuntimeError("hunter2")
    return Page(body=f"{query.path} {query.headers.get('accept', '')}".encode()) if query.path != "/none" else NOT_FOUND


@pytest.fixture
def listener():
    listening = Listener("127.0.0.1:0", answer)
    yield listening
    listening.close()


def ask(listener, path="/page", method="GET", headers=None):
    with closing(http.client.HTTPConnection(listener.address, timeout=5)) as connection:
        connection.request(method, path, headers=headers or {})
        got = connection.getresponse()
        return got.status, got.read()


def raw(listener, sent):
    """Send bytes and return all that is answered."""
    host, port = split_address(listener.address)
    with socket.create_connection((host, port), timeout=5) as connection:
        with suppress(OSError):
            connection.sendall(sent)
        answered = b""
        with suppress(ConnectionError):
            while piece := connection.recv(4096):
                answered += piece
        return answered


def test_a_page_is_served_without_its_parameters(listener):
    assert ask(listener, "/page?secret=1", headers={"Accept": "text/plain"}) == (200, b"/page text/plain")


def test_only_the_head_is_told_to_who_asks_for_it(listener):
    assert ask(listener, method="HEAD") == (200, b"")


@pytest.mark.parametrize(("path", "method", "status"), [("/none", "GET", 404), ("/page", "POST", 405)])
def test_what_is_not_there_is_refused(listener, path, method, status):
    assert ask(listener, path, method)[0] == status


def test_a_page_that_fails_is_told_without_its_error(listener):
    status, body = ask(listener, "/broken")
    assert status == 500
    assert b"hunter2" not in body
    assert ask(listener)[0] == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
        (b"GET http://elsewhere/ HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /page SMTP/1.0\r\n\r\n", b"400"),
        (b"CONNECT elsewhere:443 HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /" + b"a" * listen.REQUEST_BYTES + b" HTTP/1.1\r\n\r\n", b"431"),
        (b"GET /page HTTP/1.1\r\n" + b"x: y\r\n" * listen.REQUEST_BYTES + b"\r\n", b"431"),
        (b"POST /page HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + b"a" * 1_000_000, b"405"),
        (b"GET /page HTTP/1.1\r\nno colon\r\n: no name\r\n\xff\xfe: \x00\r\n\r\n", b"200"),
    ],
)
def test_hostile_requests_are_answered_and_harm_nobody(listener, sent, status):
    answered = raw(listener, sent)
    assert answered.split(b" ")[1] == status
    assert ask(listener)[0] == 200


def test_who_asks_byte_by_byte_is_given_up(listener, monkeypatch):
    monkeypatch.setattr(listen, "REQUEST_SECONDS", 0.3)
    host, port = split_address(listener.address)
    with socket.create_connection((host, port), timeout=5) as connection:
        began = time.monotonic()
        with suppress(OSError):
            while time.monotonic() - began < 5:
                connection.send(b"a")
                time.sleep(0.02)
        assert time.monotonic() - began < 2


def test_silent_clients_hold_a_bounded_number_of_places(listener, monkeypatch):
    monkeypatch.setattr(listen, "REQUEST_SECONDS", 1.0)
    host, port = split_address(listener.address)
    silent = [socket.create_connection((host, port), timeout=5) for _ in range(listen.CLIENTS)]
    end = time.monotonic() + 5
    while ask(listener)[0] != 503 and time.monotonic() < end:
        time.sleep(0.01)
    assert ask(listener) == (503, b"busy\n")
    assert threading.active_count() < listen.CLIENTS + 20
    while ask(listener)[0] != 200 and time.monotonic() < end:
        time.sleep(0.05)
    assert ask(listener)[0] == 200
    for connection in silent:
        connection.close()


def test_a_closed_listener_lets_go_of_its_address():
    before = Listener("127.0.0.1:0", answer)
    address = before.address
    before.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(split_address(address), timeout=5)
    after = Listener(address, answer)
    assert ask(after)[0] == 200
    after.close()


def test_an_address_in_use_is_one_clear_line(listener):
    with pytest.raises(ConfigError, match=r"^127\.0\.0\.1:\d+ cannot be listened on: Address already in use$"):
        Listener(listener.address, answer)


@pytest.mark.parametrize("address", ["", "9464", ":9464", "localhost", "localhost:http", "h:-1", "h:65536", "::1:80"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ValueError, match="HOST:PORT"):
        split_address(address)


def test_addresses_are_read_in_both_families():
    assert split_address("127.0.0.1:0") == ("127.0.0.1", 0)
    assert split_address("[::1]:9464") == ("::1", 9464)
