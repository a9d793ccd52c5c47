"""A cluster of several hosts: one is spoken to until it does not answer, then the next."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mlvitals.sinks.agent import AGENT
from mlvitals.transport.http import Answer, HttpTransport, TransportError
from mlvitals.transport.secret import Secret

# Given method, URL, body and headers, returns all headers to send.
Authorize = Callable[[str, str, bytes, Mapping[str, str]], Mapping[str, str | Secret]]

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"


def anonymous() -> Authorize:
    """Return what lets a request go as it is."""
    return lambda method, url, body, headers: headers  # noqa: ARG005  # as `Authorize` says


def with_authorization(secret: Secret) -> Authorize:
    """Return what puts one header beside the others."""
    return lambda method, url, body, headers: {**headers, "Authorization": secret}  # noqa: ARG005  # as above


def basic(username: str, password: Secret) -> Secret:
    """Return the header of a user with a password (RFC 7617)."""
    return password.spelled(lambda value: f"Basic {_base64(f'{username}:{value}')}")


def api_key(key: Secret) -> Secret:
    """Return the header of an API key: as Elasticsearch shows it encoded, or as `ID:KEY`."""
    return key.spelled(lambda value: f"ApiKey {_base64(value) if ':' in value else value}")


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One address of the cluster and the way to it."""

    base: str
    transport: HttpTransport


class Cluster:
    """Sends a request to one of several hosts.

    A host is kept while it answers. Where one does not the others are tried at once, each once; that is safe, because
    what we send may come twice.
    """

    def __init__(self, hosts: Sequence[Host], authorize: Authorize) -> None:
        self._hosts = tuple(hosts)
        self._authorize = authorize
        self._current = 0

    def request(self, method: str, path: str, body: bytes, content_type: str, encoding: str = "") -> Answer:
        """Send one request and return the answer, whatever its status.

        Raises:
            TransportError: no host answered; lasting only if that is so for each.

        """
        headers = {"User-Agent": AGENT, "Accept": JSON}
        headers |= {"Content-Type": content_type} if body else {}
        headers |= {"Content-Encoding": encoding} if encoding else {}
        failures: list[TransportError] = []
        first = self._current
        for step in range(len(self._hosts)):
            place = (first + step) % len(self._hosts)
            host = self._hosts[place]
            try:
                signed = self._authorize(method, host.base + path, body, headers)
                answer = host.transport.request(method, path, body, signed)
            except TransportError as error:
                failures.append(error)
                continue
            self._current = place
            return answer
        self._current = (first + 1) % len(self._hosts)
        reasons = dict.fromkeys(failure.reason for failure in failures)
        raise TransportError("; ".join(reasons), lasting=all(failure.lasting for failure in failures))

    def move_on(self) -> None:
        """Speak to the next host from now on: this one answers, but cannot do its work."""
        self._current = (self._current + 1) % len(self._hosts)

    def close(self) -> None:
        """Close the connections."""
        for host in self._hosts:
            host.transport.close()
