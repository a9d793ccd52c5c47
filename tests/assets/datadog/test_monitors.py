"""Monitors for Datadog: as its API description has them, and firing on the right side of every bar alone."""

import json
import re
from collections.abc import Mapping

import pytest

from mlvitals.assets.datadog import messages, monitors
from mlvitals.assets.monitors import MONITORS, Bar, Monitor, Severity, Silence
from mlvitals.assets.query import ELSEWHERE, carried
from mlvitals.signals.registry import REGISTRY
from mlvitals.telemetry.naming.datadog import attribute_key, tag
from tests.assets.datadog.language import Series, read_alert
from tests.assets.datadog.strict import wrong_with_monitor
from tests.assets.monitors.bars import sides

each = pytest.mark.parametrize("monitor", MONITORS, ids=lambda monitor: monitor.name)
of_values = pytest.mark.parametrize(
    "monitor", [one for one in MONITORS if not isinstance(one.fires, Silence)], ids=lambda monitor: monitor.name
)
DAY = 86_400
NOW = 1_795_000_000
MINUTE = 60
BEAT = ("mlvitals.pipeline.heartbeat", frozenset({"env:prod"}))


def told(monitor: Monitor, value: float, *, first: int = NOW - 3_600, last: int = NOW) -> Series:
    """Return a series of what a monitor asks for, with a point a minute."""
    attributes = {"environment": "prod", **{name: f"some {name}" for name in monitor.query.by}, **monitor.query.where}
    tags = frozenset(tag(attribute_key(name), text) for name, text in attributes.items())
    return {(monitor.query.metric, tags): dict.fromkeys(range(first, last + 1, MINUTE), value)}


def firing(series: Series, now: int = NOW) -> set[str]:
    """Return the monitors that tell somebody, each as it would be posted."""
    found = set()
    for monitor in MONITORS:
        body = monitors.filled(monitor)
        silent = body["options"]["on_missing_data"] == "show_and_notify_no_data"
        states = read_alert(body["query"]).states(series, now)
        if any(states.values()) or (silent and (None in states.values() or not states)):
            found.add(monitor.name)
    return found


@each
def test_a_monitor_is_as_datadog_takes_it(monitor):
    body = monitors.filled(monitor)
    assert list(wrong_with_monitor(body)) == []
    alert = read_alert(body["query"])
    thresholds = body["options"]["thresholds"]
    assert alert.bar == thresholds["critical"]
    assert thresholds.get("critical_recovery", alert.bar - 1) < alert.bar
    assert body["priority"] == (1 if monitor.severity is Severity.PAGE else 3)


@each
def test_it_asks_for_a_metric_of_the_registry_and_tags_that_it_has_environments_apart(monitor):
    asked = read_alert(monitors.filled(monitor)["query"]).asked
    tags = {attribute_key(short) for short in (*carried(REGISTRY[asked.metric]), *ELSEWHERE)}
    assert {one.key for one in asked.filters} | set(asked.by) <= tags
    assert asked.by == ("env", *map(attribute_key, monitor.query.by))


@of_values
def test_it_fires_on_its_side_of_the_bar_and_no_other_fires(monitor):
    fires, quiet = sides(monitor)
    alive = told(next(one for one in MONITORS if isinstance(one.fires, Silence)), 1.0)
    for value in fires:
        assert firing({**alive, **told(monitor, value)}) == {monitor.name}, value
    for value in quiet:
        assert firing({**alive, **told(monitor, value)}) == set(), value


@of_values
def test_what_lasts_too_shortly_or_long_ago_does_not_fire(monitor):
    value = sides(monitor)[0][1]
    beats = {BEAT: dict.fromkeys(range(NOW - DAY, NOW + 1, MINUTE), 1.0)}
    back = 60 * monitors.minutes(monitor)
    assert firing({**beats, **told(monitor, value, first=NOW - DAY, last=NOW - back)}) == set()
    if isinstance(monitor.fires, Bar) and monitor.fires.lasting:
        once = {name: {**points, NOW: 0.0} for name, points in told(monitor, value).items()}
        assert firing({**beats, **once}) == set()


def test_a_days_silence_fires_the_heartbeat_alone():
    series: dict[tuple[str, frozenset[str]], Mapping[int, float]] = {}
    for monitor in MONITORS:
        value = 1.0 if isinstance(monitor.fires, Silence) else sides(monitor)[0][0]
        series |= told(monitor, value, first=NOW - 2 * DAY, last=NOW - DAY)
    assert firing(series) == {"heartbeat"}
    assert firing({}) == {"heartbeat"}


@each
def test_its_message_says_what_it_is_what_to_do_and_names_only_what_it_is_told_apart_by(monitor):
    text = monitors.entry(monitor)["message"]
    groups = {"env", *map(attribute_key, monitor.query.by)}
    assert set(re.findall(r"\{\{(\w+)\.name\}\}", text)) <= groups
    assert monitor.means in text
    assert all(step in text for step in monitor.do)
    opened, closed = (re.findall(rf"\{{\{{{mark}is_(\w+)\}}\}}", text) for mark in ("#", "/"))
    assert opened == closed
    assert len(opened) == 2
    for place in (messages.BOARD, messages.RUNBOOK, messages.NOTIFY):
        assert text.count(place) == 1
        assert place not in monitors.filled(monitor)["message"]


def test_every_place_of_a_query_is_filled():
    for monitor in MONITORS:
        assert "@" not in monitors.filled(monitor)["query"]
        assert monitors.FILTERS in monitors.entry(monitor)["query"]


def test_a_lookback_is_no_longer_than_datadog_looks():
    assert all(monitors.minutes(monitor) <= monitors.LONGEST for monitor in MONITORS)


def test_the_monitors_are_those_that_are_committed(repository):
    for monitor in MONITORS:
        path = repository / "monitors" / "datadog" / f"{monitor.name}.json"
        assert json.loads(path.read_bytes()) == monitors.filled(monitor)
