"""One request at a time over a kept connection: no retries, no redirects, bounded time and answer, no secrets told."""

import ssl
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
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

# No protocol that we speak answers with more; the rest of a longer body is not read.
ANSWER_BYTES: Final = 1024 * 1024
_PIECE: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server said. Header names are in lower case; `body` is cut at `ANSWER_BYTES`."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class TransportError(Exception):
    """No answer came: `reason` is one line without secrets; `lasting` if only a person can change it (certificates)."""

    def __init__(self, reason: str, *, lasting: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lasting = lasting


class HttpTransport:
    """Speaks to one server.

    base: scheme, host, port and a path that every request's path is appended to. timeout: seconds to connect, between
    two bytes of the answer, and for its whole body. Proxies come from the environment (HTTPS_PROXY, NO_PROXY …).
    """

    def __init__(
        self,
        base: str,
        *,
        timeout: float,
        ca_file: Path | None = None,
        cert_file: Path | None = None,
        key_file: Path | None = None,
    ) -> None:
        for file in (ca_file, cert_file, key_file):
            if file is not None and not file.is_file():
                raise ConfigError(f"{file}: there is no such file")
        self._base = base.rstrip("/")
        self._place = _without_secrets(base)
        self._timeout = timeout
        self._pool = _pool(base, ca_file, cert_file, key_file)

    def request(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send one request and return the answer, whatever its status; `path` is appended to the base as it is.

        Raises:
            TransportError: there was no whole answer; whether the server took the request is not known.

        """
        try:
            response = self._pool.urlopen(
                method,
                self._base + path,
                body=body,
                headers=dict(headers),
                retries=False,
                redirect=False,
                preload_content=False,
                timeout=urllib3.Timeout(connect=self._timeout, read=self._timeout),
            )
            content = self._read(response)
        except HTTPError as error:
            raise self._failure(error) from None  # the cause's text may hold the URL of a proxy, with its password
        answered = {name.lower(): value for name, value in response.headers.items()}
        return Answer(status=response.status, headers=answered, body=content)

    def close(self) -> None:
        """Close the kept connections."""
        self._pool.clear()

    def _read(self, response: urllib3.BaseHTTPResponse) -> bytes:
        until = time.monotonic() + self._timeout
        content = bytearray()
        while piece := response.read1(min(_PIECE, ANSWER_BYTES + 1 - len(content))):
            content += piece
            if len(content) > ANSWER_BYTES:
                response.close()
                return bytes(content[:ANSWER_BYTES])
            if time.monotonic() > until:
                response.close()
                raise TransportError(f"{self._place}: the answer took longer than {self._timeout:g} s")
        response.release_conn()
        return bytes(content)

    def _failure(self, error: HTTPError) -> TransportError:
        cause = error.original_error if isinstance(error, ProxyError) else error
        through = "the proxy: " if isinstance(error, ProxyError) else ""
        if isinstance(cause, SSLError):
            trouble = cause.args[0]
            refused = isinstance(trouble, ssl.SSLCertVerificationError)
            said = trouble.verify_message if refused else getattr(trouble, "reason", None) or "handshake failed"
            return TransportError(f"{self._place}: {through}TLS: {said}", lasting=refused)
        return TransportError(f"{self._place}: {through}{_explain(cause, self._timeout)}")


def _explain(error: Exception, timeout: float) -> str:
    match error:
        case NameResolutionError():
            return "the host's name is not known"
        case NewConnectionError():
            return f"no connection: {getattr(error.__cause__, 'strerror', None) or 'refused'}"
        case ConnectTimeoutError():  # the two above are special cases of it
            return f"no connection within {timeout:g} s"
        case ReadTimeoutError():
            return f"no answer within {timeout:g} s"
        case ProtocolError():
            return "the connection was lost before the whole answer came"
        case _:
            return f"no answer ({type(error).__name__})"


def _pool(
    base: str, ca_file: Path | None, cert_file: Path | None, key_file: Path | None
) -> urllib3.PoolManager | urllib3.ProxyManager:
    options: dict[str, Any] = {
        "cert_reqs": "CERT_REQUIRED",
        "ca_certs": ca_file,
        "cert_file": cert_file,
        "key_file": key_file,
        "num_pools": 1,
        "maxsize": 1,
    }
    parts = urlsplit(base)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy is None or urllib.request.proxy_bypass(parts.netloc):
        return urllib3.PoolManager(**options)
    user = urllib3.util.parse_url(proxy).auth
    headers = urllib3.util.make_headers(proxy_basic_auth=user) if user else None
    return urllib3.ProxyManager(proxy, proxy_headers=headers, **options)


def _without_secrets(url: str) -> str:
    """Return a URL without what may be secret in it: user, password, query and fragment."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")
