"""A cluster as a destination: templates before the first request, then `_bulk`, settled item by item."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from mlvitals.clock import Clock, SystemClock
from mlvitals.delivery import Outcome, Request, Verdict
from mlvitals.errors import ConfigError
from mlvitals.sinks.answers import no_answer, shortened
from mlvitals.sinks.opensearch import probe
from mlvitals.sinks.opensearch.choices import Engine, Templates
from mlvitals.sinks.opensearch.classify import classify
from mlvitals.sinks.opensearch.cluster import JSON, NDJSON, Cluster
from mlvitals.sinks.opensearch.documents import Layout
from mlvitals.sinks.opensearch.install import Installer
from mlvitals.sinks.opensearch.requests import LOGS, METRICS, bundle, split
from mlvitals.sinks.opensearch.templates import Artifact
from mlvitals.sinks.packing import compression_of, unpack
from mlvitals.telemetry import LogRecord, MetricPoint
from mlvitals.transport.answer import spellings
from mlvitals.transport.http import Answer, TransportError
from mlvitals.transport.secret import Secret

# Only what is read of an answer, so that a thousand refusals fit into it. Percent-encoded, as a signature needs it.
_ITEM: Final = tuple(f"items.%2A.{part}" for part in ("_id", "status", "result", "error.type", "error.reason"))
_CAUSE: Final = "items.%2A.error.caused_by.reason"
_BULK: Final = f"/_bulk?filter_path={'%2C'.join(('errors', *_ITEM, _CAUSE, 'error', 'message', 'Message'))}"


class OpenSearchDestination:
    """Sends to `_bulk`; any thread may.

    secrets: what must not be told when a server repeats it, beside the headers that the transport masks. clock: against
    which a Retry-After date is read.
    """

    def __init__(
        self,
        name: str,
        layout: Layout,
        cluster: Cluster,
        *,
        engine: Engine,
        templates: Templates,
        artifacts: Sequence[Artifact],
        compressed: bool,
        secrets: Sequence[Secret] = (),
        clock: Clock | None = None,
    ) -> None:
        self._name = name
        self._layout = layout
        self._cluster = cluster
        self._engine = engine
        self._templates = templates
        self._compressed = compressed
        self._secrets = tuple(secrets)
        self._clock = clock or SystemClock()
        self._installer = Installer(artifacts=artifacts, engine=engine, ask=self._ask, now=self._clock.now)
        self._preparing = threading.Lock()
        self._prepared = templates is Templates.OFF
        self._warning = ""

    @property
    def name(self) -> str:
        """The destination's name in the outbox."""
        return self._name

    @property
    def routes(self) -> tuple[str, ...]:
        """Documents of measurements, and log records."""
        return (METRICS, LOGS)

    def encode(self, points: Sequence[MetricPoint], logs: Sequence[LogRecord]) -> list[Request]:
        """Return the requests for the measurements, then those for the other records.

        Raises:
            ValueError: a value is not finite.
            KeyError: a point's name stands in no spec.

        """
        return bundle(METRICS, self._layout.metrics(points, logs)) + bundle(LOGS, self._layout.logs(logs))

    def split(self, request: Request) -> list[Request]:
        """Return the two halves of a request, or nothing where it holds one item."""
        return split(request)

    @property
    def renewal(self) -> None:
        """None: a document may tell of any time."""

    def send(self, request: Request) -> Outcome:
        """Send one request once, after the templates, and classify the answer item by item."""
        try:
            prepared = self._prepare()
            if prepared.verdict is not Verdict.OK:
                if prepared.verdict is Verdict.RETRY:
                    self._cluster.move_on()
                return self._told(prepared)
            body = request.body if self._compressed else unpack(request.body)
            encoding = "gzip" if compression_of(body) == "gzip" else ""  # what waits may be of an earlier release
            answer = self._cluster.request("POST", _BULK, body, NDJSON, encoding)
        except TransportError as error:
            return self._told(no_answer(error))
        outcome = classify(answer, request, self._engine, self._clock.now())
        if outcome.verdict is Verdict.RETRY and outcome.remains is None:
            self._cluster.move_on()
        if outcome.verdict is Verdict.MISCONFIGURED:  # templates may have gone meanwhile: look again
            self._prepared = self._templates is Templates.OFF
        if outcome.verdict is Verdict.OK and self._warning:
            outcome, self._warning = replace(outcome, reason=self._warning), ""
        return self._told(outcome)

    def probe(self) -> Outcome:
        """Ask who answers, whether the templates are as they must be, and what we may do; nothing is left there."""
        try:
            return self._told(probe.look(self._ask, self._engine, self._templates, self._installer, self._layout))
        except TransportError as error:
            return self._told(no_answer(error))

    def close(self) -> None:
        """Close the connections."""
        self._cluster.close()

    def _prepare(self) -> Outcome:
        """Install or check the templates, once; what fails is tried again with the next request."""
        with self._preparing:
            if self._prepared:
                return Outcome(verdict=Verdict.OK)
            install = self._templates is Templates.INSTALL
            outcome = self._installer.install() if install else self._installer.check()
            self._prepared = outcome.verdict is Verdict.OK
            if self._prepared:
                self._warning = outcome.reason
            return outcome

    def _told(self, outcome: Outcome) -> Outcome:
        """Return an outcome whose reason holds no secret, then is cut, so that no half of one remains."""
        reason = outcome.reason
        for form in spellings(_values(self._secrets)):
            reason = reason.replace(form, "***")
        return shortened(replace(outcome, reason=reason))

    def _ask(self, method: str, path: str, body: bytes) -> Answer:
        return self._cluster.request(method, path, body, JSON)


def _values(secrets: Iterable[Secret]) -> Iterator[str]:
    """Yield the secrets, and both halves of an `ID:KEY`."""
    for secret in secrets:
        with suppress(ConfigError):  # its file is being exchanged: nobody was told it
            value = secret.read()
            yield from (value, *value.split(":"))
