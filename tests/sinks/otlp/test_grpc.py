"""What the stock gRPC exporter does wrong, done right: a real server, the real outbox, one item for one item."""

import sys
from dataclasses import replace

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceResponse,
)

from mlvitals.clock import MINUTE
from mlvitals.contracts.sinks import SINK_DEMANDS, Demand, sink_context
from mlvitals.delivery import Fate, Verdict
from mlvitals.errors import MissingExtraError
from mlvitals.sinks import OtlpSink
from mlvitals.sinks.otlp.settings import Transport
from mlvitals.sinks.packing import compression_of, unpack
from mlvitals.telemetry import LogRecord
from mlvitals.transport.secret import Secret

SECRET = "hunter2hunter2"  # noqa: S105  # nobody's


@pytest.fixture
def way(road, grpc_server):
    return road(f"http://{grpc_server.target}", protocol=Transport.GRPC, headers={"X-Key": Secret(SECRET)})


@pytest.fixture
def asking(ending, details):
    """Return a maker of endings that ask for so many seconds."""
    return lambda code, seconds: ending(code=code, details=details(seconds))


def partial(ending, rejected, message):
    told = ExportMetricsPartialSuccess(rejected_data_points=rejected, error_message=message)
    return ending(body=ExportMetricsServiceResponse(partial_success=told).SerializeToString())


@pytest.mark.parametrize("demand", SINK_DEMANDS, ids=[one.__name__ for one in SINK_DEMANDS])
@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_the_sink_keeps_its_contract_over_grpc(tmp_path, grpc_server, demand: Demand, compression):
    config = OtlpSink(
        endpoint=f"http://{grpc_server.target}",
        protocol=Transport.GRPC,
        headers={"X-Key": Secret(SECRET)},
        compression=compression,
    )
    with sink_context(tmp_path) as context:
        demand(config, context, [SECRET])


@pytest.mark.parametrize("demand", SINK_DEMANDS, ids=[one.__name__ for one in SINK_DEMANDS])
def test_the_sink_keeps_its_contract_over_grpc_though_nobody_answers(tmp_path, demand: Demand):
    config = OtlpSink(endpoint="http://127.0.0.1:9", protocol=Transport.GRPC, timeout="1s")
    with sink_context(tmp_path) as context:
        demand(config, context, [])


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_points_and_logs_arrive_at_their_own_services_as_the_messages_that_waited(
    road, grpc_server, points, compression
):
    record = LogRecord(event_name="mlvitals.window.closed", time=1, body={"measurements": []})
    way = road(f"http://{grpc_server.target}", protocol=Transport.GRPC, compression=compression)
    report = way.send(points([1.0, 2.0]), [record])
    assert (report.delivered, report.complete) == (3, True)
    assert [method.split(".")[-1] for method in grpc_server.methods] == ["MetricsService/Export", "LogsService/Export"]
    assert grpc_server.values() == [[1.0, 2.0]]
    waited = [request.body for request in way.sink.encode(points([1.0, 2.0]), [record])]
    assert {compression_of(body) for body in waited} == {"gzip"}
    assert grpc_server.bodies == [unpack(body) for body in waited]
    assert grpc_server.metadata[0]["user-agent"].startswith("mlvitals/")


def test_partial_success_is_counted_told_and_not_sent_again(way, grpc_server, points, ending):
    grpc_server.will(partial(ending, 1, "feature_0 is too old"))
    report = way.send(points([1.0, 2.0, 3.0]))
    assert (report.delivered, report.rejected, report.complete) == (2, 1, False)
    assert [letter.reason for letter in way.letters()] == ["feature_0 is too old"]
    way.drain()
    assert len(grpc_server.bodies) == 1


def test_a_warning_is_told_and_nothing_is_lost(way, grpc_server, points, ending):
    grpc_server.will(partial(ending, 0, "this will be refused next year"))
    report = way.send(points([1.0]))
    assert (report.delivered, report.warnings) == (1, ["this will be refused next year"])


@pytest.mark.parametrize("code", ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"])
def test_a_pause_longer_than_every_timeout_is_waited_for_as_the_standard_key_asks(
    way, grpc_server, points, asking, code
):
    grpc_server.will(asking(code, 600))
    report = way.send(points([1.0]))
    assert (report.waiting, report.held, way.waits) == (1, False, [])
    assert way.drain(11 * MINUTE).complete
    assert way.waits == [600.0]
    assert grpc_server.bodies[0] == grpc_server.bodies[1]


def test_an_outage_is_waited_out_in_order_with_the_same_bytes(way, grpc_server, points, ending):
    grpc_server.will(*[ending(code="UNAVAILABLE")] * 3)
    way.outbox.enqueue("otlp", way.sink.encode(points([1.0]), []), way.clock.now())
    assert way.send(points([2.0])).complete
    assert grpc_server.values() == [[1.0]] * 4 + [[2.0]]
    assert len(set(grpc_server.bodies[:4])) == 1


@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED"])
def test_a_wrong_key_or_address_holds_the_queue_until_it_is_right(way, grpc_server, points, ending, code):
    grpc_server.will(ending(code=code, message=f"not with {SECRET}"))
    report = way.send(points([1.0]))
    assert (report.held, report.trouble) == (True, f"gRPC {code}: not with {'*' * len(SECRET)}")
    assert way.drain().delivered == 1


def test_an_answer_that_is_not_the_protocols_is_no_success(way, grpc_server, points, ending):
    grpc_server.will(ending(body=b"\xff\xff\xff"))
    assert way.send(points([1.0])).held
    assert way.drain().complete


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "INTERNAL"])
def test_one_bad_point_does_not_take_the_others_with_it(way, grpc_server, points, ending, code):
    def refuse(message):
        metric = message.resource_metrics[0].scope_metrics[0].metrics[0]
        values = [point.as_double for point in metric.gauge.data_points]
        return ending(code=code, message="out of order sample") if 13.0 in values else ending()

    grpc_server.answer = refuse
    report = way.send(points([float(number) for number in range(100)]))
    assert (report.delivered, report.dead, report.waiting, report.held) == (99, 1, 0, False)
    (letter,) = way.letters()
    assert (letter.fate, letter.lost, letter.reason) == (Fate.DEAD, 1, f"gRPC {code}: out of order sample")


def test_an_outage_that_calls_itself_internal_does_not_bury_the_queue(way, grpc_server, points, ending):
    grpc_server.answer = lambda _: ending(code="INTERNAL")
    report = way.send(points([float(number) for number in range(100)]))
    assert (report.held, report.dead) == (True, 5)
    grpc_server.answer = None
    assert way.drain().delivered == 95


def test_what_waited_for_http_leaves_by_grpc_and_the_other_way_round(road, grpc_server, otlp_server, points):
    by_http = road(otlp_server.url, compression="none")
    by_grpc = road(f"http://{grpc_server.target}", protocol=Transport.GRPC)
    by_grpc.outbox.enqueue("otlp", by_http.sink.encode(points([1.0, 2.0]), []), 0)
    assert by_grpc.drain().complete
    assert grpc_server.values() == [[1.0, 2.0]]
    by_http.outbox.enqueue("otlp", by_grpc.sink.encode(points([3.0]), []), 0)
    assert by_http.drain().complete
    assert otlp_server.values() == [[3.0]]
    assert otlp_server.headers[0]["content-encoding"] == "gzip"


def test_each_signal_may_go_its_own_way(context, grpc_server, otlp_server, points):
    environ = {
        "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"http://{grpc_server.target}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_server.url,
    }
    sink = OtlpSink().open(replace(context, environ=environ))
    record = LogRecord(event_name="e", time=1)
    assert {sink.send(one).verdict for one in sink.encode(points([1.0]), [record])} == {Verdict.OK}
    assert sink.probe().verdict is Verdict.OK
    sink.close()
    assert grpc_server.values() == [[1.0]]
    assert otlp_server.paths == ["/v1/logs", "/v1/logs"]


@pytest.mark.parametrize("missing", ["grpc", "google.rpc.status_pb2"])
def test_without_its_packages_one_line_names_the_extra(monkeypatch, context, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delitem(sys.modules, "mlvitals.sinks.otlp.classify_grpc", raising=False)
    with pytest.raises(MissingExtraError, match=r'pip install "mlvitals\[otlp\]"'):
        OtlpSink(protocol=Transport.GRPC).open(context)
