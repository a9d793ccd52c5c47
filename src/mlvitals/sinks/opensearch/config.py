"""The configuration of an OpenSearch or Elasticsearch destination; what speaks to it is loaded when it is opened."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec

from mlvitals.clock import DAY, SECOND, parse_duration
from mlvitals.delivery import Sink
from mlvitals.sinks.base import QueueConfig, SinkContext
from mlvitals.sinks.checks import require_address, require_certificate, require_timeout
from mlvitals.sinks.opensearch.choices import Engine, Templates
from mlvitals.telemetry.naming.opensearch import Schema
from mlvitals.transport.secret import Secret

if TYPE_CHECKING:
    from mlvitals.sinks.opensearch.cluster import Authorize, Cluster

_NAMESPACE: Final = re.compile(r"[a-z0-9][a-z0-9_.]{0,99}")
_SCHEMAS: Final = {Engine.OPENSEARCH: Schema.SS4O, Engine.ELASTICSEARCH: Schema.ECS}
_REGION: Final = re.compile(r"[a-z0-9-]+")


class Sigv4Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sign requests for Amazon OpenSearch Service (`es`) or OpenSearch Serverless (`aoss`)."""

    region: str
    service: Literal["es", "aoss"] = "es"

    def __post_init__(self) -> None:
        """Refuse what is no region."""
        if _REGION.fullmatch(self.region) is None:
            raise ValueError("`region` must be one of AWS's, like eu-west-1")


class LifecycleConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long documents are kept, at least."""

    delete_after: str = "90d"

    def __post_init__(self) -> None:
        """Refuse what is no whole number of days."""
        length = parse_duration(self.delete_after)
        if length == 0 or length % DAY:
            raise ValueError("`delete_after` must be whole days or weeks, like 90d")

    @property
    def days(self) -> int:
        """The same in days."""
        return parse_duration(self.delete_after) // DAY


class OpenSearchSink(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="opensearch"
):
    """Send measurements as documents, and log records, to OpenSearch or Elasticsearch.

    hosts: of one cluster; the next is asked where one does not answer. schema: by whose conventions documents are laid
    out, by default the engine's. namespace: the last part of the indices' names. timeout: for each request and host.
    replicas: of each shard, by default one where there is a second node. lifecycle: false to delete nothing.
    """

    name: str = "opensearch"
    hosts: tuple[str, ...] = ("http://localhost:9200",)
    engine: Engine = Engine.OPENSEARCH
    schema: Schema | None = None
    namespace: str = "default"
    username: str | None = None
    password: Secret | None = None
    api_key: Secret | None = None
    sigv4: Sigv4Config | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    proxy: Secret | None = None
    compression: Literal["gzip", "none"] = "gzip"
    timeout: str = "30s"
    queue: QueueConfig = QueueConfig()
    templates: Templates = Templates.INSTALL
    replicas: Annotated[int, msgspec.Meta(ge=0)] | None = None
    lifecycle: LifecycleConfig | bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot work, without repeating what may be secret."""
        if not self.hosts or len(set(self.hosts)) < len(self.hosts):
            raise ValueError("`hosts` must name at least one address, and each once")
        for host in self.hosts:
            require_address("hosts", host, form="http:// or https:// addresses", secrets="`password` or `api_key`")
        if _NAMESPACE.fullmatch(self.namespace) is None:
            raise ValueError("`namespace` must be of a-z, 0-9, `_` and `.`, up to a hundred of them")
        require_timeout(self.timeout)
        if (self.username is None) != (self.password is None):
            raise ValueError("`username` and `password` need each other")
        if sum(one is not None for one in (self.password, self.api_key, self.sigv4)) > 1:
            raise ValueError("give only one of `password`, `api_key` and `sigv4`")
        require_certificate(self.cert_file, self.key_file)
        if self.lifecycle is True:
            raise ValueError("`lifecycle` must say `{delete_after: 90d}`, or false to delete nothing")
        if self.lifecycle and self.sigv4 is not None and self.sigv4.service == "aoss":
            raise ValueError("`lifecycle` must be false: OpenSearch Serverless has its own data lifecycle policies")

    @property
    def layout(self) -> Schema:
        """The schema: what is given, or the engine's own."""
        return self.schema or _SCHEMAS[self.engine]

    def open(self, context: SinkContext) -> Sink:
        """Return the destination; nothing is connected yet.

        Raises:
            ConfigError: a named file does not exist.
            MissingExtraError: `sigv4` is asked for without botocore.

        """
        from mlvitals.sinks.opensearch import templates  # noqa: PLC0415  # as below
        from mlvitals.sinks.opensearch.destination import OpenSearchDestination  # noqa: PLC0415  # urllib3
        from mlvitals.sinks.opensearch.documents import Layout  # noqa: PLC0415  # as above

        schema = self.layout
        days = self.lifecycle.days if isinstance(self.lifecycle, LifecycleConfig) else None
        return OpenSearchDestination(
            self.name,
            Layout(service=context.service, specs=context.specs, schema=schema, namespace=self.namespace),
            self._cluster(),
            engine=self.engine,
            templates=self.templates,
            artifacts=templates.render(
                context.specs, schema, self.namespace, self.engine, delete_after=days, replicas=self.replicas
            ),
            compressed=self.compression == "gzip",
            secrets=[one for one in (self.password, self.api_key) if one is not None],
        )

    def _cluster(self) -> "Cluster":
        from mlvitals.sinks.opensearch.cluster import Cluster, Host  # noqa: PLC0415  # urllib3
        from mlvitals.transport.http import HttpTransport  # noqa: PLC0415  # as above

        def transport(host: str) -> HttpTransport:
            return HttpTransport(
                host,
                timeout=parse_duration(self.timeout) / SECOND,
                ca_file=self.ca_file,
                cert_file=self.cert_file,
                key_file=self.key_file,
                proxy=self.proxy,
            )

        bases = [host.rstrip("/") for host in self.hosts]
        return Cluster([Host(base=base, transport=transport(base)) for base in bases], self._authorize())

    def _authorize(self) -> "Authorize":
        from mlvitals.sinks.opensearch import cluster  # noqa: PLC0415  # urllib3

        if self.sigv4 is not None:
            from mlvitals.transport.sigv4 import signer  # noqa: PLC0415  # as above

            return signer(self.sigv4.region, self.sigv4.service)
        if self.api_key is not None:
            return cluster.with_authorization(cluster.api_key(self.api_key))
        if self.username is not None and self.password is not None:
            return cluster.with_authorization(cluster.basic(self.username, self.password))
        return cluster.anonymous()
