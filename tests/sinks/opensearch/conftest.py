"""A stand-in for a cluster, and the way from records to one over the outbox."""

from typing import Any

import pytest

from mlvitals.clock import HOUR, MINUTE, SECOND, FixedClock, format_time
from mlvitals.delivery import Outbox, Sender, dead_letters, queue_statuses
from mlvitals.sinks.opensearch import OpenSearchSink
from mlvitals.sinks.opensearch.choices import Engine
from mlvitals.telemetry import WINDOW_CLOSED, LogRecord
from tests.intake.opensearch import Scripted, Standin, serving

NOW = 1_795_000_000 * SECOND
END = 1_793_491_200 * SECOND + HOUR  # 2026-11-01T01:00:00Z


@pytest.fixture
def cluster():
    with serving(Standin()) as told:
        yield told


@pytest.fixture
def elastic():
    with serving(Standin(engine=Engine.ELASTICSEARCH)) as told:
        yield told


@pytest.fixture
def start():
    """Start further stand-ins."""
    open_ones = []

    def start(**given):
        manager = serving(Standin(**given))
        open_ones.append(manager)
        return manager.__enter__()

    yield start
    for manager in open_ones:
        manager.__exit__(None, None, None)


@pytest.fixture(scope="session")
def answered():
    return Scripted


class Road:
    """From records to a cluster over the outbox; waiting moves the clock."""

    def __init__(self, context, told, **config):
        self.clock = FixedClock(NOW)
        self.waits: list[float] = []
        self.store = context.store
        given = {"hosts": (told.url,), "engine": told.engine, "timeout": "2s"} | config
        self.sink = OpenSearchSink(**given).open(context)
        self.outbox = Outbox(context.store)
        self.sender = Sender(outbox=self.outbox, sink=self.sink, clock=self.clock, wait=self.wait, jitter=lambda: 1.0)

    def wait(self, seconds):
        self.waits.append(seconds)
        self.clock.moment += round(seconds * SECOND)

    def send(self, points=(), logs=()):
        self.outbox.enqueue("opensearch", self.sink.encode(points, logs), self.clock.now())
        return self.drain()

    def drain(self, time=MINUTE):
        return self.sender.drain(self.clock.now() + time)

    def totals(self):
        (status,) = queue_statuses(self.store)
        return {fate.value: items for fate, items in status.totals.items() if items}

    def letters(self):
        return list(dead_letters(self.store, "opensearch"))


@pytest.fixture
def road(context):
    roads = []

    def road(told, **config):
        roads.append(Road(context, told, **config))
        return roads[-1]

    yield road
    for one in roads:
        one.sink.close()


def _measurement(**other: Any) -> dict[str, Any]:
    return {
        "signal": "mlvitals.feature.drift.location",
        "value": 0.25,
        "unit": "{sd}",
        "model": "card-fraud",
        "model_version": "7",
        "environment": "prod",
        "window_start": format_time(END - HOUR),
        "window_end": format_time(END),
        "attributes": {"feature": "amount", "comparison": "operating"},
        "samples": 100,
        "reference_samples": 1000,
        "lower": None,
        "upper": None,
        "status": "ok",
        "threshold": 0.5,
        "evidence": {"median": 3.0},
        "revision": 0,
        "reference_hash": "abc",
    } | other


@pytest.fixture(scope="session")
def measurement():
    """Return a maker of measurements, as a record holds them."""
    return _measurement


@pytest.fixture(scope="session")
def closed():
    """Return a maker of records of closed windows."""

    def make(*measurements: dict[str, Any], time: int = END) -> LogRecord:
        attributes = {"model": "card-fraud", "model_version": "7", "environment": "prod", "owner": "risk-ml"}
        return LogRecord(
            event_name=WINDOW_CLOSED,
            time=time,
            attributes=attributes,
            tags={"tier": "1"},
            body={"measurements": list(measurements)},
        )

    return make


@pytest.fixture(scope="session")
def many(closed):
    """Return a maker of a record with measurements of so many features."""

    def make(count: int, **other: Any) -> Any:
        return closed(*(_measurement(attributes={"feature": f"f{number}"}, **other) for number in range(count)))

    return make


@pytest.fixture(scope="session")
def change():
    """A deployment."""
    return LogRecord(
        event_name="mlvitals.change",
        time=END,
        attributes={"model": "card-fraud", "environment": "prod"},
        body={"kind": "deploy", "text": "terminal_view 4.2"},
    )
