"""Datadog as a destination: encode, post to one of three intakes, classify."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from mlvitals.clock import MINUTE, SECOND, Clock, SystemClock, format_time
from mlvitals.delivery import LOGS, Outcome, Renewal, Request, Verdict
from mlvitals.errors import ConfigError
from mlvitals.sinks.agent import AGENT
from mlvitals.sinks.answers import no_answer, shortened
from mlvitals.sinks.base import SinkContext
from mlvitals.sinks.datadog import requests
from mlvitals.sinks.datadog.classify import REFUSED_KEY, classify, classify_probe
from mlvitals.sinks.datadog.events import EventEncoder
from mlvitals.sinks.datadog.logs import LogEncoder
from mlvitals.sinks.datadog.renewal import AGE_LIMITS, renew
from mlvitals.sinks.datadog.requests import EVENTS, METRICS, bundle
from mlvitals.sinks.datadog.series import SeriesEncoder
from mlvitals.sinks.datadog.tagbook import TagBook
from mlvitals.sinks.datadog.tagging import Tagging
from mlvitals.sinks.packing import Compression, compression_of
from mlvitals.telemetry import LogRecord, MetricPoint
from mlvitals.transport.http import Answer, HttpTransport, TransportError
from mlvitals.transport.secret import Secret

_PATHS: Final = {METRICS: "/api/v2/series", LOGS: "/api/v2/logs", EVENTS: "/api/v2/events"}
_VALIDATE: Final = "/api/v1/validate"
_ENCODINGS: Final = {"gzip": "gzip", "zstd": "zstd1"}
# "Submit metrics" of Datadog's API reference: a later point is answered with 202, and dropped. A clock may be wrong.
_AHEAD: Final = 10 * MINUTE


class Ways(NamedTuple):
    """Where requests lead: the site, for people, and for each route that is sent to what speaks to its intake."""

    site: str
    metrics: HttpTransport
    others: Mapping[str, HttpTransport]


class DatadogDestination:
    """Sends gauges to `/api/v2/series`, logs to `/api/v2/logs`, change events to `/api/v2/events`; any thread may.

    historical: Datadog was told to take points of any age. clock: against which ages and a Retry-After date are read.
    """

    def __init__(
        self,
        name: str,
        ways: Ways,
        key: Secret,
        context: SinkContext,
        *,
        compression: Compression,
        historical: bool,
        clock: Clock | None = None,
    ) -> None:
        self._name = name
        self._ways = ways
        self._key = key
        self._compression = compression
        self._historical = historical
        self._clock = clock or SystemClock()
        self._tags = TagBook(context.store, name)
        tagging = Tagging(context.service, self._tags)
        self._series = SeriesEncoder(context.specs, tagging)
        self._logs = LogEncoder(context.service, tagging)
        self._events = EventEncoder(context.service, tagging)

    @property
    def name(self) -> str:
        """The destination's name in the outbox."""
        return self._name

    @property
    def routes(self) -> tuple[str, ...]:
        """Metrics, and what else is sent."""
        return (METRICS, *self._ways.others)

    def encode(self, points: Sequence[MetricPoint], logs: Sequence[LogRecord]) -> list[Request]:
        """Return the requests for the points, then those for the logs, then those for change events.

        Raises:
            ValueError: a value is not finite, or an attribute no text.
            KeyError: a metric's name stands in no spec.

        """
        if not self._tags.refresh():
            self._series.forget()
        encoded = bundle(METRICS, self._series.items(points), self._compression)
        if LOGS in self._ways.others:
            encoded += bundle(LOGS, self._logs.items(logs), self._compression)
        if EVENTS in self._ways.others:
            encoded += self._events.requests(logs)
        return encoded

    def split(self, request: Request) -> list[Request]:
        """Return the two halves of a request, or nothing where it holds one item."""
        return [] if request.route == EVENTS else requests.split(request)

    @property
    def renewal(self) -> Renewal:
        """The destination itself."""
        return self

    def age_limit(self, route: str) -> int | None:
        """Return the age past which Datadog drops what it answers with 202."""
        return None if route == METRICS and self._historical else AGE_LIMITS[route]

    def renew(self, route: str, requests: Iterable[Request], now: int) -> list[Request]:
        """Return what is sent in place of requests that have grown too old."""
        if self.age_limit(route) is None:
            return list(requests)
        return renew(route, requests, now, self._compression)

    def send(self, request: Request) -> Outcome:
        """Post one request once, and again where the key's file was exchanged meanwhile; classify the answer."""
        now = self._clock.now()
        if request.route == METRICS and request.last > now + _AHEAD:
            reason = f"a point of {format_time(request.last)} waits: Datadog drops what is 10 minutes ahead of it"
            wait = (request.last - now - _AHEAD) / SECOND
            return Outcome(verdict=Verdict.RETRY, reason=reason, retry_after=wait)
        way = self._ways.metrics if request.route == METRICS else self._ways.others[request.route]
        headers = {"Content-Type": "application/json"}
        encoding = _ENCODINGS.get(compression_of(request.body))
        if encoding is not None:
            headers["Content-Encoding"] = encoding
        answer = self._ask(way, "POST", _PATHS[request.route], request.body, headers)
        if isinstance(answer, Outcome):
            return answer
        outcome = classify(answer, request.route, now)
        if outcome.verdict is Verdict.OK:
            outcome = replace(outcome, reason=self._tags.collisions())
        return shortened(outcome)

    def probe(self) -> Outcome:
        """Ask whether the API key is valid."""
        answer = self._ask(self._ways.metrics, "GET", _VALIDATE, b"", {})
        if isinstance(answer, Outcome):
            return answer
        return shortened(classify_probe(answer, self._ways.site, self._clock.now()))

    def close(self) -> None:
        """Close the connections."""
        for transport in (self._ways.metrics, *self._ways.others.values()):
            transport.close()

    def _ask(
        self, way: HttpTransport, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> Answer | Outcome:
        spelled: dict[str, str | Secret] = {
            "Accept": "application/json",
            "User-Agent": AGENT,
            "DD-API-KEY": self._key,
            **headers,
        }
        try:
            key = self._key.read()
            answer = way.request(method, path, body, spelled)
            if answer.status in REFUSED_KEY and self._key.read() != key:
                answer = way.request(method, path, body, spelled)
        except TransportError as error:
            return no_answer(error)
        except ConfigError as error:  # a file that is being exchanged
            return Outcome(verdict=Verdict.RETRY, reason=str(error))
        return answer
