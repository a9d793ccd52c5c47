"""Where each signal goes and how: what the configuration says, else OpenTelemetry's variables, else the defaults.

Source: OpenTelemetry, "Protocol Exporter" and "Environment Variable Specification". An empty variable is none. What a
variable says and cannot be meant is an error, not passed over as the specification would have it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from mlvitals.clock import SECOND, parse_duration
from mlvitals.errors import ConfigError
from mlvitals.sinks import checks
from mlvitals.transport.secret import Secret

if TYPE_CHECKING:
    from mlvitals.sinks.otlp.config import OtlpSink

_PREFIX: Final = "OTEL_EXPORTER_OTLP_"
_RESOURCE: Final = "OTEL_RESOURCE_ATTRIBUTES"
_GRPC_PORT: Final = 4317
_TIMEOUT: Final = "10s"
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_METADATA_NAME: Final = re.compile(r"[0-9A-Za-z_.-]+")  # gRPC over HTTP/2, "Custom-Metadata", in lower case on its way
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OURS: Final = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "te",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    }
)


class Transport(StrEnum):
    """How requests are carried, by the protocol's own names."""

    HTTP = "http/protobuf"
    GRPC = "grpc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where requests go: over HTTP `origin` and `path` make the URL; over gRPC `origin` is `host:port`."""

    origin: str
    path: str = ""
    secure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """How one signal's requests go out. timeout: seconds."""

    transport: Transport
    address: Address
    headers: Mapping[str, Secret]
    compressed: bool
    timeout: float
    ca_file: Path | None
    cert_file: Path | None
    key_file: Path | None


def lane(config: "OtlpSink", signal: str, environ: Mapping[str, str]) -> Lane:
    """Return how the requests of a signal (`metrics`, `logs`) go out.

    Raises:
        ConfigError: a variable, or a secret among the headers, cannot be used; the message repeats no secret.

    """
    variables = _Variables(signal, environ)
    transport = _transport(config, variables)
    cert_file, key_file = config.cert_file, config.key_file
    if cert_file is None:
        cert_file, key_file = variables.path("CLIENT_CERTIFICATE"), variables.path("CLIENT_KEY")
    return Lane(
        transport=transport,
        address=_address(config, signal, transport, variables),
        headers=_headers(config, transport, variables),
        compressed=_compression(config, variables) == "gzip",
        timeout=_timeout(config, variables),
        ca_file=config.ca_file or variables.path("CERTIFICATE"),
        cert_file=cert_file,
        key_file=key_file,
    )


def resource_attributes(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what the environment adds to the resource.

    Raises:
        ConfigError: it is no list of `key=value`.

    """
    return _pairs(_RESOURCE, environ.get(_RESOURCE, "").strip())


def require_headers(headers: Mapping[str, Secret], transport: Transport) -> None:
    """Refuse names that no request can have, or that are ours to set.

    Raises:
        ValueError: without the value, which is secret.

    """
    for name in headers:
        lower = name.lower()
        if (_METADATA_NAME if transport is Transport.GRPC else _HEADER_NAME).fullmatch(name) is None:
            what = "gRPC metadata" if transport is Transport.GRPC else "HTTP header"
            raise ValueError(f"`headers` holds a name that no {what} can have")
        if lower in _OURS or (transport is Transport.GRPC and (lower.startswith("grpc-") or lower.endswith("-bin"))):
            raise ValueError(f"`headers` holds `{name}`, which is not for you to set")


def require_address(key: str, text: str, transport: Transport | None) -> None:
    """Refuse an address that the transport cannot use.

    Raises:
        ValueError: with the key, and without the address, in which secrets may stand.

    """
    whole = text if "://" in text or transport is not Transport.GRPC else f"https://{text}"
    without = " or HOST:PORT" if transport is Transport.GRPC else ""
    parts = checks.require_address(key, whole, form=f"an http:// or https:// address{without}", secrets="`headers`")
    if transport is Transport.GRPC and parts.path not in {"", "/"}:
        raise ValueError(f"`{key}` must hold no path: gRPC has none")


class _Variables:
    """The environment's variables for one signal: its own before the ones for all."""

    def __init__(self, signal: str, environ: Mapping[str, str]) -> None:
        self._own = f"{_PREFIX}{signal.upper()}_"
        self._environ = environ

    def find(self, name: str) -> tuple[str, str] | None:
        """Return a variable's whole name and its text, if it is set."""
        return self.own(name) or self.general(name)

    def own(self, name: str) -> tuple[str, str] | None:
        return self._get(self._own + name)

    def general(self, name: str) -> tuple[str, str] | None:
        return self._get(_PREFIX + name)

    def path(self, name: str) -> Path | None:
        found = self.find(name)
        return Path(found[1]) if found is not None else None

    def _get(self, name: str) -> tuple[str, str] | None:
        text = self._environ.get(name, "").strip()
        return (name, text) if text else None


def _transport(config: "OtlpSink", variables: _Variables) -> Transport:
    found = variables.find("PROTOCOL")
    if config.protocol is not None or found is None:
        return config.protocol or Transport.HTTP
    name, text = found
    if text not in list(Transport):
        raise ConfigError(f"`{name}` is `{text}`: choose {' or '.join(Transport)}")
    return Transport(text)


def _address(config: "OtlpSink", signal: str, transport: Transport, variables: _Variables) -> Address:
    own = {"metrics": config.metrics_endpoint, "logs": config.logs_endpoint}[signal]
    if own is not None:
        name, text, whole = f"{signal}_endpoint", own, True
    elif config.endpoint is not None:
        name, text, whole = "endpoint", config.endpoint, False
    elif (found := variables.own("ENDPOINT")) is not None:
        name, text, whole = *found, True
    elif (found := variables.general("ENDPOINT")) is not None:
        name, text, whole = *found, False
    else:
        name, text, whole = "endpoint", f"http://localhost:{4317 if transport is Transport.GRPC else 4318}", False
    try:
        require_address(name, text, transport)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    if transport is Transport.GRPC:
        return _grpc_address(text, variables)
    parts = urlsplit(text)
    path = parts.path or "/" if whole else f"{parts.path.rstrip('/')}/v1/{signal}"
    return Address(origin=f"{parts.scheme}://{parts.netloc}", path=path, secure=parts.scheme == "https")


def _grpc_address(text: str, variables: _Variables) -> Address:
    if "://" not in text:
        insecure = variables.find("INSECURE")
        plain = insecure is not None and insecure[1].lower() == "true"
        text = f"{'http' if plain else 'https'}://{text}"
    parts = urlsplit(text)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return Address(origin=f"{host}:{parts.port or _GRPC_PORT}", secure=parts.scheme == "https")


def _headers(config: "OtlpSink", transport: Transport, variables: _Variables) -> Mapping[str, Secret]:
    found = variables.find("HEADERS")
    if config.headers is not None or found is None:
        name, headers = "headers", config.headers or {}
    else:
        name, headers = found[0], {key: Secret(value) for key, value in _pairs(*found).items()}
    try:
        require_headers(headers, transport)
    except ValueError as error:
        raise ConfigError(str(error).replace("`headers`", f"`{name}`", 1)) from None
    if any(_HEADER_VALUE.fullmatch(value.read()) is None for value in headers.values()):
        raise ConfigError(f"`{name}` holds a value that no HTTP header can have")
    return headers


def _compression(config: "OtlpSink", variables: _Variables) -> str:
    found = variables.find("COMPRESSION")
    if config.compression is not None or found is None:
        return config.compression or "gzip"
    name, text = found
    if text not in {"gzip", "none"}:
        raise ConfigError(f"`{name}` is `{text}`: choose gzip or none")
    return text


def _timeout(config: "OtlpSink", variables: _Variables) -> float:
    found = variables.find("TIMEOUT")
    if config.timeout is not None or found is None:
        return parse_duration(config.timeout or _TIMEOUT) / SECOND
    name, text = found
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ConfigError(f"`{name}` is `{text}`: write milliseconds, as 10000")
    return int(text) / 1_000


def _pairs(name: str, text: str) -> dict[str, str]:
    """Read `key=value,key=value`, in which what is no plain character stands percent-encoded."""
    pairs = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, sign, value = part.partition("=")
        try:
            decoded = unquote(key.strip(), errors="strict"), unquote(value.strip(), errors="strict")
            "".join(decoded).encode()  # what is no UTF-8 in the environment is no text here
        except UnicodeError:
            decoded = "", ""
        if not sign or not decoded[0]:
            raise ConfigError(f"`{name}` is no list of `key=value`, percent-encoded and joined by commas")
        pairs[decoded[0]] = decoded[1]
    return pairs
