import socket
import struct
import time

import pytest

from mlvitals.errors import ConfigError
from mlvitals.transport.http import ANSWER_BYTES, HttpTransport, TransportError


def answering(status, body=b"", headers=()):
    def behave(handler):
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return behave


@pytest.fixture
def post():
    opened = []

    def post(base, *, timeout=2.0, **options):
        transport = HttpTransport(base, timeout=timeout, **options)
        opened.append(transport)
        return transport.request("POST", "/v1/logs", b"body", {"X-Key": "k"})

    yield post
    for transport in opened:
        transport.close()


def test_a_request_arrives_as_it_was_given(peer, post):
    post(peer.url + "/base/")
    path, headers, body = peer.seen[0]
    assert (path, headers["x-key"], body) == ("/base/v1/logs", "k", b"body")


@pytest.mark.parametrize("status", [200, 204, 301, 307, 400, 401, 429, 500, 503])
def test_any_status_is_an_answer_and_is_asked_for_once(peer, behave, post, status):
    behave[0] = answering(status, b"" if status == 204 else b"said", [("Location", "/elsewhere"), ("Retry-After", "0")])
    answer = post(peer.url)
    assert (answer.status, answer.headers["retry-after"]) == (status, "0")
    assert len(peer.seen) == 1


def test_connections_are_kept(peer):
    transport = HttpTransport(peer.url, timeout=2.0)
    for _ in range(5):
        transport.request("POST", "/", b"", {})
    transport.close()
    assert len(peer.seen) == 5
    assert len(peer.connections) == 1


def test_an_answer_is_read_up_to_its_bound_and_the_next_one_is_its_own(peer, behave):
    behave[0] = answering(200, b"x" * (3 * ANSWER_BYTES))
    transport = HttpTransport(peer.url, timeout=5.0)
    assert transport.request("POST", "/", b"", {}).body == b"x" * ANSWER_BYTES
    behave[0] = answering(200, b"short")
    assert transport.request("POST", "/", b"", {}).body == b"short"
    transport.close()


def test_nobody_listening_is_an_error_that_says_so(post):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(TransportError) as told:
        post(f"http://127.0.0.1:{port}")
    assert told.value.reason == f"http://127.0.0.1:{port}: no connection: Connection refused"
    assert not told.value.lasting


def test_an_unknown_host_is_an_error_that_says_so(post):
    with pytest.raises(TransportError, match="the host's name is not known"):
        post("http://no-such-host.invalid")


def test_a_server_that_hangs_is_given_up(peer, behave, post):
    behave[0] = lambda _: time.sleep(0.5)
    with pytest.raises(TransportError, match=r"no answer within 0\.1 s"):
        post(peer.url, timeout=0.1)


def test_a_server_that_drips_is_given_up(peer, behave, post):
    def drip(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _ in range(20):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)

    behave[0] = drip
    began = time.monotonic()
    with pytest.raises(TransportError, match=r"no answer within|took longer than 0\.2 s"):
        post(peer.url, timeout=0.2)
    assert time.monotonic() - began < 0.9


def reset(handler):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True
    handler.wfile = handler.rfile = open("/dev/null", "r+b", buffering=0)  # noqa: SIM115, PTH123  # nothing to flush any more


def half(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b"half")
    handler.close_connection = True


@pytest.mark.parametrize("broken", [reset, half])
def test_a_lost_connection_is_no_answer(peer, behave, post, broken):
    behave[0] = broken
    with pytest.raises(TransportError, match="the connection was lost before the whole answer came"):
        post(peer.url)


def test_a_certificate_that_nobody_vouches_for_is_refused(tls_peer, post):
    with pytest.raises(TransportError, match="self-signed certificate") as told:
        post(tls_peer.url)
    assert told.value.lasting
    assert tls_peer.seen == []


def test_a_named_authority_is_trusted(tls_peer, certificate, post):
    assert post(tls_peer.url, ca_file=certificate[0]).status == 200


def test_a_certificate_for_another_name_is_refused(tls_peer, certificate, post):
    with pytest.raises(TransportError, match="IP address mismatch") as told:
        post(tls_peer.url.replace("localhost", "127.0.0.1"), ca_file=certificate[0])
    assert told.value.lasting


def test_a_client_shows_its_certificate(demanding_peer, certificate, post):
    own, key = certificate
    assert post(demanding_peer.url, ca_file=own, cert_file=own, key_file=key).status == 200
    with pytest.raises(TransportError):
        post(demanding_peer.url, ca_file=own)


def test_a_file_that_is_not_there_is_a_config_error(tmp_path):
    with pytest.raises(ConfigError, match=r"missing\.pem: there is no such file"):
        HttpTransport("https://localhost", timeout=1.0, ca_file=tmp_path / "missing.pem")


def test_the_environments_proxy_is_asked_with_its_password(peer, post, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://user:secret@localhost:{peer.port}")
    assert post("http://collector.invalid:4318").status == 200
    path, headers, _ = peer.seen[0]
    assert path == "http://collector.invalid:4318/v1/logs"
    assert headers["proxy-authorization"] == "Basic dXNlcjpzZWNyZXQ="


def test_a_host_without_proxy_is_asked_directly(peer, post, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://localhost:1")
    monkeypatch.setenv("no_proxy", "localhost")
    assert post(peer.url).status == 200


def test_an_error_tells_no_password_of_a_proxy(post, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://user:secret@localhost:1")
    with pytest.raises(TransportError, match="the proxy") as told:
        post("http://collector.invalid:4318")
    assert "secret" not in repr(told.value)
    assert told.value.__cause__ is None


def test_an_error_tells_no_secrets_of_the_address(post):
    with pytest.raises(TransportError) as told:
        post("http://user:secret@no-such-host.invalid/path?token=secret#secret")
    assert told.value.reason == "http://no-such-host.invalid/path: the host's name is not known"
