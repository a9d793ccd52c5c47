"""TLS is verified always, and its files may be exchanged under a running job."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme

from mlvitals.errors import ConfigError
from mlvitals.transport.http import HttpTransport, TransportError


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        shown = self.connection.getpeercert() or {}
        name = dict(part[0] for part in shown.get("subject", ())).get("organizationalUnitName", "")
        body = f"{self.connection.version()} {name}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    """Serve under TLS with a certificate; `clients` vouches for those who may ask, `version` is the newest spoken."""
    running = []

    def serve(certificate, *, clients=None, version=ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = version
        if version < ssl.TLSVersion.TLSv1_2:
            context.set_ciphers("ALL:@SECLEVEL=0")
        certificate.configure_cert(context)
        if clients is not None:
            clients.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))
        return f"https://localhost:{server.server_address[1]}"

    yield serve
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def ca():
    return trustme.CA()


@pytest.fixture
def asking():
    opened = []

    def asking(base, **options):
        transport = HttpTransport(base, timeout=5.0, **options)
        opened.append(transport)
        return transport

    yield asking
    for transport in opened:
        transport.close()


def ask(transport):
    return transport.request("GET", "/", b"", {}).body.decode().split(" ")


def write(path, *blobs):
    path.write_bytes(b"".join(blob.bytes() for blob in blobs))
    return path


def test_a_server_of_an_old_version_is_refused(serve, ca, asking, tmp_path):
    authority = write(tmp_path / "ca.pem", ca.cert_pem)
    old = serve(ca.issue_cert("localhost"), version=ssl.TLSVersion.TLSv1_1)
    with pytest.raises(TransportError, match="TLS: "):
        ask(asking(old, ca_file=authority))
    new = serve(ca.issue_cert("localhost"), version=ssl.TLSVersion.TLSv1_2)
    assert ask(asking(new, ca_file=authority))[0] == "TLSv1.2"


def test_a_named_authority_stands_in_place_of_all_others(serve, ca, asking, tmp_path, monkeypatch):
    base = serve(ca.issue_cert("localhost"))
    monkeypatch.setenv("SSL_CERT_FILE", str(write(tmp_path / "ca.pem", ca.cert_pem)))
    assert ask(asking(base))[0] == "TLSv1.3"
    with pytest.raises(TransportError, match="unable to get local issuer certificate"):
        ask(asking(base, ca_file=write(tmp_path / "other.pem", trustme.CA().cert_pem)))


def test_the_environments_bundle_is_trusted_unless_openssl_has_its_own(serve, ca, asking, tmp_path, monkeypatch):
    base = serve(ca.issue_cert("localhost"))
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(write(tmp_path / "ca.pem", ca.cert_pem)))
    assert ask(asking(base))[0] == "TLSv1.3"
    monkeypatch.setenv("SSL_CERT_FILE", str(write(tmp_path / "other.pem", trustme.CA().cert_pem)))
    with pytest.raises(TransportError, match="unable to get local issuer certificate"):
        ask(asking(base))
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with pytest.raises(ConfigError, match=r"missing\.pem: there is no such file"):
        asking(base)


@pytest.mark.parametrize(
    "variable", ["PYTHONHTTPSVERIFY", "SSL_NO_VERIFY", "CURL_INSECURE", "NODE_TLS_REJECT_UNAUTHORIZED"]
)
def test_no_variable_turns_verification_off(serve, ca, asking, monkeypatch, variable):
    monkeypatch.setenv(variable, "0" if "VERIFY" in variable[:12] or "REJECT" in variable else "1")
    with pytest.raises(TransportError, match="unable to get local issuer certificate") as told:
        ask(asking(serve(ca.issue_cert("localhost"))))
    assert told.value.lasting


def test_an_expired_certificate_is_refused(serve, ca, asking, tmp_path):
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415

    yesterday = datetime.now(UTC) - timedelta(days=1)
    base = serve(ca.issue_cert("localhost", not_after=yesterday))
    with pytest.raises(TransportError, match="certificate has expired") as told:
        ask(asking(base, ca_file=write(tmp_path / "ca.pem", ca.cert_pem)))
    assert told.value.lasting


def test_a_client_certificate_that_is_exchanged_is_shown_without_a_restart(serve, ca, asking, tmp_path):
    base = serve(ca.issue_cert("localhost"), clients=ca)
    first, second = (ca.issue_cert("client@example.test", organization_unit_name=name) for name in ("first", "second"))
    cert_file = write(tmp_path / "client.pem", *first.cert_chain_pems)
    key_file = write(tmp_path / "client.key", first.private_key_pem)
    authority = write(tmp_path / "ca.pem", ca.cert_pem)
    transport = asking(base, ca_file=authority, cert_file=cert_file, key_file=key_file)
    assert ask(transport)[1] == "first"
    write(cert_file, *second.cert_chain_pems)  # its key has not come yet
    assert ask(transport)[1] == "first"
    key_file.unlink()
    assert ask(transport)[1] == "first"
    write(key_file, second.private_key_pem)
    assert ask(transport)[1] == "second"


def test_an_authority_that_is_exchanged_is_trusted_without_a_restart(serve, ca, asking, tmp_path):
    authority = write(tmp_path / "ca.pem", trustme.CA().cert_pem)
    transport = asking(serve(ca.issue_cert("localhost")), ca_file=authority)
    with pytest.raises(TransportError):
        ask(transport)
    write(authority, ca.cert_pem)
    assert ask(transport)[0] == "TLSv1.3"


def test_files_that_do_not_belong_together_are_named(ca, asking, tmp_path):
    one, other = ca.issue_cert("client@example.test"), ca.issue_cert("client@example.test")
    cert_file = write(tmp_path / "client.pem", *one.cert_chain_pems)
    key_file = write(tmp_path / "client.key", other.private_key_pem)
    with pytest.raises(ConfigError, match=r"client\.pem and .*client\.key: the key is not the certificate's"):
        asking("https://localhost", cert_file=cert_file, key_file=key_file)
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(ConfigError, match=r"empty\.pem: holds no PEM certificate"):
        asking("https://localhost", ca_file=tmp_path / "empty.pem")
    with pytest.raises(ConfigError, match="no PEM certificate with its key, unencrypted"):
        asking("https://localhost", cert_file=tmp_path / "empty.pem")


def test_a_key_that_asks_for_a_password_is_refused_and_not_waited_for(ca, asking, tmp_path):
    from cryptography.hazmat.primitives import serialization as spelling  # noqa: PLC0415

    issued = ca.issue_cert("client@example.test")
    key = spelling.load_pem_private_key(issued.private_key_pem.bytes(), None)
    encrypted = tmp_path / "client.key"
    encrypted.write_bytes(
        key.private_bytes(
            spelling.Encoding.PEM, spelling.PrivateFormat.PKCS8, spelling.BestAvailableEncryption(b"password")
        )
    )
    with pytest.raises(ConfigError, match="unencrypted"):
        asking("https://localhost", cert_file=write(tmp_path / "c.pem", *issued.cert_chain_pems), key_file=encrypted)
