"""Real servers on free loopback ports, each started when the first test asks for it. `make stack` gets them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mlvitals.clock import SystemClock
from mlvitals.contracts.sinks import SinkConfig, sink_context
from mlvitals.delivery import Outcome
from mlvitals.sinks import SinkContext
from mlvitals.telemetry import LogRecord, MetricPoint
from tests.stack import versions
from tests.stack.every_point import Everything, everything
from tests.stack.home import home
from tests.stack.serve.collector import CollectorServer, collector
from tests.stack.serve.opensearch import OpenSearchServer, opensearch
from tests.stack.serve.prometheus import AlertmanagerServer, PrometheusServer, alertmanager, prometheus
from tests.stack.serve.victoria import VictoriaLogsServer, VictoriaMetricsServer, victoria_logs, victoria_metrics

Deliver = Callable[[SinkConfig, Sequence[MetricPoint], Sequence[LogRecord]], list[Outcome]]


@pytest.fixture(scope="session", name="collector")
def collector_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorServer]:
    with collector(home(versions.COLLECTOR), tmp_path_factory.mktemp("collector")) as server:
        yield server


@pytest.fixture(scope="session", name="prometheus")
def prometheus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    with prometheus(home(versions.PROMETHEUS), tmp_path_factory.mktemp("prometheus")) as server:
        yield server


@pytest.fixture(scope="session", name="alertmanager")
def alertmanager_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlertmanagerServer]:
    with alertmanager(home(versions.ALERTMANAGER), tmp_path_factory.mktemp("alertmanager")) as server:
        yield server


@pytest.fixture(scope="session", name="opensearch")
def opensearch_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSearchServer]:
    with opensearch(home(versions.OPENSEARCH), tmp_path_factory.mktemp("opensearch")) as server:
        yield server


@pytest.fixture(scope="session", name="victoria_metrics")
def victoria_metrics_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VictoriaMetricsServer]:
    with victoria_metrics(home(versions.VICTORIA_METRICS), tmp_path_factory.mktemp("victoria-metrics")) as server:
        yield server


@pytest.fixture(scope="session", name="victoria_logs")
def victoria_logs_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VictoriaLogsServer]:
    with victoria_logs(home(versions.VICTORIA_LOGS), tmp_path_factory.mktemp("victoria-logs")) as server:
        yield server


@pytest.fixture(scope="session")
def every_point() -> Everything:
    return everything(SystemClock().now())


@pytest.fixture
def context(tmp_path: Path, every_point: Everything) -> Iterator[SinkContext]:
    """What sinks are opened with: a state of its own for each test, every metric, who speaks, and no variables."""
    with sink_context(tmp_path) as opened:
        yield replace(opened, service=every_point.service, environ={})


@pytest.fixture
def deliver(context: SinkContext) -> Deliver:
    """Send points and records through a sink as the pipeline does, and return what became of each request."""

    def send(config: SinkConfig, points: Sequence[MetricPoint], logs: Sequence[LogRecord]) -> list[Outcome]:
        sink = config.open(context)
        try:
            return [sink.send(request) for request in sink.encode(points, logs)]
        finally:
            sink.close()

    return send
