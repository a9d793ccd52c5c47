"""A Datadog that is dead for a day delays OpenSearch by nothing and costs bounded disk; then the newest comes first."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest

from mlvitals.app.deliver import deliveries
from mlvitals.clock import HOUR, MINUTE, SECOND, FixedClock, format_time
from mlvitals.contracts import sink_context
from mlvitals.delivery import Outbox, Sender, queue_statuses
from mlvitals.signals.measurement import Measurement
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Status
from mlvitals.sinks import DatadogSink, OpenSearchSink
from mlvitals.telemetry import WINDOW_CLOSED, LogRecord, MetricPoint
from mlvitals.transport.secret import Secret
from tests.intake.datadog import KEY, DatadogIntake, Scripted, datadog_intake
from tests.intake.opensearch import Scripted as Answer
from tests.intake.opensearch import Standin, serving

NOON = 1_700_000_000 * SECOND // HOUR * HOUR
FEATURES = [f"feature {number}" for number in range(30)]
SIGNAL = "mlvitals.feature.drift.location"
HOURS = 24
OF_THE_MODEL = {"model": "card-fraud", "model_version": "7", "environment": "test"}


def window(end: int) -> tuple[list[MetricPoint], list[LogRecord]]:
    """Return what leaves when a window of a model with thirty features closes; its values tell its hour."""
    value, unit = float((end - NOON) // HOUR), REGISTRY[SIGNAL].unit
    points, measurements = [], []
    for feature in FEATURES:
        of = {"feature": feature, "comparison": "operating"}
        points.append(
            MetricPoint(
                name=SIGNAL, unit=unit, value=value, time=end, start=end - HOUR, attributes={**OF_THE_MODEL, **of}
            )
        )
        one = Measurement(
            signal=SIGNAL,
            value=value,
            unit=unit,
            **OF_THE_MODEL,
            window_start=format_time(end - HOUR),
            window_end=format_time(end),
            attributes=of,
            samples=100,
            reference_samples=None,
            lower=None,
            upper=None,
            status=Status.OK,
            threshold=None,
            evidence={},
            revision=0,
            reference_hash=None,
        )
        measurements.append(msgspec.to_builtins(one))
    record = LogRecord(event_name=WINDOW_CLOSED, time=end, attributes=OF_THE_MODEL, body={"measurements": measurements})
    return points, [record]


class Place:
    """Both destinations over one outbox; the clock stands where a test sets it."""

    def __init__(self, context, intake: DatadogIntake, cluster: Standin, clock: FixedClock) -> None:
        self.clock, self.intake, self.cluster = clock, intake, cluster
        self.store, self.outbox = context.store, Outbox(context.store)
        endpoints = {"metrics": intake.url, "logs": intake.url, "events": intake.url}
        given = {"type": "datadog", "endpoints": endpoints, "timeout": "1s"}
        datadog = msgspec.structs.replace(msgspec.convert(given, DatadogSink), api_key=Secret(KEY))
        given = {"type": "opensearch", "hosts": [cluster.url]}
        opensearch = msgspec.convert(given, OpenSearchSink)
        self.sinks = [sink.open(context) for sink in (datadog, opensearch)]
        self.senders = [
            Sender(outbox=self.outbox, sink=sink, clock=clock, wait=self.wait, jitter=lambda: 1.0)
            for sink in self.sinks
        ]

    def wait(self, seconds: float) -> None:
        self.clock.moment += round(seconds * SECOND)

    def close_window(self, end: int) -> None:
        for sink in self.sinks:
            self.outbox.enqueue(sink.name, sink.encode(*window(end)), self.clock.now())

    def status(self, name: str):
        return next(status for status in queue_statuses(self.store) if status.destination == name)


@contextmanager
def opened(tmp_path) -> Iterator[Place]:
    clock = FixedClock(NOON)
    with sink_context(tmp_path) as context, datadog_intake(clock) as intake, serving(Standin()) as cluster:
        place = Place(context, intake, cluster, clock)
        yield place
        for sink in place.sinks:
            sink.close()
        assert intake.faults == []


def test_a_day_without_datadog_delays_opensearch_by_nothing_and_costs_bounded_disk(tmp_path):
    with opened(tmp_path) as place:
        sizes = []
        for hour in range(HOURS):
            place.clock.moment = NOON + hour * HOUR
            place.close_window(place.clock.now())
            for tries in range(4):  # every quarter of an hour somebody looks
                place.intake.will(*[Scripted(status=503)] * 9)
                place.clock.moment = NOON + hour * HOUR + tries * 15 * MINUTE
                place.senders[0].drain(place.clock.now() + SECOND)
                place.intake.script.clear()
                report = place.senders[1].drain(place.clock.now() + SECOND)
                assert (report.waiting, report.trouble) == (0, "")
            assert len(place.cluster.sources()) == (hour + 1) * len(FEATURES)
            sizes.append({lane.route: lane.size for lane in place.status("datadog").lanes})
        # Of points only the newest are kept; a day of logs is what a day of logs takes.
        assert sizes[-1]["metrics"] <= 3 * sizes[0]["metrics"]
        assert sizes[-1]["logs"] <= HOURS * sizes[0]["logs"] * 1.1
        assert place.intake.series == {}

        place.clock.moment = NOON + HOURS * HOUR
        place.close_window(place.clock.now())
        place.senders[0].drain(place.clock.now() + MINUTE)
        assert place.intake.dropped == {}
        assert len(place.intake.series) == len(FEATURES)
        for points in place.intake.series.values():
            assert points[max(points)] == HOURS  # boards show the newest window
        told = {(log["mlvitals"]["window_end"], log["mlvitals"]["attributes"]["feature"]) for log in place.intake.logs}
        assert told == {(format_time(NOON + hour * HOUR), name) for hour in range(HOURS + 1) for name in FEATURES}
        assert len(place.intake.logs) == len(told)
        totals = {fate.value: items for fate, items in place.status("datadog").totals.items() if items}
        assert totals["enqueued"] == totals["delivered"] + totals["superseded"]


@pytest.mark.parametrize("hung", [0, 1])
def test_one_that_hangs_delays_the_other_by_nothing(tmp_path, hung):
    with opened(tmp_path) as place:
        if hung == 0:
            place.intake.will(*[Scripted(delay=30.0, drop=True)] * 9)
        else:
            place.cluster.will(*[Answer(delay=3.0, drop=True)] * 9)
        with deliveries(place.senders, at_once=True) as running:
            began = time.monotonic()
            place.close_window(NOON)
            while not (place.intake.logs if hung else place.cluster.sources()):
                running.check()
                assert time.monotonic() - began < 10
                time.sleep(0.01)
            assert time.monotonic() - began < 1.5  # hung requests last at least as long
