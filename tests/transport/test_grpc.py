"""Calls over gRPC: bytes as they are, bounded, told without secrets, certificates always verified."""

import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
import trustme

from mlvitals.errors import ConfigError, MissingExtraError
from mlvitals.transport.grpc import GrpcAnswer, GrpcTransport
from mlvitals.transport.http import TransportError
from mlvitals.transport.secret import Secret

METHOD = "/a.Service/Method"


class Server(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpcio ships no types
    """A real server that does with each call what `behave` says: given the bytes and the context."""

    def __init__(self, credentials=None, port=0, host="127.0.0.1"):
        self.behave = lambda body, _: body
        self.seen = []
        self.server = grpc.server(ThreadPoolExecutor(4))
        self.server.add_generic_rpc_handlers((self,))
        address = f"{host}:{port}"
        self.port = (
            self.server.add_secure_port(address, credentials) if credentials else self.server.add_insecure_port(address)
        )
        self.server.start()

    @property
    def target(self):
        return f"localhost:{self.port}"

    def service(self, handler_call_details):
        self.seen.append((handler_call_details.method, dict(handler_call_details.invocation_metadata)))
        return grpc.unary_unary_rpc_method_handler(self.behave)


@pytest.fixture
def serve():
    servers = []

    def serve(**given):
        servers.append(Server(**given))
        return servers[-1]

    yield serve
    for one in servers:
        one.server.stop(None).wait()


@pytest.fixture
def connect():
    transports = []

    def connect(target, **given):
        transports.append(GrpcTransport(target, **({"secure": False, "timeout": 5.0} | given)))
        return transports[-1]

    yield connect
    for one in transports:
        one.close()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def files(authority, tmp_path):
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    client = authority.issue_cert("client@example.org")
    client.private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
    return tmp_path


def credentials(authority, *, clients=None):
    certificate = authority.issue_cert("localhost")
    pair = certificate.private_key_pem.bytes(), b"".join(one.bytes() for one in certificate.cert_chain_pems)
    roots = clients.cert_pem.bytes() if clients is not None else None
    return grpc.ssl_server_credentials([pair], roots, require_client_auth=clients is not None)


@pytest.mark.parametrize("compressed", [False, True])
def test_bytes_go_and_come_as_they_are(serve, connect, compressed):
    server = serve()
    body = bytes(range(256)) * 40
    answer = connect(server.target, compressed=compressed, agent="mlvitals/7").call(METHOD, body, {"X-Key": "k"})
    assert answer == GrpcAnswer(code="OK", body=body)
    ((method, metadata),) = server.seen
    assert (method, metadata["x-key"]) == (METHOD, "k")
    assert metadata["user-agent"].startswith("mlvitals/7 ")


def test_an_end_is_told_by_its_name_its_message_and_its_details(serve, connect):
    server = serve()

    def refuse(_, context):
        context.set_trailing_metadata((("grpc-status-details-bin", b"\x08\x0e"),))
        context.abort(grpc.StatusCode.UNAVAILABLE, "come back later")

    server.behave = refuse
    answer = connect(server.target).call(METHOD, b"x", {})
    assert answer == GrpcAnswer(code="UNAVAILABLE", message="come back later", details=b"\x08\x0e")
    assert len(server.seen) == 1


def test_a_call_is_made_once(serve, connect):
    server = serve()
    server.behave = lambda _, context: context.abort(grpc.StatusCode.ABORTED, "")
    assert connect(server.target).call(METHOD, b"x", {}).code == "ABORTED"
    assert len(server.seen) == 1


def test_a_server_that_hangs_is_waited_for_no_longer_than_said(serve, connect):
    server = serve()

    def hang(body, _):
        time.sleep(1.0)
        return body

    server.behave = hang
    began = time.monotonic()
    assert connect(server.target, timeout=0.2).call(METHOD, b"x", {}).code == "DEADLINE_EXCEEDED"
    assert time.monotonic() - began < 1.0


def test_a_host_that_accepts_and_says_nothing_is_waited_for_no_longer_than_said(connect):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        began = time.monotonic()
        answer = connect(f"localhost:{mute.getsockname()[1]}", timeout=0.3).call(METHOD, b"x", {})
        assert answer.code in {"DEADLINE_EXCEEDED", "UNAVAILABLE"}
        assert time.monotonic() - began < 3.0


def test_an_answer_longer_than_the_bound_is_not_read(serve, connect):
    server = serve()
    server.behave = lambda *_: bytes(2 * 1024 * 1024)
    assert connect(server.target).call(METHOD, b"x", {}).code == "RESOURCE_EXHAUSTED"


def test_nobody_listening_is_unavailable_and_its_return_is_seen_at_once(serve, connect):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    transport = connect(f"localhost:{port}")
    for _ in range(3):  # so that the library would wait longer and longer
        assert transport.call(METHOD, b"x", {}).code == "UNAVAILABLE"
    serve(port=port)
    began = time.monotonic()
    assert transport.call(METHOD, b"x", {}).code == "OK"
    assert time.monotonic() - began < 1.0


def test_secrets_are_read_at_each_call_and_blotted_out_of_what_is_told(serve, connect, tmp_path):
    server = serve()

    def echo(_, context):
        context.abort(grpc.StatusCode.UNAUTHENTICATED, f"no: {dict(context.invocation_metadata())['key']}")

    server.behave = echo
    file = tmp_path / "key"
    file.write_text("Bearer hunter2hunter2\n")
    transport = connect(server.target)
    headers = {"key": Secret(file=file)}
    assert transport.call(METHOD, b"", headers).message == f"no: {'*' * 21}"
    file.write_text("another-secret")
    assert transport.call(METHOD, b"", headers).message == f"no: {'*' * 14}"
    assert [metadata["key"] for _, metadata in server.seen] == ["Bearer hunter2hunter2", "another-secret"]
    file.unlink()
    with pytest.raises(TransportError) as told:
        transport.call(METHOD, b"", headers)
    assert not told.value.lasting


def test_a_value_that_no_metadata_can_have_is_told_without_it(connect):
    with pytest.raises(TransportError, match="`key` holds what no gRPC metadata can") as told:
        connect("localhost:9").call(METHOD, b"", {"key": Secret("hunter2ö")})
    assert told.value.lasting
    assert "hunter2" not in str(told.value)


def test_a_private_authority_vouches_for_the_server(serve, connect, authority, files):
    server = serve(credentials=credentials(authority))
    assert connect(server.target, secure=True, ca_file=files / "ca.pem").call(METHOD, b"x", {}).code == "OK"
    folder = files / "folder"
    folder.mkdir()
    authority.cert_pem.write_to_path(folder / "any.pem")
    assert connect(server.target, secure=True, ca_file=folder).call(METHOD, b"x", {}).code == "OK"


@pytest.mark.parametrize("trusted", ["system", "another"])
def test_a_server_that_nobody_vouches_for_gets_nothing_and_waiting_does_not_help(
    serve, connect, authority, tmp_path, trusted
):
    server = serve(credentials=credentials(authority))
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    ca_file = tmp_path / "other.pem" if trusted == "another" else None
    with pytest.raises(TransportError, match="the server's certificate is not trusted") as told:
        connect(server.target, secure=True, ca_file=ca_file).call(METHOD, b"x", {})
    assert told.value.lasting
    assert server.seen == []


def test_a_host_of_another_name_gets_nothing(serve, connect, authority, files):
    server = serve(credentials=credentials(authority))
    with pytest.raises(TransportError, match="the server's certificate is not trusted") as told:
        connect(f"127.0.0.1:{server.port}", secure=True, ca_file=files / "ca.pem").call(METHOD, b"x", {})
    assert told.value.lasting
    assert server.seen == []


def test_our_certificate_is_shown_and_read_again_when_it_is_exchanged(serve, connect, authority, files):
    server = serve(credentials=credentials(authority, clients=authority))
    server.behave = lambda _, context: context.auth_context()["x509_pem_cert"][0]
    assert connect(server.target, secure=True, ca_file=files / "ca.pem").call(METHOD, b"", {}).code == "UNAVAILABLE"
    transport = connect(server.target, secure=True, ca_file=files / "ca.pem", cert_file=files / "client.pem")
    first = transport.call(METHOD, b"", {})
    assert first.code == "OK"
    renewed = authority.issue_cert("client@example.org")
    renewed.private_key_and_cert_chain_pem.write_to_path(files / "client.pem")
    second = transport.call(METHOD, b"", {})
    assert (second.code, second.body == first.body) == ("OK", False)


def test_a_file_that_is_not_there_is_told_when_the_transport_is_made(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.pem: there is no such file"):
        GrpcTransport("localhost:1", secure=True, timeout=1.0, ca_file=tmp_path / "none.pem")


def test_a_proxy_of_another_kind_than_grpc_can_ask_is_told_without_its_password():
    with pytest.raises(ConfigError, match="only ask an http:// proxy") as told:
        GrpcTransport("localhost:1", secure=True, timeout=1.0, proxy=Secret("https://user:hunter2@proxy:1"))
    assert "hunter2" not in str(told.value)


def test_a_proxy_is_asked_for_a_way_and_none_goes_directly(serve, connect, monkeypatch):
    server = serve()
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        monkeypatch.setenv("http_proxy", address)
        assert connect(server.target, proxy=Secret("none")).call(METHOD, b"x", {}).code == "OK"
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(connect(server.target, timeout=3.0).call, METHOD, b"x", {})
            connection, _ = proxy.accept()
            with connection:
                assert connection.recv(4096).startswith(f"CONNECT localhost:{server.port} HTTP/1.1\r\n".encode())
            assert call.result().code in {"UNAVAILABLE", "DEADLINE_EXCEEDED"}


def test_without_grpcio_one_line_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "grpc", None)
    with pytest.raises(MissingExtraError, match=r'needs the package grpcio: pip install "mlvitals\[otlp\]"'):
        GrpcTransport("localhost:1", secure=False, timeout=1.0)


def test_the_library_is_loaded_only_for_those_who_ask_for_it():
    code = "import sys, mlvitals.transport.grpc; print('grpc' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
