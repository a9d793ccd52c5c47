"""The configuration of an OTLP destination; the protocol's own code is loaded only when one is opened."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from mlvitals.clock import SECOND, parse_duration
from mlvitals.delivery import Sink
from mlvitals.sinks.base import QueueConfig, SinkContext
from mlvitals.telemetry.naming.otel import Spelling

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class OtlpSink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="otlp"):
    """Send to an OTLP receiver: a collector, a vendor's intake, Prometheus.

    endpoint: without `/v1/metrics` and `/v1/logs`, which are appended. headers: secrets, never shown. attributes:
    `otel` for OpenTelemetry's spelling, `short` for the one that the Datadog sink uses. timeout: for each request.
    """

    name: str = "otlp"
    endpoint: str = "http://localhost:4318"
    protocol: str = "http/protobuf"
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    attributes: Spelling = Spelling.OTEL
    compression: Literal["gzip", "none"] = "gzip"
    timeout: str = "10s"
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    queue: QueueConfig = QueueConfig()

    def __post_init__(self) -> None:
        """Refuse what cannot work, without repeating what may be secret."""
        if self.protocol != "http/protobuf":
            raise ValueError(f"`protocol` is `{self.protocol}`, and only http/protobuf is supported yet (gRPC is not)")
        parts = urlsplit(self.endpoint)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("`endpoint` must be an http:// or https:// address")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("`endpoint` must hold no user, password, query or fragment: put secrets into `headers`")
        if parse_duration(self.timeout) == 0:
            raise ValueError("`timeout` must be longer than nothing")
        if self.key_file is not None and self.cert_file is None:
            raise ValueError("`key_file` needs `cert_file`")
        for name, value in self.headers.items():
            if _HEADER_NAME.fullmatch(name) is None or _HEADER_VALUE.fullmatch(value) is None:
                raise ValueError("`headers` holds a name or a value that no HTTP header can have")

    def __repr__(self) -> str:
        """Show everything but the headers' values."""
        shown = {name: getattr(self, name) for name in self.__struct_fields__}
        shown["headers"] = dict.fromkeys(self.headers, "***")
        return f"OtlpSink({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    def open(self, context: SinkContext) -> Sink:
        """Return the destination; nothing is connected yet.

        Raises:
            ConfigError: a named file does not exist.

        """
        from mlvitals.sinks.otlp.destination import OtlpDestination  # noqa: PLC0415  # protobuf costs every start 0.15 s
        from mlvitals.sinks.otlp.encode import Encoder  # noqa: PLC0415  # as above
        from mlvitals.transport.http import HttpTransport  # noqa: PLC0415  # urllib3

        files = {"ca_file": self.ca_file, "cert_file": self.cert_file, "key_file": self.key_file}
        transport = HttpTransport(
            self.endpoint,
            timeout=parse_duration(self.timeout) / SECOND,
            **{key: Path(file) for key, file in files.items() if file is not None},
        )
        encoder = Encoder(context.service, context.specs, self.attributes, {})
        compressed = self.compression == "gzip"
        return OtlpDestination(self.name, encoder, transport, self.headers, compressed=compressed)
