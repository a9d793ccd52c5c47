"""A listening server for what others fetch: pages by GET, bounded in requests, size and time, whoever asks."""

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from mlvitals.errors import ConfigError

REQUEST_BYTES: Final = 16 * 1024  # a line and its headers; a browser's are a few kilobytes
REQUEST_SECONDS: Final = 5.0  # for all of a request, and again for its answer
CLIENTS: Final = 16  # at a time; what comes beyond is answered that we are busy

_PIECE: Final = 4096
_BACKLOG: Final = 64
_POLL_SECONDS: Final = 0.2
_PARTING_SECONDS: Final = 2.0

_REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What was asked for: the path without its parameters, and headers by lower-case names."""

    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is answered."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


NOT_FOUND: Final = Page(status=404, body=b"not found\n")

Answer = Callable[[Query], Page]


def split_address(address: str) -> tuple[str, int]:
    """Return the host and the port of an address as `127.0.0.1:9464`, `[::1]:9464`; port 0 is any free one.

    Raises:
        ValueError: it is no such address.

    """
    host, colon, port = address.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    plain = colon and bare and (bare != host or ":" not in host)
    if not plain or not (port.isascii() and port.isdecimal()) or int(port) > 65_535:
        raise ValueError(f"`{address}` is no address to listen on: write HOST:PORT, as 127.0.0.1:9464")
    return bare, int(port)


class Listener:
    """Serves pages on an address, in threads of its own, until it is closed.

    Each connection is asked once and closed. Whatever a client sends or fails to send, it costs one of a few places for
    a few seconds.
    """

    def __init__(self, address: str, answer: Answer) -> None:
        """Begin to listen.

        Args:
            address: as `split_address` reads it.
            answer: called in several threads at a time; what it raises is answered with 500.

        Raises:
            ConfigError: it cannot be listened on.

        """
        host, port = split_address(address)
        self._answer = answer
        self._places = threading.BoundedSemaphore(CLIENTS)
        self._stop = threading.Event()
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            self._socket = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        except OSError as error:
            cause = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
            raise ConfigError(f"{address} cannot be listened on: {cause}") from error
        self._socket.settimeout(_POLL_SECONDS)
        self._thread = threading.Thread(target=self._accept, name=f"listen {address}", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it listens, with the port that was found for port 0."""
        host, port = self._socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def close(self) -> None:
        """Stop listening; who is being answered has a moment to take the answer."""
        self._stop.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        self._thread.join()
        self._socket.close()
        end = time.monotonic() + _PARTING_SECONDS
        for _ in range(CLIENTS):
            self._places.acquire(timeout=max(end - time.monotonic(), 0.0))

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                client, _ = self._socket.accept()
            except TimeoutError:
                continue
            except OSError:  # of the client, or there are too many open files: neither may end us or spin
                self._stop.wait(_POLL_SECONDS)
                continue
            if self._places.acquire(blocking=False):
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()
                continue
            with client, suppress(OSError):
                client.settimeout(_POLL_SECONDS)
                client.sendall(_spell(Page(status=503, body=b"busy\n"), head=False))

    def _serve(self, client: socket.socket) -> None:
        try:
            with client, suppress(OSError):
                page, head = self._respond(client)
                client.settimeout(REQUEST_SECONDS)  # for all of it
                client.sendall(_spell(page, head=head))
                client.shutdown(socket.SHUT_WR)
                _drain(client)
        finally:
            self._places.release()

    def _respond(self, client: socket.socket) -> tuple[Page, bool]:
        """Return what to answer, and whether only its head was asked for."""
        received = _receive(client)
        if isinstance(received, Page):
            return received, False
        query, method = _parse(received)
        if query is None:
            return Page(status=400, body=b"not HTTP\n"), False
        if method not in {"GET", "HEAD"}:
            return Page(status=405, body=b"only GET\n"), False
        try:
            return self._answer(query), method == "HEAD"
        except Exception:  # noqa: BLE001  # whatever is wrong inside, the one who asks must hear that it is
            return Page(status=500, body=b"cannot be told now\n"), False


def _receive(client: socket.socket) -> bytes | Page:
    """Return a request as far as the end of its headers, or what to answer where that does not come."""
    until = time.monotonic() + REQUEST_SECONDS
    received = bytearray()
    while b"\r\n\r\n" not in received:
        left = until - time.monotonic()
        if left <= 0:
            return Page(status=408, body=b"too slow\n")
        client.settimeout(left)
        try:
            piece = client.recv(_PIECE)
        except TimeoutError:
            continue
        if not piece:
            return Page(status=400, body=b"not HTTP\n")
        received += piece
        if len(received) > REQUEST_BYTES:
            return Page(status=431, body=b"too long\n")
    return bytes(received)


def _parse(received: bytes) -> tuple[Query | None, str]:
    head = received.partition(b"\r\n\r\n")[0].decode("latin-1")
    first, *lines = head.split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or not words[1].startswith("/"):
        return None, ""
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}
    return Query(path=words[1].partition("?")[0], headers=headers), words[0]


def _spell(page: Page, *, head: bool) -> bytes:
    lines = (
        f"HTTP/1.1 {page.status} {_REASONS[page.status]}",
        f"Content-Type: {page.content_type}",
        f"Content-Length: {len(page.body)}",
        "Server: mlvitals",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode("latin-1") + (b"" if head else page.body)


def _drain(client: socket.socket) -> None:
    """Take what a client still sends, for a moment: closing on unread bytes would cut off the answer."""
    client.settimeout(_POLL_SECONDS)
    until = time.monotonic() + _POLL_SECONDS
    while time.monotonic() < until and client.recv(_PIECE):
        pass
