"""One gRPC call at a time over a kept channel: no retries of its own, bounded time and answer, no secrets told.

grpcio is imported when a transport is made, because only those need it who ask for gRPC.
"""

import os
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mlvitals.errors import ConfigError, MissingExtraError
from mlvitals.transport.answer import ANSWER_BYTES, spellings
from mlvitals.transport.http import TransportError
from mlvitals.transport.proxy import proxy_of
from mlvitals.transport.secret import Secret
from mlvitals.transport.tls import TlsContexts, TlsFiles

_DETAILS: Final = "grpc-status-details-bin"
# What the library says when the server's certificate is not vouched for, or another's: waiting does not change that.
_UNTRUSTED: Final = ("CERTIFICATE_VERIFY_FAILED", "Hostname Verification Check failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcAnswer:
    """How a call ended: the status's name, as `OK` or `UNAVAILABLE`, its message, its details, and the answer's bytes.

    details: a serialised google.rpc.Status, empty where the server sent none.
    """

    code: str
    message: str = ""
    details: bytes = b""
    body: bytes = b""


class GrpcTransport:
    """Speaks to one server; any thread may.

    target: `host:port`. secure: with TLS; certificates and host names are then always verified. timeout: seconds for a
    whole call. compressed: messages are sent by gzip. ca_file, cert_file, key_file: as `TlsFiles` says, read again when
    they change. proxy: as `proxy_of` says. agent: what we call ourselves.

    Raises:
        ConfigError: a file is not there or cannot be used, or the proxy is none that gRPC can ask.
        MissingExtraError: grpcio is not installed.

    """

    def __init__(
        self,
        target: str,
        *,
        secure: bool,
        timeout: float,
        compressed: bool = False,
        ca_file: Path | None = None,
        cert_file: Path | None = None,
        key_file: Path | None = None,
        proxy: Secret | None = None,
        agent: str = "mlvitals",
    ) -> None:
        self._grpc = _library()
        self._target = target
        self._secure = secure
        self._timeout = timeout
        self._compression = self._grpc.Compression.Gzip if compressed else self._grpc.Compression.NoCompression
        self._proxy = proxy
        self._agent = agent
        self._tls = TlsContexts(TlsFiles.of(ca_file, cert_file, key_file, os.environ)) if secure else None
        self._options()
        self._changing = threading.Lock()
        self._channel: Any = None
        self._changes = 0

    def call(self, method: str, body: bytes, headers: Mapping[str, str | Secret]) -> GrpcAnswer:
        """Send one message, as it is, to a method (`/package.Service/Method`) and return how that ended.

        Secrets among the headers are read now. Where the server repeats one, asterisks stand instead.

        Raises:
            TransportError: nothing was sent, or the server's certificate is not trusted.

        """
        try:
            told = {name: value.read() if isinstance(value, Secret) else value for name, value in headers.items()}
            channel = self._current_channel()
        except ConfigError as error:  # a file that is being exchanged
            raise TransportError(f"{self._target}: {error}") from None
        for name, value in told.items():
            if not (value.isascii() and value.isprintable()):
                raise TransportError(f"{self._target}: `{name}` holds what no gRPC metadata can", lasting=True)
        secrets = spellings(told[name] for name, value in headers.items() if isinstance(value, Secret))
        try:
            # Without serialisers bytes go and come as they are.
            answer = channel.unary_unary(method)(
                body,
                timeout=self._timeout,
                metadata=tuple((name.lower(), value) for name, value in told.items()),
                compression=self._compression,
            )
        except self._grpc.RpcError as error:
            return self._failed(error, channel, secrets)
        return GrpcAnswer(code="OK", body=answer)

    def close(self) -> None:
        """Close the channel."""
        with self._changing:
            self._drop(self._channel)

    def _failed(self, error: Any, channel: Any, secrets: Sequence[str]) -> GrpcAnswer:
        code, message = error.code().name, error.details() or ""
        details = dict(error.trailing_metadata() or ()).get(_DETAILS, b"")
        for form in secrets:
            message = message.replace(form, "*" * len(form))
        if code == "UNAVAILABLE":
            # A channel that cannot connect waits longer and longer by itself, also once the server is back.
            with self._changing:
                self._drop(channel)
            if any(said in message for said in _UNTRUSTED):
                raise TransportError(f"{self._target}: TLS: the server's certificate is not trusted", lasting=True)
        return GrpcAnswer(code=code, message=message, details=details)

    def _current_channel(self) -> Any:
        with self._changing:
            if self._tls is not None:
                self._tls.refresh()
                if self._tls.changes != self._changes:
                    self._changes = self._tls.changes
                    self._drop(self._channel)
            if self._channel is None:
                self._channel = self._open()
            return self._channel

    def _drop(self, channel: Any) -> None:
        """Close a channel, if it is still the one in use."""
        if channel is not None and channel is self._channel:
            self._channel = None
            channel.close()

    def _open(self) -> Any:
        if self._tls is None:
            return self._grpc.insecure_channel(self._target, options=self._options())
        files = self._tls.files
        try:
            cert = files.cert_file.read_bytes() if files.cert_file is not None else None
            key = files.key_file.read_bytes() if files.key_file is not None else cert
            credentials = self._grpc.ssl_channel_credentials(_roots(files.ca_file), key, cert)
        except OSError as error:
            raise ConfigError(f"{error.filename}: {error.strerror}") from None
        return self._grpc.secure_channel(self._target, credentials, options=self._options())

    def _options(self) -> list[tuple[str, str | int]]:
        proxy = proxy_of(f"{'https' if self._secure else 'http'}://{self._target}", self._proxy)
        if proxy is not None and not proxy.startswith("http://"):
            raise ConfigError("gRPC can only ask an http:// proxy for a way to the server")
        return [
            ("grpc.primary_user_agent", self._agent),
            ("grpc.enable_retries", 0),
            ("grpc.max_receive_message_length", ANSWER_BYTES),
            # Else a new channel would share the old one's connections, and its waiting.
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.enable_http_proxy", 0) if proxy is None else ("grpc.http_proxy", proxy),
        ]


def _library() -> Any:
    # The library tells every lost connection on standard error, which is for our own lines.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        import grpc  # noqa: PLC0415  # an extra
    except ImportError:
        raise MissingExtraError('gRPC needs the package grpcio: pip install "mlvitals[otlp]"') from None
    return grpc


def _roots(ca_file: Path | None) -> bytes | None:
    """Return the certificates that are trusted: those given, else the system's, as for HTTP; None for the library's.

    Raises:
        OSError: they cannot be read.

    """
    if ca_file is not None and ca_file.is_dir():
        return b"\n".join(file.read_bytes() for file in sorted(ca_file.iterdir()) if file.is_file())
    named = ca_file or ssl.get_default_verify_paths().cafile
    return Path(named).read_bytes() if named is not None else None
