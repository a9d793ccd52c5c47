"""The configuration of a Datadog destination; what speaks to it is loaded when it is opened."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec

from mlvitals.clock import SECOND, parse_duration
from mlvitals.delivery import LOGS, Sink
from mlvitals.errors import ConfigError
from mlvitals.sinks.base import QueueConfig, SinkContext
from mlvitals.sinks.checks import require_address, require_certificate, require_timeout
from mlvitals.transport.secret import Secret

# "Datadog sites" of its documentation, as its API's description lists them.
SITES: Final = (
    "datadoghq.com",
    "us3.datadoghq.com",
    "us5.datadoghq.com",
    "datadoghq.eu",
    "ap1.datadoghq.com",
    "ap2.datadoghq.com",
    "uk1.datadoghq.com",
    "ddog-gov.com",
    "us2.ddog-gov.com",
)
_WITHOUT_HISTORY: Final = frozenset({"ddog-gov.com", "us2.ddog-gov.com"})
_API_KEY: Final = "DD_API_KEY"


class EndpointsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Other addresses than the site's, each without `/api/…`, which is appended: a relay's, a proxy's, a test's."""

    metrics: str | None = None
    logs: str | None = None
    events: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no address, without repeating what may be secret."""
        for name in self.__struct_fields__:
            if (address := getattr(self, name)) is not None:
                require_address(name, address, secrets="`api_key`")

    @property
    def complete(self) -> bool:
        """Whether the site is asked for nothing."""
        return None not in (self.metrics, self.logs, self.events)


class DatadogSink(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="datadog"
):
    """Send gauges, logs and change events to Datadog.

    api_key: by default the variable DD_API_KEY. endpoints: other addresses than the site's. timeout: for each request.
    logs: every measurement, whole. events: change events over graphs. historical: points of any age are sent as they
    are, because Datadog was told, metric by metric, to take them.
    """

    name: str = "datadog"
    site: str = "datadoghq.com"
    api_key: Secret | None = None
    endpoints: EndpointsConfig = EndpointsConfig()
    logs: bool = True
    events: bool = True
    historical: bool = False
    compression: Literal["gzip", "zstd", "none"] = "gzip"
    timeout: str = "10s"
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    proxy: Secret | None = None
    queue: QueueConfig = QueueConfig()

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        # A key that is sent to a mistyped site has been given away.
        if self.site not in SITES and not self.endpoints.complete:
            known = ", ".join(SITES)
            raise ValueError(f"`site` must be one of {known}; for another give all three `endpoints`")
        if self.historical and self.site in _WITHOUT_HISTORY:
            raise ValueError("`historical` must be false: Datadog's government sites take no historical metrics")
        require_timeout(self.timeout)
        require_certificate(self.cert_file, self.key_file)

    def open(self, context: SinkContext) -> Sink:
        """Return the destination; nothing is connected yet.

        Raises:
            ConfigError: there is no API key, or a named file does not exist.

        """
        from mlvitals.sinks.datadog.destination import DatadogDestination, Ways  # noqa: PLC0415  # urllib3
        from mlvitals.sinks.datadog.requests import EVENTS  # noqa: PLC0415  # zstandard
        from mlvitals.transport.http import HttpTransport  # noqa: PLC0415  # urllib3

        def transport(address: str | None, host: str) -> HttpTransport:
            return HttpTransport(
                address or f"https://{host}.{self.site}",
                timeout=parse_duration(self.timeout) / SECOND,
                ca_file=self.ca_file,
                cert_file=self.cert_file,
                key_file=self.key_file,
                proxy=self.proxy,
            )

        given = self.endpoints
        others = {}
        if self.logs:
            others[LOGS] = transport(given.logs, "http-intake.logs")
        if self.events:
            others[EVENTS] = transport(given.events, "event-management-intake")
        return DatadogDestination(
            self.name,
            Ways(site=given.metrics or self.site, metrics=transport(given.metrics, "api"), others=others),
            self._key(context.environ),
            context,
            compression=self.compression,
            historical=self.historical,
        )

    def _key(self, environ: Mapping[str, str]) -> Secret:
        key = self.api_key or Secret(environ.get(_API_KEY, "").strip())
        if not key.read():
            raise ConfigError(f"sink {self.name}: there is no API key: give `api_key`, or set {_API_KEY}")
        return key
