"""How the job itself is watched: what it tells of itself, who may ask, and the second way out."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

import msgspec

from mlvitals.clock import MINUTE, SECOND
from mlvitals.config.scalar import Duration
from mlvitals.errors import ConfigError
from mlvitals.sinks.checks import require_address
from mlvitals.transport.secret import Secret

if TYPE_CHECKING:
    from mlvitals.config.entries import Config

# What the job tells of itself is shown for an hour by a scrape endpoint.
_LONGEST: Final = 30 * MINUTE


class TelemetryConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How often a job that follows its sources tells of itself."""

    interval: Duration = Duration("1m")

    def __post_init__(self) -> None:
        if not SECOND <= self.interval.microseconds <= _LONGEST:
            raise ValueError("`interval` must be from 1s to 30m")


class HealthConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a supervisor asks whether the job is well: host and port, port 0 for any free one."""

    listen: str = "127.0.0.1:8089"

    def __post_init__(self) -> None:
        from mlvitals.transport.listen import split_address  # noqa: PLC0415  # --help opens no socket

        split_address(self.listen)


class InstrumentationConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the job tells of itself by the OpenTelemetry SDK, beside the outbox and its disk.

    endpoint: without `/v1/metrics` for http/protobuf. headers: secrets, never shown. timeout: for each request.
    """

    endpoint: str
    protocol: Literal["http/protobuf", "grpc"] = "http/protobuf"
    interval: Duration = Duration("1m")
    timeout: Duration = Duration("10s")
    headers: Mapping[str, Secret] = {}
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        require_address("endpoint", self.endpoint, secrets="`headers`")
        if self.interval.microseconds < SECOND or self.timeout.microseconds < SECOND:
            raise ValueError("`interval` and `timeout` must be 1s or longer")


def refuse_told_twice(config: "Config") -> None:
    """Refuse a second way out that leads where the first one does.

    Raises:
        ConfigError: a receiver would get each point of the job's own twice, as one series, and may refuse both.

    """
    if config.instrumentation is None:
        return
    wanted = _place(config.instrumentation.endpoint)
    for sink in config.sinks:
        if _place(str(getattr(sink, "endpoint", ""))) == wanted:
            raise ConfigError(
                f"the sink `{sink.name}` leads to the same receiver, which would get the job's own metrics twice"
                " - at `$.instrumentation.endpoint`"
            )


def _place(endpoint: str) -> tuple[str | None, int | None]:
    parts = urlsplit(endpoint)
    return parts.hostname, parts.port
