"""The way of one signal's requests: carried over HTTP or gRPC, answered, classified."""

from collections.abc import Mapping
from typing import Final, Protocol

from mlvitals.clock import Clock, SystemClock
from mlvitals.delivery import Outcome
from mlvitals.errors import MissingExtraError
from mlvitals.sinks.agent import AGENT
from mlvitals.sinks.answers import no_answer
from mlvitals.sinks.otlp.classify import PROTOBUF, classify
from mlvitals.sinks.otlp.settings import Lane, Transport
from mlvitals.sinks.packing import compression_of, unpack
from mlvitals.transport.grpc import GrpcTransport
from mlvitals.transport.http import HttpTransport, TransportError
from mlvitals.transport.secret import Secret

_METHODS: Final = {
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}


class OpenLane(Protocol):
    """Sends bodies of one signal. compressed: whether bodies are to be."""

    compressed: bool

    def send(self, body: bytes) -> Outcome:
        """Send a body once and classify the answer."""
        ...

    def close(self) -> None:
        """Give back what `send` opened."""
        ...


class HttpLane:
    """Posts bodies to one address. clock: against which a Retry-After date is read."""

    def __init__(self, lane: Lane, signal: str, proxy: Secret | None = None, clock: Clock | None = None) -> None:
        self.compressed = lane.compressed
        self._signal = signal
        self._path = lane.address.path
        self._clock = clock or SystemClock()
        self._headers: Mapping[str, str | Secret] = {**lane.headers, "User-Agent": AGENT, "Content-Type": PROTOBUF}
        self._transport = HttpTransport(
            lane.address.origin,
            timeout=lane.timeout,
            ca_file=lane.ca_file,
            cert_file=lane.cert_file,
            key_file=lane.key_file,
            proxy=proxy,
        )

    def send(self, body: bytes) -> Outcome:
        """Post a body once and classify the answer."""
        encoding = {"Content-Encoding": "gzip"} if compression_of(body) == "gzip" else {}
        try:
            answer = self._transport.request("POST", self._path, body, {**self._headers, **encoding})
        except TransportError as error:
            return no_answer(error)
        return classify(answer, self._signal, self._clock.now())

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()


class GrpcLane:
    """Calls the signal's service. A body waits compressed; gRPC is given the message, to compress anew."""

    def __init__(self, lane: Lane, signal: str, proxy: Secret | None = None) -> None:
        self.compressed = True
        self._signal = signal
        self._headers = lane.headers
        self._transport = GrpcTransport(
            lane.address.origin,
            secure=lane.address.secure,
            timeout=lane.timeout,
            compressed=lane.compressed,
            ca_file=lane.ca_file,
            cert_file=lane.cert_file,
            key_file=lane.key_file,
            proxy=proxy,
            agent=AGENT,
        )
        try:
            from mlvitals.sinks.otlp.classify_grpc import classify_call  # noqa: PLC0415  # google.rpc, of the same extra
        except ImportError as error:
            raise MissingExtraError(f'gRPC needs the package {error.name}: pip install "mlvitals[otlp]"') from None
        self._classify = classify_call

    def send(self, body: bytes) -> Outcome:
        """Call once and classify how that ended."""
        try:
            answer = self._transport.call(_METHODS[self._signal], unpack(body), self._headers)
        except TransportError as error:
            return no_answer(error)
        return self._classify(answer, self._signal)

    def close(self) -> None:
        """Close the channel."""
        self._transport.close()


def open_lane(lane: Lane, signal: str, proxy: Secret | None) -> OpenLane:
    """Return the way of a signal's requests; nothing is connected yet.

    Raises:
        ConfigError: a file is not there or cannot be used, or there is no such proxy.
        MissingExtraError: gRPC is asked for, and grpcio is not installed.

    """
    return (GrpcLane if lane.transport is Transport.GRPC else HttpLane)(lane, signal, proxy)
