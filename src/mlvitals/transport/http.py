"""One request at a time over a kept connection: no retries, no redirects, bounded time and answer, no secrets told."""

import os
import re
import ssl
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from mlvitals.errors import ConfigError
from mlvitals.transport.answer import ANSWER_BYTES, Answer, BoundedConnection, BoundedTlsConnection, read_answer
from mlvitals.transport.proxy import pool_through, proxy_of, secrets_of_proxy
from mlvitals.transport.secret import Secret
from mlvitals.transport.tls import TlsContexts, TlsFiles

__all__ = ["ANSWER_BYTES", "Answer", "HttpTransport", "TransportError"]

_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110, section 5.5
_REFUSED_TUNNEL: Final = re.compile(r"Tunnel connection failed: (\d{3})")  # as http.client says it
_Way = tuple[str | None, int]  # the proxy, and how often the files of TLS have changed


class TransportError(Exception):
    """No answer came: `reason` is one line without secrets; `lasting` if only a person can change it (certificates)."""

    def __init__(self, reason: str, *, lasting: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lasting = lasting


class HttpTransport:
    """Speaks to one server; any thread may.

    base: scheme, host, port and a path that every request's path is appended to. timeout: seconds to connect, and again
    from the request's end to the whole answer's. ca_file, cert_file, key_file: as `TlsFiles` says; they are read again
    when they change, as is a secret's file. proxy: in place of the environment's, as `proxy_of` says. answer_bytes: of
    a longer body no more is read.

    Certificates and host names are always verified, with TLS 1.2 at least; there is no way to turn that off.

    Raises:
        ConfigError: a file is not there or cannot be used, or there is no such proxy.

    """

    def __init__(
        self,
        base: str,
        *,
        timeout: float,
        ca_file: Path | None = None,
        cert_file: Path | None = None,
        key_file: Path | None = None,
        proxy: Secret | None = None,
        answer_bytes: int = ANSWER_BYTES,
    ) -> None:
        self._base = base.rstrip("/")
        self._place = _without_secrets(base)
        self._timeout = timeout
        self._answer_bytes = answer_bytes
        self._proxy = proxy
        self._tls = TlsContexts(TlsFiles.of(ca_file, cert_file, key_file, os.environ))
        self._changing = threading.Lock()
        self._way: _Way = (proxy_of(self._base, proxy), self._tls.changes)
        self._pool = self._open(self._way)

    def request(self, method: str, path: str, body: bytes, headers: Mapping[str, str | Secret]) -> Answer:
        """Send one request and return the answer, whatever its status; `path` is appended to the base as it is.

        Secrets among the headers are read now. Where the server repeats one in its answer, asterisks stand instead.

        Raises:
            TransportError: there was no whole answer; whether the server took the request is not known.

        """
        try:
            spelled = {name: value.read() if isinstance(value, Secret) else value for name, value in headers.items()}
            pool = self._current_pool()
        except ConfigError as error:  # a file that is being exchanged
            raise TransportError(f"{self._place}: {error}") from None
        for name, value in spelled.items():
            # What refuses it further down would show it.
            if _HEADER_VALUE.fullmatch(value) is None:
                raise TransportError(f"{self._place}: `{name}` holds what no HTTP header can", lasting=True)
        try:
            response = pool.urlopen(
                method,
                self._base + path,
                body=body,
                headers=spelled,
                retries=False,
                redirect=False,
                preload_content=False,
                timeout=urllib3.Timeout(connect=self._timeout, read=self._timeout),
            )
            hidden = [spelled[name] for name, value in headers.items() if isinstance(value, Secret)]
            return read_answer(response, self._answer_bytes, [*hidden, *secrets_of_proxy(self._way[0])])
        except HTTPError as error:
            raise self._failure(error) from None  # the cause's text may hold the URL of a proxy, with its password

    def close(self) -> None:
        """Close the kept connections."""
        self._pool.clear()

    def _current_pool(self) -> urllib3.PoolManager:
        with self._changing:
            self._tls.refresh()
            way = (proxy_of(self._base, self._proxy), self._tls.changes)
            if way != self._way:
                before, self._pool, self._way = self._pool, self._open(way), way
                before.clear()
            return self._pool

    def _open(self, way: _Way) -> urllib3.PoolManager:
        pool = pool_through(way[0], self._tls.server, self._tls.proxy)
        pool.pool_classes_by_scheme = {"http": _BoundedPool, "https": _BoundedTlsPool}
        return pool

    def _failure(self, error: HTTPError) -> TransportError:
        cause = error.original_error if isinstance(error, ProxyError) else error
        through = "the proxy: " if isinstance(error, ProxyError) else ""
        if isinstance(cause, SSLError):
            trouble = cause.args[0]
            refused = isinstance(trouble, ssl.SSLCertVerificationError)
            said = trouble.verify_message if refused else getattr(trouble, "reason", None) or "handshake failed"
            return TransportError(f"{self._place}: {through}TLS: {said}", lasting=refused)
        return TransportError(f"{self._place}: {through}{_explain(cause, self._timeout)}")


class _BoundedPool(urllib3.HTTPConnectionPool):
    ConnectionCls = BoundedConnection


class _BoundedTlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = BoundedTlsConnection


def _explain(error: Exception, timeout: float) -> str:
    said = f"no answer ({type(error).__name__})"
    match error:
        case NameResolutionError():
            said = "the host's name is not known"
        case NewConnectionError():
            said = f"no connection: {getattr(error.__cause__, 'strerror', None) or 'refused'}"
        case ConnectTimeoutError():  # the two above are special cases of it
            said = f"no connection within {timeout:g} s"
        case ReadTimeoutError() | TimeoutError():
            said = f"no answer within {timeout:g} s"
        case ProtocolError():
            said = "the connection was lost before the whole answer came"
        case OSError() if refused := _REFUSED_TUNNEL.match(str(error)):
            said = f"it opened no way to the server (HTTP {refused[1]})"
    return said


def _without_secrets(url: str) -> str:
    """Return a URL without what may be secret in it: user, password, query and fragment."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")
