"""The second way out: the SDK's own exporter, past the outbox and its disk, with the same identity."""

import gzip
import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import (
    MetricsServiceServicer,
    add_MetricsServiceServicer_to_server,
)

from mlvitals.app.watch import watched_pipeline
from mlvitals.config import load
from mlvitals.errors import ConfigError
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.running import RUNNING
from mlvitals.signals.spec import Instrument
from mlvitals.telemetry.naming.otel import attribute_name

SECRET = "hunter2-hunter2"  # noqa: S105  # nobody's


class Receiver(ThreadingHTTPServer):
    """Takes metrics and keeps them, decoded, with the headers they came with."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.taken: list[Any] = []
        self.keys: set[str | None] = set()
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def wait_for(self, condition):
        """Return the first of what comes from now on that a condition holds of."""
        place, end = len(self.taken), time.monotonic() + 20
        while time.monotonic() < end:
            for message in self.taken[place:]:
                if condition(message):
                    return message
            time.sleep(0.02)
        raise AssertionError("nothing came")


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        assert self.path == "/v1/metrics"
        self.server.keys.add(self.headers["X-Key"])
        self.server.taken.append(ExportMetricsServiceRequest.FromString(body))
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def make_receiver() -> Iterator[Any]:
    running = []

    def make() -> Receiver:
        one = Receiver()
        thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((one, thread))
        return one

    yield make
    for one, thread in running:
        one.shutdown()
        one.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def write(tmp_path):
    def write_config(**changes: Any) -> Any:
        event: dict[str, Any] = {"timestamp": "2026-03-01T00:00:00Z", "model": "fraud", "prediction_id": "1"}
        event |= {"event": "prediction", "features": {"x": 1}, "prediction": {"score": 0.5}}
        (tmp_path / "events.jsonl").write_text(json.dumps(event) + "\n")
        document = {
            "service": {"name": "vitals", "environment": "test", "tags": {"team": "risk"}},
            "models": [{"name": "fraud", "operating": {"first": "1h"}}],
            "sources": [{"type": "file", "path": "events.jsonl"}],
            "state": {"path": "state.db"},
            **changes,
        }
        path = tmp_path / "mlvitals.yaml"
        path.write_text(json.dumps(document), encoding="utf-8")
        return load(path, {"KEY": SECRET})

    return write_config


def work(watch):
    watch.pipeline.read(complete=True, progress=lambda _: None, stop=lambda: False)
    watch.vitals.tell()


def metrics(message):
    (outer,) = message.resource_metrics
    (scope,) = outer.scope_metrics
    return {one.name: one for one in scope.metrics}


def values(metric):
    points = metric.sum.data_points if metric.HasField("sum") else metric.gauge.data_points
    return {tuple(sorted((pair.key, pair.value.string_value) for pair in one.attributes)): one for one in points}


def resource(message):
    return sorted((pair.key, pair.value.string_value) for pair in message.resource_metrics[0].resource.attributes)


def heart(message):
    return metrics(message).get("mlvitals.pipeline.heartbeat")


def test_the_same_numbers_leave_under_the_same_names_and_the_same_identity(write, make_receiver):
    direct, sink = make_receiver(), make_receiver()
    config = write(
        sinks=[{"type": "otlp", "endpoint": sink.url}],
        instrumentation={"endpoint": direct.url, "interval": "1s", "headers": {"X-Key": "${KEY}"}},
    )
    assert SECRET not in repr(config.instrumentation)
    with watched_pipeline(config, lambda _: None) as watch:
        work(watch)
        watch.pipeline.deliveries.wait(patience=5, parting=5, stop=lambda: False)
        work(watch)
        message = direct.wait_for(heart)
        points = watch.vitals.latest
    assert direct.keys == {SECRET}
    assert resource(message) == resource(sink.taken[0])
    assert set(metrics(message)) <= {spec.name for spec in RUNNING}
    for point in points:
        spec, metric = REGISTRY[point.name], metrics(message)[point.name]
        assert (metric.unit, metric.description) == (spec.unit, spec.brief)
        assert metric.HasField("sum") is (spec.instrument is Instrument.COUNTER)
        assert not metric.HasField("sum") or (metric.sum.is_monotonic and metric.sum.aggregation_temporality == 2)
        about = tuple(sorted((attribute_name(short), value) for short, value in point.attributes.items()))
        if point.name != "mlvitals.pipeline.loop.age":
            assert values(metric)[about].as_double == point.value


def test_a_loop_that_hangs_is_told_of_though_nothing_is_read(write, make_receiver):
    direct = make_receiver()
    config = write(instrumentation={"endpoint": direct.url, "interval": "1s"})
    with watched_pipeline(config, lambda _: None) as watch:
        work(watch)
        before = direct.wait_for(heart)
        watch.pulse.turned -= 1000  # and nobody tells anything any more, as if a disk hung
        after = direct.wait_for(lambda message: age(message) > 1000)
    assert age(before) < 60
    assert counted(before) == counted(after) == 1


def age(message):
    (point,) = values(metrics(message)["mlvitals.pipeline.loop.age"]).values()
    return point.as_double


def counted(message):
    (point,) = values(heart(message)).values()
    return point.as_double


@pytest.mark.parametrize("status", [503, 400])
def test_a_receiver_that_refuses_holds_up_neither_the_job_nor_its_end(write, make_receiver, status):
    direct = make_receiver()
    direct.status = status
    config = write(instrumentation={"endpoint": direct.url, "interval": "1s", "timeout": "1s"})
    with watched_pipeline(config, lambda _: None) as watch:
        work(watch)
        direct.wait_for(heart)
        began = time.monotonic()
        watch.vitals.tell()
        assert time.monotonic() - began < 1
        ending = time.monotonic()
    assert time.monotonic() - ending < 10


def test_a_way_that_leads_where_a_sink_leads_is_refused(write):
    with pytest.raises(ConfigError, match=re.escape("$.instrumentation.endpoint")):
        write(
            sinks=[{"type": "otlp", "endpoint": "http://127.0.0.1:4318"}],
            instrumentation={"endpoint": "http://127.0.0.1:4318/"},
        )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"instrumentation": {"endpoint": "localhost:4318"}}, "http:// or https:// address"),
        ({"instrumentation": {"endpoint": "http://a:b@h"}}, "must hold no user"),
        ({"instrumentation": {"endpoint": "http://h", "interval": "10ms"}}, "must be 1s or longer"),
        ({"instrumentation": {}}, "missing required field `endpoint`"),
        ({"telemetry": {"interval": "31m"}}, "from 1s to 30m"),
        ({"health": {"listen": "8089"}}, "HOST:PORT"),
    ],
)
def test_what_cannot_work_is_refused_with_its_path(write, changes, message):
    with pytest.raises(ConfigError, match=re.escape(message)) as refused:
        write(**changes)
    assert f"$.{next(iter(changes))}" in str(refused.value)


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_certificates_that_are_not_there_are_a_fault_of_the_configuration(write, protocol):
    """Anything else would end a job that is told to read its configuration again."""
    config = write(instrumentation={"endpoint": "https://127.0.0.1:9", "protocol": protocol, "ca_file": "gone.pem"})
    with (
        pytest.raises(ConfigError, match=r"gone\.pem: No such file or directory - at `\$\.instrumentation\.ca_file`"),
        watched_pipeline(config, lambda _: None),
    ):
        pass


class GrpcReceiver(MetricsServiceServicer):
    """Takes metrics by gRPC and keeps them, with the metadata they came with."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.keys: set[Any] = set()

    def Export(self, request, context):  # noqa: N802  # the service's own name
        self.keys.add(dict(context.invocation_metadata()).get("x-key"))
        self.taken.append(request)
        return ExportMetricsServiceResponse()


def test_the_same_leaves_by_grpc(write):
    receiver = GrpcReceiver()
    server = grpc.server(ThreadPoolExecutor(max_workers=2))
    add_MetricsServiceServicer_to_server(receiver, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    endpoint = f"http://127.0.0.1:{port}"
    wanted = {"endpoint": endpoint, "protocol": "grpc", "interval": "1s", "headers": {"X-Key": "${KEY}"}}
    with watched_pipeline(write(instrumentation=wanted), lambda _: None) as watch:
        work(watch)
        end = time.monotonic() + 20
        while not any(heart(message) for message in receiver.taken):
            assert time.monotonic() < end, "nothing came"
            time.sleep(0.02)
    server.stop(None).wait()
    assert receiver.keys == {SECRET}
    assert counted(next(filter(heart, receiver.taken))) == 1
