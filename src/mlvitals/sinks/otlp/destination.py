"""An OTLP receiver as a destination: encode, post, classify."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from mlvitals.clock import Clock, SystemClock
from mlvitals.delivery import Outcome, Request, Verdict
from mlvitals.sinks.otlp.classify import PROTOBUF, classify
from mlvitals.sinks.otlp.encode import LOGS, METRICS, Encoder, empty
from mlvitals.sinks.otlp.envelope import VERSION
from mlvitals.sinks.otlp.split import split
from mlvitals.telemetry import LogRecord, MetricPoint
from mlvitals.transport.http import HttpTransport, TransportError

_REASON_LENGTH: Final = 200
_SECRET_LENGTH: Final = 6  # a shorter piece of a header would mask words of the server's message


class OtlpDestination:
    """Sends to `/v1/metrics` and `/v1/logs`.

    headers: go with every request, and are never repeated. clock: against which a Retry-After date is read.
    """

    def __init__(
        self,
        name: str,
        encoder: Encoder,
        transport: HttpTransport,
        headers: Mapping[str, str],
        clock: Clock | None = None,
        *,
        compressed: bool = True,
    ) -> None:
        self._name = name
        self._encoder = encoder
        self._transport = transport
        self._clock = clock or SystemClock()
        own = {"User-Agent": f"mlvitals/{VERSION}", "Content-Type": PROTOBUF}
        self._compressed = compressed
        encoding = {"Content-Encoding": "gzip"} if compressed else {}
        self._headers = {**headers, **own, **encoding}
        self._secrets = _secrets(headers)

    @property
    def name(self) -> str:
        """The destination's name in the outbox."""
        return self._name

    def encode(self, points: Sequence[MetricPoint], logs: Sequence[LogRecord]) -> list[Request]:
        """Return the requests for the points, then those for the logs.

        Raises:
            ValueError: a value is not finite, or a body holds what the protocol cannot.
            KeyError: a metric's name stands in no spec.

        """
        compressed = self._compressed
        return self._encoder.metrics(points, compressed=compressed) + self._encoder.logs(logs, compressed=compressed)

    def split(self, request: Request) -> list[Request]:
        """Return the two halves of a request, or nothing where it holds one item."""
        return split(request, compressed=self._compressed)

    @property
    def routes(self) -> tuple[str, ...]:
        """Metrics and logs, each with its own path."""
        return (METRICS, LOGS)

    def age_limit(self, route: str) -> None:
        """Return None: the protocol knows no age that is too old."""
        del route

    def renew(self, route: str, requests: Iterable[Request], now: int) -> list[Request]:
        """Return the requests as they are."""
        del route, now
        return list(requests)

    def send(self, request: Request) -> Outcome:
        """Post one request once and classify the answer."""
        try:
            answer = self._transport.request("POST", f"/v1/{request.route}", request.body, self._headers)
        except TransportError as error:
            verdict = Verdict.MISCONFIGURED if error.lasting else Verdict.RETRY
            return Outcome(verdict=verdict, reason=error.reason)
        outcome = classify(answer, request.route, self._clock.now())
        return replace(outcome, reason=self._told(outcome.reason))

    def probe(self) -> Outcome:
        """Post empty requests, which a receiver must take, and return the first answer that is not ok."""
        outcomes = (self.send(empty(route, compressed=self._compressed)) for route in (METRICS, LOGS))
        return next((outcome for outcome in outcomes if outcome.verdict is not Verdict.OK), Outcome(verdict=Verdict.OK))

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _told(self, reason: str) -> str:
        """Return a reason without secrets, then cut, so that no half of one remains."""
        masked = self._secrets.sub("***", reason) if self._secrets is not None else reason
        return masked if len(masked) <= _REASON_LENGTH else masked[: _REASON_LENGTH - 1] + "…"


def _secrets(headers: Mapping[str, str]) -> re.Pattern[str] | None:
    """Return what must not be repeated when a server echoes it: the headers' values and the words in them."""
    pieces = {piece for value in headers.values() for piece in (value.strip(), *value.split())}
    told = sorted((piece for piece in pieces if len(piece) >= _SECRET_LENGTH), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, told))) if told else None
