"""What Terraform needs to speak to a provider: a gRPC server on a socket, and one line that says where it is."""

import base64
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tf.gen import grpc_controller_pb2 as controller
from tf.gen import grpc_controller_pb2_grpc as controller_service
from tf.gen import grpc_stdio_pb2_grpc as output_service
from tf.gen import tfplugin_pb2_grpc as service

from tests.terraform_standin.provider import Provider, Servicer

_HANDSHAKE: Final = 1  # of go-plugin
_PROTOCOL: Final = 6  # of Terraform's plugins
_GRACE: Final = 1.0
_LOOK: Final = 0.5


def serve(provider: Provider) -> None:
    """Serve a provider until Terraform says that it is done, or is gone."""
    ended, parent = threading.Event(), os.getppid()
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=[("grpc.max_receive_message_length", -1)])
    service.add_ProviderServicer_to_server(Servicer(provider), server)
    controller_service.add_GRPCControllerServicer_to_server(_Controller(ended), server)
    output_service.add_GRPCStdioServicer_to_server(_Output(), server)
    certificate, credentials = _identity()
    with tempfile.TemporaryDirectory(prefix="standin-") as folder:
        server.add_secure_port(f"unix:{folder}/socket", credentials)
        server.start()
        told = (_HANDSHAKE, _PROTOCOL, "unix", f"{folder}/socket", "grpc", certificate)
        sys.stdout.write("|".join(map(str, told)) + "\n")
        sys.stdout.flush()
        while not ended.wait(_LOOK) and os.getppid() == parent:
            pass
        server.stop(_GRACE).wait()


class _Controller(controller_service.GRPCControllerServicer):  # type: ignore[misc]  # the library has no types
    def __init__(self, ended: threading.Event) -> None:
        self._ended = ended

    def Shutdown(self, _request: Any, _context: Any) -> Any:  # noqa: N802  # the protocol's name
        self._ended.set()
        return controller.Empty()


class _Output(output_service.GRPCStdioServicer):  # type: ignore[misc]  # the library has no types
    def StreamStdio(self, _request: Any, _context: Any) -> Iterator[Any]:  # noqa: N802  # the protocol's name
        """Say nothing: what fails is told by diagnostics."""
        return iter(())


def _identity() -> tuple[str, Any]:
    """Return a certificate for this process alone, as Terraform wants it told, and what the server shows it by."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    shown = built.public_bytes(serialization.Encoding.PEM)
    told = base64.b64encode(built.public_bytes(serialization.Encoding.DER)).decode().rstrip("=")
    return told, grpc.ssl_server_credentials([(secret, shown)])
