"""A Datadog that was away: boards show the newest at once, and the log has every window (law 8)."""

import json

import pytest

from mlvitals.clock import HOUR, MINUTE, SECOND, format_time
from mlvitals.delivery import Outbox, Sender
from mlvitals.sinks.datadog.requests import open_body
from tests.intake.datadog import EVENTS, LOGS, SERIES, Scripted

NOW = 1_795_000_000 * SECOND // HOUR * HOUR
TOLD_BACK = 45 * MINUTE  # within the hour that Datadog takes, and before the end of any window that is yet to close
METRIC = "mlvitals.feature.drift.location"
AWAY = Scripted(status=503, body=b"", taken=False)


@pytest.fixture
def sending(open_sink, context, clock):
    """A destination with its outbox, and what empties it."""

    def start(**keys):
        sink = open_sink(**keys)
        outbox = Outbox(context.store)

        def wait(seconds):
            clock.moment += int(seconds * SECOND) + 1

        sender = Sender(outbox=outbox, sink=sink, clock=clock, wait=wait, jitter=lambda: 1.0)
        return sink, outbox, sender

    return start


def drain(sender, clock, minutes=10):
    return sender.drain(clock.moment + minutes * MINUTE)


@pytest.fixture
def away(sending, window, clock, datadog_intake, context):
    """Let windows close, one an hour, while Datadog answers 503; then it is back. Return what became of all items."""

    def pass_by(hours):
        sink, outbox, sender = sending()
        superseded = 0
        for hour in range(1, hours + 1):
            clock.moment = NOW + hour * HOUR
            with context.store.transaction():
                outbox.enqueue(sink.name, sink.encode(*window(clock.moment, [float(hour), -float(hour)])), clock.moment)
            datadog_intake.will(AWAY, AWAY)
            superseded += drain(sender, clock, minutes=0.001).superseded
        datadog_intake.script.clear()
        clock.moment = NOW + hours * HOUR + 50 * MINUTE
        report = drain(sender, clock)
        return report, superseded + report.superseded

    return pass_by


@pytest.mark.parametrize("hours", [3, 30])
def test_after_hours_away_the_newest_is_on_the_board_at_once_and_every_window_in_the_log(away, datadog_intake, hours):
    report, superseded = away(hours)
    assert (report.waiting, report.delivered, superseded) == (0, 2 + 2 * hours, 2 * (hours - 1))
    assert datadog_intake.dropped == {}
    for feature, sign in (("feature_0", 1.0), ("feature_1", -1.0)):
        points = datadog_intake.query(METRIC, f"feature:{feature}")
        assert points == {(NOW + hours * HOUR) // SECOND: sign * hours}  # 50 minutes old, so at its own time
    told = sorted((one["mlvitals"]["value"], one["mlvitals"]["time"]) for one in datadog_intake.logs)
    every = [(sign * hour, format_time(NOW + hour * HOUR)) for hour in range(1, hours + 1) for sign in (1.0, -1.0)]
    assert told == sorted(every)
    true = {format_time(NOW + hour * HOUR): (NOW + hour * HOUR) // 1_000 for hour in range(1, hours + 1)}
    late = [one for one in datadog_intake.logs if one["timestamp"] != true[one["mlvitals"]["time"]]]
    assert len(late) == 2 * max(0, hours - 18)  # those past 18 hours, less five minutes on the way, before they left
    assert all(one["timestamp"] > true[one["mlvitals"]["time"]] for one in late)


def test_a_series_that_has_gone_silent_is_told_once(sending, window, clock, datadog_intake, context):
    sink, outbox, sender = sending()
    with context.store.transaction():
        for hour, values in ((1, [1.0, 10.0]), (2, [2.0, 20.0]), (9, [9.0])):
            requests = sink.encode(*window(NOW + hour * HOUR, values))
            outbox.enqueue(sink.name, requests, clock.moment)
    clock.moment = NOW + 9 * HOUR + MINUTE
    now = clock.moment
    drain(sender, clock)
    assert datadog_intake.query(METRIC, "feature:feature_0") == {(NOW + 9 * HOUR) // SECOND: 9.0}
    assert datadog_intake.query(METRIC, "feature:feature_1") == {(now - TOLD_BACK) // SECOND: 20.0}
    assert datadog_intake.dropped == {}


def test_what_was_told_anew_is_resent_as_the_same_bytes_until_it_is_taken(
    sending, window, clock, datadog_intake, context
):
    sink, outbox, sender = sending(logs=False)
    with context.store.transaction():
        outbox.enqueue(sink.name, sink.encode(*window(NOW, [1.0])), clock.moment)
    clock.moment = NOW + 5 * HOUR
    datadog_intake.will(Scripted(drop=True, taken=True), Scripted(status=429, headers={"X-RateLimit-Reset": "20"}))
    began = clock.moment
    drain(sender, clock)
    bodies = [one.body for one in datadog_intake.requests]
    assert len(bodies) == 3
    assert len(set(bodies)) == 1
    assert datadog_intake.query(METRIC) == {(began - TOLD_BACK) // SECOND: 1.0}
    assert clock.moment - began >= 20 * SECOND


def test_the_window_after_an_outage_stands_after_the_one_that_was_told_anew(
    sending, window, clock, datadog_intake, context
):
    sink, outbox, sender = sending(logs=False)
    with context.store.transaction():
        outbox.enqueue(sink.name, sink.encode(*window(NOW, [1.0])), clock.moment)
    clock.moment = NOW + HOUR + 25 * MINUTE
    drain(sender, clock)
    clock.moment = NOW + HOUR + 30 * MINUTE  # the next window closes half an hour after its end
    with context.store.transaction():
        outbox.enqueue(sink.name, sink.encode(*window(NOW + HOUR, [2.0])), clock.moment)
    drain(sender, clock)
    points = datadog_intake.query(METRIC)
    assert [points[moment] for moment in sorted(points)] == [1.0, 2.0]


def test_with_historical_mode_every_point_keeps_its_time(sending, window, clock, datadog_intake, context):
    datadog_intake.historical = {METRIC}
    sink, outbox, sender = sending(historical=True)
    with context.store.transaction():
        for hour in range(5):
            outbox.enqueue(sink.name, sink.encode(*window(NOW + hour * HOUR, [float(hour)])), clock.moment)
    clock.moment = NOW + 30 * HOUR
    assert drain(sender, clock).superseded == 0
    assert datadog_intake.query(METRIC) == {(NOW + hour * HOUR) // SECOND: float(hour) for hour in range(5)}


def test_an_old_change_stands_over_no_graph_but_in_the_log(sending, change, clock, datadog_intake, context):
    sink, outbox, sender = sending()
    with context.store.transaction():
        outbox.enqueue(sink.name, sink.encode([], [change(NOW, "old"), change(NOW + 20 * HOUR, "new")]), clock.moment)
    clock.moment = NOW + 21 * HOUR
    report = drain(sender, clock)
    assert report.superseded == 1
    assert [one["message"] for one in datadog_intake.events] == ["new"]
    assert [one["mlvitals"]["body"]["text"] for one in datadog_intake.logs] == ["old", "new"]
    assert datadog_intake.dropped == {}


def test_the_item_that_datadog_does_not_take_is_found_among_those_it_does(
    sending, window, clock, datadog_intake, context
):
    sink, outbox, sender = sending(logs=False)
    requests = sink.encode(*window(NOW, [float(number) for number in range(8)]))
    with context.store.transaction():
        outbox.enqueue(sink.name, requests, clock.moment)
    refused = Scripted(body=b'{"errors":["no"]}')
    taken = Scripted(taken=True)
    # The whole, its first half, that half's first quarter, then the first of two: feature_0.
    datadog_intake.will(refused, refused, refused, refused, taken, taken, taken)
    report = drain(sender, clock)
    assert (report.dead, report.delivered) == (1, 7)
    values = sorted(value for points in datadog_intake.series.values() for value in points.values())
    assert values == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]


def test_a_renewal_reads_requests_that_were_compressed_otherwise(open_sink, window):
    requests = open_sink(compression="zstd").encode(window(NOW, [1.0])[0], [])
    requests += open_sink(compression="gzip").encode(window(NOW + HOUR, [2.0])[0], [])
    renewed = open_sink(compression="none").renew("metrics", iter(requests), NOW + 9 * HOUR)
    (item,) = [item for request in renewed for item in open_body(request)]
    assert json.loads(item.content)["points"] == [{"timestamp": (NOW + 9 * HOUR - TOLD_BACK) // SECOND, "value": 2.0}]


def test_limits_are_those_of_each_intake(open_sink):
    sink = open_sink()
    assert [sink.age_limit(route) for route in sink.routes] == [HOUR, 18 * HOUR, 18 * HOUR]
    assert open_sink(historical=True).age_limit("metrics") is None
    assert [SERIES, LOGS, EVENTS] == ["/api/v2/series", "/api/v2/logs", "/api/v2/events"]
