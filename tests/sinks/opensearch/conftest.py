"""A stand-in for a cluster, and the way from records to one over the outbox."""

from typing import Any

import pytest

from mlvitals.clock import HOUR, SECOND, format_time
from mlvitals.sinks.opensearch import OpenSearchSink
from mlvitals.sinks.opensearch.choices import Engine
from mlvitals.telemetry import WINDOW_CLOSED, LogRecord
from tests.intake.opensearch import Scripted, Standin, serving
from tests.sinks.road import Road

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


@pytest.fixture
def road(context):
    roads = []

    def road(told, **config):
        roads.append(
            Road(
                context,
                OpenSearchSink(**({"hosts": (told.url,), "engine": told.engine, "timeout": "2s"} | config)),
                NOW,
            )
        )
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
