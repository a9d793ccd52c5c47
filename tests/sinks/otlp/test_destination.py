"""What the stock exporters do wrong, done right: a real server, the real outbox, one item for one item."""

import socket

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceResponse,
)

from mlvitals.clock import MINUTE, SECOND
from mlvitals.delivery import Fate, queue_statuses
from mlvitals.telemetry import LogRecord
from mlvitals.transport.secret import Secret

NOW = 1_700_000_000 * SECOND


def partial(scripted, rejected, message):
    told = ExportMetricsPartialSuccess(rejected_data_points=rejected, error_message=message)
    return scripted(body=ExportMetricsServiceResponse(partial_success=told).SerializeToString())


def test_points_and_logs_arrive_at_their_own_paths(road, otlp_server, points):
    record = LogRecord(event_name="mlvitals.window.closed", time=NOW, body={"measurements": []})
    report = road(f"{otlp_server.url}/", headers={"X-Key": Secret("hunter2")}).send(points([1.0, 2.0]), [record])
    assert otlp_server.paths == ["/v1/metrics", "/v1/logs"]
    assert otlp_server.headers[0]["x-key"] == "hunter2"
    assert otlp_server.headers[0]["content-encoding"] == "gzip"
    assert otlp_server.headers[0]["user-agent"].startswith("mlvitals/")
    assert otlp_server.messages[1].resource_logs[0].scope_logs[0].log_records[0].event_name == "mlvitals.window.closed"
    assert (report.delivered, report.complete) == (3, True)


def test_an_endpoint_may_have_a_path_and_compression_may_be_off(road, otlp_server, points, scripted):
    otlp_server.will(scripted())
    road(f"{otlp_server.url}", compression="none").send(points([1.0]))
    assert "content-encoding" not in otlp_server.headers[0]
    assert otlp_server.values() == [[1.0]]


def test_partial_success_is_counted_told_and_not_sent_again(road, otlp_server, points, scripted):
    otlp_server.will(partial(scripted, 1, "feature_0 is too old"))
    way = road(otlp_server.url)
    report = way.send(points([1.0, 2.0, 3.0]))
    assert (report.delivered, report.rejected, report.complete) == (2, 1, False)
    assert way.totals() == {"enqueued": 3, "delivered": 2, "rejected": 1}
    assert [letter.reason for letter in way.letters()] == ["feature_0 is too old"]
    way.drain()
    assert len(otlp_server.bodies) == 1


def test_a_warning_is_told_and_nothing_is_lost(road, otlp_server, points, scripted):
    otlp_server.will(partial(scripted, 0, "this will be refused next year"))
    report = road(otlp_server.url).send(points([1.0]))
    assert (report.delivered, report.warnings) == (1, ["this will be refused next year"])


@pytest.mark.parametrize("status", [301, 302, 304, 307])
def test_a_redirect_loses_nothing(road, otlp_server, points, scripted, status):
    otlp_server.will(scripted(status=status, headers={"Location": f"{otlp_server.url}/v1/metrics"}))
    way = road(otlp_server.url)
    report = way.send(points([1.0]))
    assert (report.held, report.waiting, len(otlp_server.bodies)) == (True, 1, 1)
    assert way.drain().complete
    assert way.totals() == {"enqueued": 1, "delivered": 1}


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_wrong_key_or_address_holds_the_queue_until_it_is_right(road, otlp_server, points, scripted, status):
    otlp_server.will(*[scripted(status=status)] * 2)
    way = road(otlp_server.url)
    assert way.send(points([1.0])).trouble.startswith(f"HTTP {status}")
    assert way.send(points([2.0])).held
    assert way.drain().delivered == 2
    assert otlp_server.values() == [[1.0], [1.0], [1.0], [2.0]]


def test_a_page_of_html_is_no_success(road, otlp_server, points, scripted):
    otlp_server.will(scripted(body=b"<html>Please sign in</html>", headers={"Content-Type": "text/html"}))
    way = road(otlp_server.url)
    report = way.send(points([1.0]))
    assert report.held
    assert report.trouble.startswith("HTTP 200 with text/html, not an OTLP response")
    assert way.drain().complete


def test_no_content_is_no_success(road, otlp_server, points, scripted):
    otlp_server.will(scripted(status=204, headers={}))
    assert road(otlp_server.url).send(points([1.0])).held


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_retry_after_longer_than_every_timeout_is_waited_for(road, otlp_server, points, scripted, status):
    otlp_server.will(scripted(status=status, headers={"Retry-After": "600"}))
    way = road(otlp_server.url)
    report = way.send(points([1.0]))
    assert (report.waiting, report.held, way.waits) == (1, False, [])
    assert way.drain(11 * MINUTE).complete
    assert way.waits == [600.0]
    assert otlp_server.bodies[0] == otlp_server.bodies[1]


def test_an_outage_is_waited_out_in_order_with_the_same_bytes(road, otlp_server, points, scripted):
    otlp_server.will(*[scripted(status=503)] * 3)
    way = road(otlp_server.url)
    way.outbox.enqueue("otlp", way.sink.encode(points([1.0]), []), NOW)
    assert way.send(points([2.0])).complete
    assert otlp_server.values() == [[1.0]] * 4 + [[2.0]]
    assert len(set(otlp_server.bodies[:4])) == 1
    assert way.waits == [1.0, 2.0, 4.0]


def test_nobody_listening_is_waited_for(road, points, otlp_server, listen):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    way = road(f"http://127.0.0.1:{port}")
    report = way.send(points([1.0]))
    assert report.trouble == f"http://127.0.0.1:{port}: no connection: Connection refused"
    assert (report.held, report.waiting) == (False, 1)
    listen(otlp_server, port)
    assert way.drain().complete
    assert otlp_server.values() == [[1.0]]


@pytest.mark.parametrize("broken", [{"drop": True}, {"delay": 0.3}])
def test_no_answer_means_the_same_again(road, otlp_server, points, scripted, broken):
    otlp_server.will(scripted(**broken))
    way = road(otlp_server.url, timeout="100ms")
    assert way.send(points([1.0])).complete
    assert otlp_server.bodies[0] == otlp_server.bodies[1]
    assert way.totals() == {"enqueued": 1, "delivered": 1}


@pytest.mark.parametrize("status", [400, 413, 422, 500])
def test_one_bad_point_does_not_take_the_others_with_it(road, otlp_server, points, scripted, status):
    def refuse(message):
        values = [
            point.as_double for point in message.resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points
        ]
        text = {"Content-Type": "text/plain"}
        return scripted(status=status, body=b"out of order sample", headers=text) if 13.0 in values else scripted()

    otlp_server.answer = refuse
    way = road(otlp_server.url)
    report = way.send(points([float(number) for number in range(100)]))
    assert (report.delivered, report.dead, report.waiting, report.held) == (99, 1, 0, False)
    (letter,) = way.letters()
    assert (letter.fate, letter.lost, letter.reason) == (Fate.DEAD, 1, f"HTTP {status}: out of order sample")
    assert way.totals() == {"enqueued": 100, "delivered": 99, "dead": 1}
    taken = [value for values in otlp_server.values() if 13.0 not in values for value in values]
    assert taken == [float(number) for number in range(100) if number != 13]


def test_an_outage_that_calls_itself_500_does_not_bury_the_queue(road, otlp_server, points, scripted):
    otlp_server.answer = lambda _: scripted(status=500)
    way = road(otlp_server.url)
    report = way.send(points([float(number) for number in range(100)]))
    assert (report.held, report.dead) == (True, 5)
    otlp_server.answer = None
    assert way.drain().delivered == 95


@pytest.mark.parametrize("headers", [{"Accept": "application/x-protobuf"}, {"X-Scope-OrgID": "application"}])
def test_a_header_that_is_a_word_of_the_answers_type_hides_no_success(road, otlp_server, points, headers):
    way = road(otlp_server.url, headers={name: Secret(value) for name, value in headers.items()})
    assert way.send(points([1.0])).complete


def test_no_secret_is_told_even_if_the_server_tells_it(road, otlp_server, points, scripted):
    text = {"Content-Type": "text/plain"}
    echo = b"no access with Bearer hunter2hunter2 or with hunter2hunter2 " + b"." * 220 + b"hunter2hunter2" + b"." * 99
    otlp_server.will(scripted(status=401, body=echo, headers=text), scripted(status=400, body=echo, headers=text))
    way = road(otlp_server.url, headers={"Authorization": Secret("Bearer hunter2hunter2")})
    report = way.send(points([1.0]))
    assert report.trouble.startswith(f"HTTP 401: no access with {'*' * 21} or with {'*' * 14} ...")
    assert len(report.trouble) == 300
    assert way.drain().dead == 1
    (letter,) = way.letters()
    for shown in (
        report.trouble,
        repr(report),
        letter.reason,
        repr(letter),
        repr(way.sink),
        repr(queue_statuses(way.store)),
    ):
        assert "hunter2"[:4] not in shown
