"""An OTLP receiver as a destination: encode, send each signal its way."""

from collections.abc import Mapping, Sequence

from mlvitals.delivery import Outcome, Request, Verdict
from mlvitals.sinks.answers import shortened
from mlvitals.sinks.otlp.encode import LOGS, METRICS, Encoder, empty
from mlvitals.sinks.otlp.lanes import OpenLane
from mlvitals.sinks.otlp.split import split
from mlvitals.telemetry import LogRecord, MetricPoint


class OtlpDestination:
    """Sends metrics and logs, or one of both: the signals that there are lanes for."""

    def __init__(self, name: str, encoder: Encoder, lanes: Mapping[str, OpenLane]) -> None:
        self._name = name
        self._encoder = encoder
        self._lanes = lanes

    @property
    def name(self) -> str:
        """The destination's name in the outbox."""
        return self._name

    @property
    def routes(self) -> tuple[str, ...]:
        """Metrics and logs, as far as they are sent, each with an address of its own."""
        return tuple(self._lanes)

    def encode(self, points: Sequence[MetricPoint], logs: Sequence[LogRecord]) -> list[Request]:
        """Return the requests for the points, then those for the logs.

        Raises:
            ValueError: a value is not finite, or a body holds what the protocol cannot.
            KeyError: a metric's name stands in no spec.

        """
        requests = []
        if METRICS in self._lanes:
            requests += self._encoder.metrics(points, compressed=self._lanes[METRICS].compressed)
        if LOGS in self._lanes:
            requests += self._encoder.logs(logs, compressed=self._lanes[LOGS].compressed)
        return requests

    def split(self, request: Request) -> list[Request]:
        """Return the two halves of a request, or nothing where it holds one item."""
        return split(request)

    @property
    def renewal(self) -> None:
        """None: the protocol knows no age that is too old."""

    def send(self, request: Request) -> Outcome:
        """Send one request once and classify the answer."""
        return shortened(self._lanes[request.route].send(request.body))

    def probe(self) -> Outcome:
        """Send empty requests, which a receiver must take, and return the first answer that is not ok."""
        outcomes = (self.send(empty(route, compressed=lane.compressed)) for route, lane in self._lanes.items())
        return next((outcome for outcome in outcomes if outcome.verdict is not Verdict.OK), Outcome(verdict=Verdict.OK))

    def close(self) -> None:
        """Close the connections."""
        for lane in self._lanes.values():
            lane.close()
