"""From events to Datadog by the command line: metrics, logs, change events, and what `check` says beforehand."""

from itertools import pairwise

from mlvitals.clock import SystemClock, format_time
from tests.intake.datadog import KEY, Scripted


def sink(intake, **keys):
    return {"type": "datadog", "api_key": KEY, "endpoints": intake.endpoints, **keys}


def changes(*texts):
    now = SystemClock().now()
    told = [{"event": "change", "timestamp": format_time(now), "kind": "deploy", "text": text} for text in texts]
    return [told[0] | {"model": "m"}, *told[1:]]


def test_of_windows_of_long_ago_the_newest_is_on_the_board_and_all_are_in_the_log(world, mlvitals, datadog_intake):
    world.configure(sinks=[{"type": "local"}, sink(datadog_intake)])
    answer = mlvitals("run", "-c", world.config, "--once")
    assert answer.code == 0, answer.err
    assert datadog_intake.dropped == {}
    (series,) = [
        points
        for (name, tags), points in datadog_intake.series.items()
        if name == "mlvitals.prediction.count" and "model:m" in tags
    ]
    # The newest, as each of two transactions has closed windows of the nine; told anew at most every ten seconds.
    stamps = sorted(series)
    assert 1 <= len(stamps) <= 2
    assert all(later - earlier >= 10 for earlier, later in pairwise(stamps))
    told = [one["mlvitals"] for one in datadog_intake.logs]
    counts = [one for one in told if one.get("signal") == "mlvitals.prediction.count"]
    assert len({one["window_start"] for one in counts}) == 9  # the tenth is open
    assert sum(one["value"] for one in counts) == 540
    requests = len(datadog_intake.requests)
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    windows = [one for one in datadog_intake.requests[requests:] if one.path == "/api/v2/logs"]
    assert windows == []


def test_a_change_event_leaves_once_for_every_destination(world, mlvitals, datadog_intake):
    world.configure(sinks=[{"type": "local"}, {"type": "stdout"}, sink(datadog_intake)])
    world.write("events-2.jsonl", changes("version 8", "new pricing"))
    answer = mlvitals("run", "-c", world.config, "--once")
    assert answer.code == 0, answer.err
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    assert [(one["title"], one["message"]) for one in datadog_intake.events] == [
        ("deploy: m", "version 8"),
        ("deploy: m", "new pricing"),  # there is no other model that it can be about
    ]
    logs = [one for one in datadog_intake.logs if one["mlvitals"]["event"] == "mlvitals.change"]
    assert [one["mlvitals"]["body"]["text"] for one in logs] == ["version 8", "new pricing"]
    assert answer.out.count('"event_name":"mlvitals.change"') == 2


def test_a_datadog_that_refuses_the_key_holds_its_queue_and_no_other(world, mlvitals, datadog_intake):
    world.configure(sinks=[{"type": "local"}, sink(datadog_intake, api_key="not-the-right-key")])
    answer = mlvitals("run", "-c", world.config, "--once")
    assert answer.code == 1
    assert "HTTP 403: Forbidden" in answer.err
    for text in (answer.err, answer.out, mlvitals("status", "-c", world.config).out):
        assert "not-the-right-key" not in text
    world.configure(sinks=[{"type": "local"}, sink(datadog_intake)])
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    assert datadog_intake.logs


def test_check_says_that_windows_come_too_late_to_be_plotted(world, mlvitals, datadog_intake):
    world.configure(sinks=[{"type": "local"}, sink(datadog_intake)])
    answer = mlvitals("check", "-c", world.config)
    assert f"ok    sink datadog: {datadog_intake.url} takes the API key\n" in answer.out
    assert "takes no points older" not in answer.out
    late = {"windows": {"size": "1m", "lateness": "2h"}}
    world.configure(model=late, sinks=[{"type": "local"}, sink(datadog_intake)])
    told = "sink datadog: takes no points older than 1 h, and windows of m are told 2 h after their end (lateness 2 h, "
    assert told + "events 0 h old when they are read)" in mlvitals("check", "-c", world.config).out
    world.configure(model=late, sinks=[{"type": "local"}, sink(datadog_intake, historical=True)])
    assert "takes no points older" not in mlvitals("check", "-c", world.config).out


def test_check_knows_from_the_state_how_late_events_come(world, mlvitals, datadog_intake):
    world.configure(sinks=[{"type": "local"}, sink(datadog_intake)])
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    answer = mlvitals("check", "-c", world.config)
    assert answer.code == 0
    assert "sink datadog: takes no points older than 1 h, and windows of m are told" in answer.out


def test_a_refused_key_is_a_fault_of_check(world, mlvitals, datadog_intake):
    world.configure(sinks=[sink(datadog_intake)])
    datadog_intake.will(Scripted(status=403, body=b'{"errors":["Forbidden"]}'))
    answer = mlvitals("check", "-c", world.config)
    assert answer.code == 1
    assert f"HTTP 403: Forbidden: {datadog_intake.url} refuses the API key" in answer.out
