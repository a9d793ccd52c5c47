import io
import json

import pytest

from mlvitals.delivery import Verdict
from mlvitals.sinks import SinkContext, StdoutSink
from mlvitals.telemetry import LogRecord


@pytest.fixture
def stream():
    return io.BytesIO()


@pytest.fixture
def stdout(context, stream):
    return StdoutSink().open(
        SinkContext(service=context.service, specs=context.specs, store=context.store, stdout=stream)
    )


def test_points_and_logs_are_printed_as_json_lines(stdout, stream, points):
    record = LogRecord(event_name="mlvitals.window.closed", time=0, attributes={"model": "m"}, body={"x": [1, None]})
    for request in stdout.encode(points([1.5, -0.0]), [record]):
        assert stdout.send(request).verdict is Verdict.OK
    first, second, log = map(json.loads, stream.getvalue().decode().splitlines())
    assert first == {
        "type": "metric",
        "name": "mlvitals.feature.drift.location",
        "unit": "{sd}",
        "value": 1.5,
        "start": "2020-09-13T12:26:40Z",
        "time": "2020-09-13T13:26:40Z",
        "attributes": {"model": "card-fraud", "model_version": "7", "environment": "prod", "feature": "feature_0"},
        "service": "fraud-monitoring",
        "tags": {"team": "risk", "area": "eu"},
    }
    assert second["attributes"]["feature"] == "feature_1"
    assert (log["type"], log["event_name"], log["time"]) == ("log", "mlvitals.window.closed", "1970-01-01T00:00:00Z")
    assert log["body"] == {"x": [1, None]}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_a_bug(stdout, points, value):
    with pytest.raises(ValueError, match="is not a value"):
        stdout.encode(points([value]), [])


def test_a_closed_pipe_holds_the_queue(context, points):
    class Closed(io.BytesIO):
        def write(self, _):
            raise BrokenPipeError(32, "Broken pipe")

    service, specs, store = context.service, context.specs, context.store
    sink = StdoutSink().open(SinkContext(service=service, specs=specs, store=store, stdout=Closed()))
    outcome = sink.send(sink.encode(points([1.0]), [])[0])
    assert (outcome.verdict, outcome.reason) == (Verdict.MISCONFIGURED, "standard output: Broken pipe")


def test_nothing_is_no_request(stdout):
    assert stdout.encode([], []) == []
