"""Every server and program that tests run, with its pinned version: the only place that names them.

The quick ones come first.
"""

from typing import Final

from tests.stack.collector import Collector
from tests.stack.golang import GoPrograms
from tests.stack.opensearch import OpenSearch
from tests.stack.python import PythonEnvironment
from tests.stack.recipe import Server

OPENSEARCH: Final = Server(
    name="opensearch",
    version="3.8.0",
    recipe=OpenSearch(version="3.8.0", checksum="196c3cf4602c394f2e40e6174ccbf2a924eae37246f08fa6bbb6b75f9fd5ff1f"),
)

# A release whose module still holds both: that of VictoriaLogs alone is not served everywhere.
_VICTORIA: Final = "github.com/VictoriaMetrics/VictoriaMetrics"
_VICTORIA_CHECKSUM: Final = "h1:kZd1x6lA6kpyHsIg4Z+nNC/jcvY+GIl+/WTUqZ0zJQw="

VICTORIA_METRICS: Final = Server(
    name="victoria-metrics",
    version="1.112.0",
    recipe=GoPrograms(
        module=_VICTORIA, version="v1.112.0", checksum=_VICTORIA_CHECKSUM, programs=("app/victoria-metrics",)
    ),
)

VICTORIA_LOGS: Final = Server(
    name="victoria-logs",
    version="1.112.0",
    recipe=GoPrograms(
        module=_VICTORIA,
        version="v1.112.0",
        checksum=_VICTORIA_CHECKSUM,
        programs=("app/victoria-logs",),
        edits=(
            # Go 1.26 sees a type here whose size depends on itself; the padding is for speed alone.
            (
                "lib/logstorage/pipe_stats.go",
                "_ [128 - unsafe.Sizeof(pipeStatsProcessorShardNopad{})%128]byte",
                "_ [128]byte",
            ),
        ),
    ),
)

ALERTMANAGER: Final = Server(
    name="alertmanager",
    version="0.34.2",
    recipe=GoPrograms(
        module="github.com/prometheus/alertmanager",
        version="v0.34.2",
        checksum="h1:4oOnHs4J41X9n+7MucFjA3I5i5MtasjWTnIY27q5Qkw=",
        programs=("cmd/alertmanager", "cmd/amtool"),
        pages=("ui/app/dist/index.html",),
    ),
)

PROMETHEUS: Final = Server(
    name="prometheus",
    version="3.16.0",
    recipe=GoPrograms(
        module="github.com/prometheus/prometheus",
        version="v0.316.0",
        checksum="h1:f1GRFerhTMKQma+awCoC9T820ecWeGSdF+xAlMHzZzM=",
        programs=("cmd/prometheus", "cmd/promtool"),
        tags="remove_all_sd",  # without the clouds' discovery, most of what it would be built from
    ),
)

_CORE: Final = "go.opentelemetry.io/collector"
_CONTRIB: Final = "github.com/open-telemetry/opentelemetry-collector-contrib"

COLLECTOR: Final = Server(
    name="collector",
    version="0.158.0",
    recipe=Collector(
        builder=GoPrograms(
            module=f"{_CORE}/cmd/builder",
            version="v0.158.0",
            checksum="h1:no4kk70FNnarlVnraV0P9FwF3BV4byUhleHvBZvXifU=",
            programs=("",),
        ),
        components=(
            (
                "extensions",
                (
                    f"{_CONTRIB}/extension/healthcheckextension v0.158.0",
                    f"{_CONTRIB}/extension/storage/filestorage v0.158.0",
                ),
            ),
            (
                "receivers",
                (f"{_CORE}/receiver/otlpreceiver v0.158.0", f"{_CONTRIB}/receiver/datadogreceiver v0.158.0"),
            ),
            (
                "exporters",
                (f"{_CORE}/exporter/debugexporter v0.158.0", f"{_CONTRIB}/exporter/fileexporter v0.158.0"),
            ),
            (
                "providers",
                (f"{_CORE}/confmap/provider/fileprovider v1.64.0", f"{_CORE}/confmap/provider/yamlprovider v1.64.0"),
            ),
        ),
    ),
)

GRAFANA_PROVIDER: Final = Server(
    name="terraform-provider-grafana",
    version="4.25.0",
    recipe=GoPrograms(
        module="github.com/grafana/terraform-provider-grafana/v4",
        version="v4.25.0",
        checksum="h1:1V+H4ILdtPSwdneiet6jjOXAsSanXJC0dLTauW88+w0=",
        programs=("",),
    ),
)

ELASTIC_PROVIDER: Final = Server(
    name="terraform-provider-elasticstack",
    version="0.16.2",
    recipe=GoPrograms(
        module="github.com/elastic/terraform-provider-elasticstack",
        version="v0.16.2",
        checksum="h1:wi/KX9pPxhPFNZPD92thGU9Utv0ledxdut4tzHxXe5o=",
        programs=("",),
    ),
)

OPENTOFU: Final = Server(
    name="opentofu",
    version="1.12.6",
    recipe=GoPrograms(
        module="github.com/opentofu/opentofu",
        version="v1.12.6",
        checksum="h1:0VT4P8pMmGcCUnQ9JDrJ+Qg2d35Vzm4FFd/9+H7oF98=",
        programs=("cmd/tofu",),
    ),
)

TERRAFORM_STANDIN: Final = Server(name="terraform-standin", version="1.2.0", recipe=PythonEnvironment())

SERVERS: Final = (
    OPENSEARCH,
    TERRAFORM_STANDIN,
    VICTORIA_METRICS,
    VICTORIA_LOGS,
    ALERTMANAGER,
    PROMETHEUS,
    COLLECTOR,
    OPENTOFU,
    GRAFANA_PROVIDER,
    ELASTIC_PROVIDER,
)
