"""A proxy that is really one: it opens tunnels, and asks for a password."""

import base64
import select
import socket
import socketserver
import ssl
import threading

import pytest
import trustme
from urllib3.connection import HTTPConnection

from mlvitals.errors import ConfigError
from mlvitals.transport.http import HttpTransport, TransportError
from mlvitals.transport.proxy import pool_through
from mlvitals.transport.secret import Secret

USER = "user"
PASSWORD = "p@ss:wörd/7"  # noqa: S105  # of the proxy in this file
ADDRESS = "user:p%40ss:w%C3%B6rd%2F7"
CREDENTIALS = base64.b64encode(f"{USER}:{PASSWORD}".encode("latin-1")).decode()


class Tunnel(socketserver.StreamRequestHandler):
    """Speaks CONNECT only, to loopback only, for who knows the password."""

    server: "Proxy"

    def handle(self):
        words = self.rfile.readline().split()
        headers = {}
        while (line := self.rfile.readline().strip()) and b":" in line:
            name, _, value = line.partition(b":")
            headers[name.decode().lower()] = value.strip().decode("latin-1")
        self.server.asked.append((b" ".join(words[:2]).decode(), headers))
        if headers.get("proxy-authorization") != f"Basic {self.server.credentials}":
            self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        host, _, port = words[1].decode().rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as onward:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self.wfile.flush()
            self.pump(onward)

    def pump(self, onward):
        ends = [self.connection, onward]
        while True:
            pending = isinstance(self.connection, ssl.SSLSocket) and self.connection.pending()
            ready = [self.connection] if pending else select.select(ends, [], [], 5)[0]
            for end in ready:
                data = end.recv(65536)
                if not data:
                    return
                (onward if end is self.connection else self.connection).sendall(data)
            if not ready:
                return


class Proxy(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    credentials = CREDENTIALS

    def __init__(self, context):
        super().__init__(("127.0.0.1", 0), Tunnel)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.place = f"localhost:{self.server_address[1]}"
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True)


@pytest.fixture
def proxy():
    yield from running(None)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def trusted(authority, tmp_path):
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def tls_proxy(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    yield from running(context)


def running(context):
    server = Proxy(context)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def far(authority, behave, make_peer):
    """A server under TLS, known by a name that only the proxy's side could resolve, were it not for loopback."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    yield from make_peer(behave, context)


def post(base, **options):
    transport = HttpTransport(base, timeout=5.0, **options)
    try:
        return transport.request("POST", "/v1/logs", b"body", {"x-key": Secret("key-of-the-server")})
    finally:
        transport.close()


def test_a_tunnel_is_opened_with_the_password_and_tls_goes_through_it(proxy, far, trusted):
    given = Secret(f"http://{ADDRESS}@{proxy.place}")
    assert post(far.url, ca_file=trusted, proxy=given).status == 200
    (line, headers), *_ = proxy.asked
    assert line == f"CONNECT localhost:{far.port}"
    assert "x-key" not in headers  # the proxy sees nothing that is the server's
    assert far.seen[0][1]["x-key"] == "key-of-the-server"
    assert "proxy-authorization" not in far.seen[0][1]


def test_a_proxy_may_itself_speak_tls_and_is_verified(tls_proxy, far, trusted):
    given = Secret(f"https://{ADDRESS}@{tls_proxy.place}")
    assert post(far.url, ca_file=trusted, proxy=given).status == 200
    assert len(tls_proxy.asked) == 1
    with pytest.raises(TransportError, match="TLS: ") as told:
        post(far.url, proxy=given)
    assert told.value.lasting


def test_a_wrong_password_is_told_without_it(proxy, far, trusted):
    with pytest.raises(TransportError) as told:
        post(far.url, ca_file=trusted, proxy=Secret(f"http://{USER}:not-the-password@{proxy.place}"))
    assert told.value.reason == f"{far.url}: the proxy: it opened no way to the server (HTTP 407)"
    assert told.value.__cause__ is None
    assert far.seen == []


def test_a_password_that_is_exchanged_is_used_from_the_next_request_on(proxy, far, trusted, tmp_path):
    file = tmp_path / "proxy"
    file.write_text(f"http://{USER}:outdated@{proxy.place}\n")
    transport = HttpTransport(far.url, timeout=5.0, ca_file=trusted, proxy=Secret(file=file))
    with pytest.raises(TransportError, match="HTTP 407"):
        transport.request("POST", "/", b"", {})
    file.write_text(f"http://{ADDRESS}@{proxy.place}\n")
    assert transport.request("POST", "/", b"", {}).status == 200
    file.write_text("")
    with pytest.raises(TransportError, match="is empty"):
        transport.request("POST", "/", b"", {})
    transport.close()


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_the_environments_proxy_opens_a_tunnel(proxy, far, trusted, monkeypatch, variable):
    monkeypatch.setenv(variable, f"{ADDRESS}@{proxy.place}")  # without a scheme, as curl takes it
    assert post(far.url, ca_file=trusted).status == 200
    assert len(proxy.asked) == 1


def test_a_proxy_that_is_configured_wins_over_the_environment(proxy, far, trusted, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://localhost:1")
    monkeypatch.setenv("no_proxy", "localhost")
    assert post(far.url, ca_file=trusted, proxy=Secret(f"http://{ADDRESS}@{proxy.place}")).status == 200
    monkeypatch.delenv("no_proxy")
    assert post(far.url, ca_file=trusted, proxy=Secret("none")).status == 200
    assert len(proxy.asked) == 1


@pytest.mark.parametrize(
    "address", ["socks5://hidden@localhost:1", "http://", "http://hidden@localhost:port", "ftp://hidden"]
)
def test_what_is_no_proxy_we_speak_to_is_refused_and_not_gone_around(far, trusted, monkeypatch, address):
    with pytest.raises(ConfigError, match="`proxy` is no proxy that can be spoken to") as told:
        post(far.url, ca_file=trusted, proxy=Secret(address))
    assert "hidden" not in str(told.value)
    monkeypatch.setenv("all_proxy", address)
    with pytest.raises(ConfigError, match="the environment's all_proxy is no proxy") as told:
        post(far.url, ca_file=trusted)
    assert "hidden" not in str(told.value)
    assert far.seen == []


def test_what_a_proxy_repeats_of_its_password_becomes_asterisks(peer, behave):
    def echo(handler):
        body = f"{handler.headers['Proxy-Authorization']} {USER}:{PASSWORD} {ADDRESS}".encode()
        handler.send_response(407)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    behave[0] = echo
    answer = post("http://collector.invalid:4318", proxy=Secret(f"http://{ADDRESS}@localhost:{peer.port}"))
    assert set(answer.body.decode().replace("Basic", "").replace(f"{USER}:", "")) <= set("* ")


def test_a_body_does_not_wait_until_a_proxy_has_acknowledged_its_head(peer):
    pool = pool_through(f"http://localhost:{peer.port}", ssl.create_default_context(), ssl.create_default_context())
    connection = pool.connection_from_url("http://collector.invalid:4318")._new_conn()
    assert isinstance(connection, HTTPConnection)
    connection.connect()
    with connection.sock as sock:
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
