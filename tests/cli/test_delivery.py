"""From events to an OTLP receiver: explicit times, whole logs, identical resends, nothing twice."""

import gzip
import json
import sqlite3
from collections import Counter
from operator import itemgetter

import pytest

from mlvitals.signals.running import RUNNING

MINUTE_NS = 60_000_000_000
OF_THE_JOB = frozenset(spec.name for spec in RUNNING)  # told with the present's time, once by each run


@pytest.fixture
def sending(world, receiver):
    world.configure(sinks=[{"type": "local"}, {"type": "otlp", "endpoint": receiver.url}], budget={"export": "full"})
    return world


def points(receiver):
    return [
        (metric.name, point)
        for message in receiver.messages("/v1/metrics")
        for outer in message.resource_metrics
        for scope in outer.scope_metrics
        for metric in scope.metrics
        for point in metric.gauge.data_points
        if metric.name not in OF_THE_JOB
    ]


def texts(attributes):
    return tuple(sorted((one.key, one.value.string_value) for one in attributes))


def plain(value):
    """Return an AnyValue as Python has it."""
    kind = value.WhichOneof("value")
    if kind == "kvlist_value":
        return {one.key: plain(one.value) for one in value.kvlist_value.values}
    if kind == "array_value":
        return [plain(one) for one in value.array_value.values]
    return None if kind is None else getattr(value, kind)


def records(receiver):
    return [
        record
        for message in receiver.messages("/v1/logs")
        for outer in message.resource_logs
        for scope in outer.scope_logs
        for record in scope.log_records
    ]


def measured(mlvitals, world):
    answer = mlvitals("signals", "-c", world.config, "--format", "jsonl")
    return [json.loads(line) for line in answer.out.splitlines()]


def test_points_carry_their_times_and_logs_carry_every_measurement(sending, receiver, mlvitals):
    ran = mlvitals("run", "-c", sending.config, "--once")
    assert ran.code == 0, ran.err
    found = measured(mlvitals, sending)
    stored = {(one["signal"], one["value"]) for one in found}
    for name, point in points(receiver):
        assert point.time_unix_nano % MINUTE_NS == point.start_time_unix_nano % MINUTE_NS == 0
        age = point.time_unix_nano - point.start_time_unix_nano
        matured = any(one.key == "mlvitals.maturity" for one in point.attributes)
        assert age in ({2 * MINUTE_NS, 6 * MINUTE_NS} if matured else {MINUTE_NS}), name
        # An interval's ends are points of the same name, told apart by an attribute.
        bound = any(one.key == "mlvitals.bound" for one in point.attributes)
        assert bound or (name, point.as_double) in stored
    kept: Counter[tuple[object, ...]] = Counter()
    for record in records(receiver):
        assert record.event_name == "mlvitals.window.closed"
        assert record.time_unix_nano % MINUTE_NS == 0
        for one in plain(record.body)["measurements"]:
            kept[one["signal"], one["window_start"], tuple(sorted(one["attributes"].items()))] += 1
    assert kept == Counter(
        (one["signal"], one["window_start"], tuple(sorted(one["attributes"].items()))) for one in found
    )


def test_no_point_is_sent_twice(sending, receiver, mlvitals):
    for _ in range(2):
        assert mlvitals("run", "-c", sending.config, "--once").code == 0
    plotted = Counter((name, point.time_unix_nano, texts(point.attributes)) for name, point in points(receiver))
    assert len(plotted) > 100
    assert set(plotted.values()) == {1}


def by_route(requests):
    """Return requests in the order of their routes, those of each in their own, without what is told of the job."""
    of_windows = [(path, body) for path, body in requests if b"mlvitals.pipeline." not in gzip.decompress(body)]
    return sorted(of_windows, key=itemgetter(0))


def test_what_a_receiver_refuses_for_now_is_sent_again_to_the_byte(sending, receiver, mlvitals):
    receiver.refuse = 10_000
    refused = mlvitals("run", "-c", sending.config, "--once", "--patience", "0s")
    assert refused.code == 1
    (line,) = [line for line in refused.err.splitlines() if line.startswith("otlp: ")]
    assert "0 items delivered" in line
    assert "requests wait (HTTP 503)" in line
    assert len(measured(mlvitals, sending)) > 100  # the local destination is served meanwhile
    with sqlite3.connect(sending.folder / "state" / "state.db") as connection:
        waiting = connection.execute(
            "SELECT '/v1/' || route, body FROM outbox WHERE destination = 'otlp' ORDER BY sequence"
        ).fetchall()
    heads = dict(reversed(waiting))
    assert set(receiver.refused) == set(heads.items())  # of each route the first, again and again
    receiver.refuse = 0
    again = mlvitals("run", "-c", sending.config, "--once")
    assert again.code == 0, again.err
    assert by_route(receiver.taken) == by_route(waiting)
    assert mlvitals("run", "-c", sending.config, "--once").code == 0
    assert by_route(receiver.taken) == by_route(waiting)


def test_an_address_that_is_no_receiver_holds_the_queue_and_says_so(sending, receiver, mlvitals):
    receiver.html = True
    answer = mlvitals("run", "-c", sending.config, "--once")
    assert answer.code == 1
    assert "is this the address of an OTLP receiver?" in answer.err
    said = "HTTP 200 with text/html, not an OTLP response: is this the address of an OTLP receiver?"
    held = f"  otlp, metrics: {said} (held until it is mended, tried now and then)"
    assert held in mlvitals("status", "-c", sending.config).out.splitlines()
    receiver.html = False
    assert mlvitals("run", "-c", sending.config, "--once").code == 0
    assert points(receiver)


def test_the_account_of_every_destination_balances(sending, receiver, mlvitals):
    receiver.refuse = 3
    mlvitals("run", "-c", sending.config, "--once", "--patience", "0s")
    with sqlite3.connect(sending.folder / "state" / "state.db") as connection:
        totals = dict(connection.execute("SELECT fate, items FROM delivery_total WHERE destination = 'otlp'"))
        (waiting,) = connection.execute("SELECT sum(items) FROM outbox WHERE destination = 'otlp'").fetchone()
    assert totals["enqueued"] == totals.get("delivered", 0) + (waiting or 0)
