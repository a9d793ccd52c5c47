"""A Datadog destination over the strict intake, and a clock that a test sets."""

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from mlvitals import delivery
from mlvitals.clock import HOUR, SECOND
from mlvitals.sinks import SinkContext, datadog
from mlvitals.sinks.datadog import DatadogSink
from mlvitals.sinks.datadog.config import EndpointsConfig
from mlvitals.state import Store
from mlvitals.telemetry import CHANGE, WINDOW_CLOSED, LogRecord
from mlvitals.transport.secret import Secret
from tests.intake.datadog import KEY

NOW = 1_795_000_000 * SECOND // HOUR * HOUR


@dataclass
class MovingClock:
    moment: int

    def now(self) -> int:
        return self.moment


@pytest.fixture
def clock(datadog_intake):
    """The clock of the destination and of the intake."""
    moving = MovingClock(NOW)
    datadog_intake.clock = moving
    return moving


@pytest.fixture
def context(tmp_path, service, specs):
    with Store.open(tmp_path / "state.db", [delivery.MIGRATIONS, datadog.MIGRATIONS]) as store:
        yield SinkContext(service=service, specs=specs, store=store)


@pytest.fixture
def open_sink(datadog_intake, context, clock):
    """Open a destination that sends to the intake; what is given goes over the configuration."""
    opened = []

    def start(**keys):
        given: dict[str, Any] = {
            "api_key": Secret(KEY),
            "endpoints": EndpointsConfig(**datadog_intake.endpoints),
            "timeout": "5s",
        }
        sink: Any = DatadogSink(**(given | keys)).open(context)
        sink._clock = clock
        opened.append(sink)
        return sink

    yield start
    for sink in opened:
        sink.close()


@pytest.fixture
def window(measurement, points):
    """Return a maker of what leaves for a window that ends then: points, and the record of its measurements."""

    def make(end, values=(1.5,), **fields):
        told = [
            msgspec.to_builtins(measurement(value=value, attributes={"feature": f"feature_{index}"}, **fields))
            for index, value in enumerate(values)
        ]
        attributes = {"model": "card-fraud", "model_version": "7", "environment": "prod"}
        record = LogRecord(event_name=WINDOW_CLOSED, time=end, attributes=attributes, body={"measurements": told})
        return points(values, end), [record]

    return make


@pytest.fixture(scope="session")
def change():
    """Return a maker of change events' records."""

    def make(time, text="v8", kind="deploy", **attributes):
        attributes = {"environment": "prod", "kind": kind, "model": "card-fraud"} | attributes
        return LogRecord(event_name=CHANGE, time=time, attributes=attributes, body={"text": text})

    return make
