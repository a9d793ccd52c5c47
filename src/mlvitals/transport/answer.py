"""Reading the answer of a server that may be hostile: bounded in time and bytes, with our secrets blotted out."""

import http.client
import io
import json
import socket
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import urllib3
import urllib3.connection

# No protocol that we speak answers with more, unless a sink says so; the rest of a longer body is not read.
ANSWER_BYTES: Final = 1024 * 1024
_PIECE: Final = 64 * 1024
_INTERIM_AT_MOST: Final = 16
# What an answer may call itself without telling anything. A word of it may stand in a header of ours, too, which all
# count as secrets: `Accept`, or the name of a team.
_TYPES: Final = frozenset(
    {
        "application/json",
        "application/vnd.elasticsearch+json",
        "application/x-protobuf",
        "text/html",
        "text/plain",
    }
)
_SECRET_LENGTH: Final = 6  # a shorter one would stand in a message by chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server said. Header names are in lower case; `body` is decompressed, and cut at its bound."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Patient(io.RawIOBase):
    """Reads a socket until a moment, however slowly it trickles: a socket's own timeout begins anew with each byte."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        timeout = sock.gettimeout()
        self._until = None if timeout is None else time.monotonic() + timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._until is not None:
            left = self._until - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self._sock.settimeout(left)
        return self._raw.readinto(buffer) or 0

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedResponse(http.client.HTTPResponse):
    """An answer that must have come within the socket's timeout, counted from when it is waited for."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_Patient(sock))

    def begin(self) -> None:
        """Read the status and the headers, passing over interim answers (RFC 9110, section 15.2)."""
        super().begin()
        interim = 0
        while self.status < http.HTTPStatus.OK and self.status != http.HTTPStatus.SWITCHING_PROTOCOLS:
            interim += 1
            if interim > _INTERIM_AT_MOST:
                raise http.client.HTTPException("nothing but interim answers")
            self.headers = self.msg = None  # type: ignore[assignment]  # what `begin` looks at to begin
            super().begin()


class BoundedConnection(urllib3.connection.HTTPConnection):
    """A connection whose answers are bounded in time."""

    response_class = _BoundedResponse


class BoundedTlsConnection(urllib3.connection.HTTPSConnection):
    """A connection under TLS whose answers are bounded in time, a proxy's to CONNECT among them."""

    response_class = _BoundedResponse


def read_answer(response: urllib3.BaseHTTPResponse, bytes_at_most: int, secrets: Iterable[str]) -> Answer:
    """Return the answer with its body read to its end, or to its bound; the connection is given back or closed.

    A secret that the server repeats becomes as many asterisks, so that lengths that stand in a message stay true. Of a
    type that we speak the name stays, without its parameters: what an answer means must not hang on our secrets.

    Raises:
        urllib3.exceptions.HTTPError: it ended too early, or took too long.

    """
    content = bytearray()
    while piece := response.read1(min(_PIECE, bytes_at_most + 1 - len(content)), decode_content=False):
        content += piece
        if len(content) > bytes_at_most:
            response.close()
            break
    response.release_conn()
    headers = {name.lower(): value for name, value in response.headers.items()}
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    body = _decompressed(bytes(content[:bytes_at_most]), headers.get("content-encoding", ""), bytes_at_most)
    for form in spellings(secrets):
        body = body.replace(form.encode(), b"*" * len(form.encode()))
        headers = {name: value.replace(form, "*" * len(form)) for name, value in headers.items()}
    if kind in _TYPES:
        headers["content-type"] = kind
    return Answer(status=response.status, headers=headers, body=body)


def _decompressed(content: bytes, encoding: str, bytes_at_most: int) -> bytes:
    """Return what was compressed though we did not ask for it; what cannot be read stays as it is."""
    if encoding.strip().lower() not in {"gzip", "x-gzip", "deflate"}:
        return content
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(content, bytes_at_most)
    except zlib.error:
        return content


def spellings(secrets: Iterable[str]) -> list[str]:
    """Return how a server may repeat secrets, the longest first: what is to be blotted out of what it says."""
    return sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)


def _forms(secret: str) -> set[str]:
    """Return how a server may repeat a secret: whole, its words, and both as JSON or an address spells them."""
    words = {secret.strip(), *secret.split()}
    spelled = words | {json.dumps(word)[1:-1] for word in words} | {quote(word, safe="") for word in words}
    return {form for form in spelled if len(form) >= _SECRET_LENGTH}
