"""The configuration of an OTLP destination; the protocol's own code is loaded only when one is opened."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from mlvitals.delivery import Sink
from mlvitals.sinks.base import QueueConfig, SinkContext
from mlvitals.sinks.checks import require_certificate, require_timeout
from mlvitals.sinks.otlp.settings import Transport, lane, require_address, require_headers, resource_attributes
from mlvitals.telemetry.naming.otel import Spelling
from mlvitals.transport.secret import Secret


class OtlpSink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="otlp"):
    """Send to an OTLP receiver: a collector, a vendor's intake, Prometheus.

    What is not given is taken from OpenTelemetry's variables, read on opening; else it has a default.

    endpoint: over HTTP `/v1/metrics` and `/v1/logs` are appended; metrics_endpoint, logs_endpoint: as they are.
    signals: what to send. protocol: `http/protobuf`, or `grpc`. headers: secrets. attributes: `otel` for
    OpenTelemetry's spelling, `short` for the one that the Datadog sink uses. timeout: for each request. proxy: else the
    environment's.
    """

    name: str = "otlp"
    endpoint: str | None = None
    metrics_endpoint: str | None = None
    logs_endpoint: str | None = None
    signals: tuple[Literal["metrics", "logs"], ...] = ("metrics", "logs")
    protocol: Transport | None = None
    headers: Mapping[str, Secret] | None = None
    attributes: Spelling = Spelling.OTEL
    compression: Literal["gzip", "none"] | None = None
    timeout: str | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    proxy: Secret | None = None
    queue: QueueConfig = QueueConfig()

    def __post_init__(self) -> None:
        """Refuse what cannot work, without repeating what may be secret."""
        for key in ("endpoint", "metrics_endpoint", "logs_endpoint"):
            if (text := getattr(self, key)) is not None:
                require_address(key, text, self.protocol)
        if not self.signals or len(set(self.signals)) < len(self.signals):
            raise ValueError("`signals` must name metrics, logs or both, each once")
        if self.timeout is not None:
            require_timeout(self.timeout)
        require_certificate(self.cert_file, self.key_file)
        require_headers(self.headers or {}, self.protocol or Transport.HTTP)

    def open(self, context: SinkContext) -> Sink:
        """Return the destination; nothing is connected yet.

        Raises:
            ConfigError: a named file does not exist, or a variable cannot be used.
            MissingExtraError: gRPC is asked for, and grpcio is not installed.

        """
        from mlvitals.sinks.otlp.destination import OtlpDestination  # noqa: PLC0415  # protobuf costs every start 0.15 s
        from mlvitals.sinks.otlp.encode import Encoder  # noqa: PLC0415  # as above
        from mlvitals.sinks.otlp.lanes import OpenLane, open_lane  # noqa: PLC0415  # urllib3

        lanes: dict[str, OpenLane] = {
            signal: open_lane(lane(self, signal, context.environ), signal, self.proxy) for signal in self.signals
        }
        resource = resource_attributes(context.environ)
        return OtlpDestination(self.name, Encoder(context.service, context.specs, self.attributes, resource), lanes)
