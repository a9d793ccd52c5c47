from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from mlvitals.clock import HOUR, FixedClock
from mlvitals.contracts import sink_context
from mlvitals.delivery import Verdict
from mlvitals.sinks import PrometheusSink, SinkContext
from mlvitals.telemetry import MetricPoint, Service

START = 1_700_000_000_000_000 // HOUR * HOUR


def point(name="mlvitals.prediction.count", value=5.0, *, hour=0, length=HOUR, tags=None, **attributes) -> MetricPoint:
    """Return a point of an hourly window that is known as it closes, unless told otherwise."""
    end = START + hour * HOUR + length
    about = {"model": "fraud", "model_version": "7", "environment": "test", **attributes}
    return MetricPoint(name=name, unit="", value=value, time=end, start=end - length, attributes=about, tags=tags or {})


@dataclass
class Endpoint:
    """A prometheus sink over a state, and what a scraper sees of it; `clock` stands where a test sets it."""

    context: SinkContext
    config: PrometheusSink = field(default_factory=lambda: PrometheusSink(listen="127.0.0.1:0"))
    clock: FixedClock = field(default_factory=lambda: FixedClock(START + HOUR))
    sink: Any = None
    url: str = ""

    point = staticmethod(point)
    start = START

    def open(self) -> None:
        self.sink = self.config.open(self.context)
        self.sink.clock = self.clock
        self.url = self.sink.serve()

    def close(self) -> None:
        self.sink.close()

    def send(self, *points: MetricPoint) -> None:
        for request in self.sink.encode(points, []):
            assert self.sink.send(request).verdict is Verdict.OK

    def get(self, path="/metrics", accept="text/plain") -> tuple[int, str, str]:
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=5)
        connection.request("GET", path, headers={"Accept": accept})
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, answer.getheader("Content-Type", ""), body

    def lines(self) -> list[str]:
        """Return the samples that are shown, but for what speaks."""
        return [line for line in self.get()[2].splitlines() if not line.startswith(("#", "target_info"))]


@pytest.fixture
def endpoint(tmp_path) -> Iterator[Endpoint]:
    with sink_context(tmp_path) as context:
        service = Service(name="vitals", environment="test", tags={"team": "risk", "cost-center": "4711"})
        one = Endpoint(replace(context, service=service))
        one.open()
        yield one
        one.close()
