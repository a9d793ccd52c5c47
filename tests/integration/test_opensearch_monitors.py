"""Each monitor fires on its side of its bar and not on the other, on a real node, and tells when it is over."""

import json
from contextlib import ExitStack

import pytest

from mlvitals.assets.documents import tokens
from mlvitals.assets.monitors import MONITORS, Bar, Cadence, Silence
from mlvitals.assets.opensearch import monitors
from mlvitals.clock import DAY, HOUR, MINUTE, SECOND, parse_time
from tests.assets.monitors.bars import nearest
from tests.integration.receiver import receiver
from tests.integration.series import Sample, write
from tests.opensearch_plugins_standin.server import plugins_standin
from tests.stack.serve.process import ask

pytestmark = pytest.mark.integration

START = parse_time("2026-10-05T00:00:00Z")
BARS = [one for one in MONITORS if not isinstance(one.fires, Silence)]
LASTING = [one for one in BARS if isinstance(one.fires, Bar) and one.fires.lasting]
[HEARTBEAT] = [one for one in MONITORS if isinstance(one.fires, Silence)]
HOSTILE = 'say "yes" \\ or {no}, Größe\nin m²'

each = pytest.mark.parametrize("monitor", BARS, ids=lambda monitor: monitor.name)


class Road:
    """Monitors before a node, and what their receiver heard. Each question is asked at a day of its own."""

    def __init__(self, standin, heard, folder):
        self.standin, self.heard, self.folder = standin, heard, folder
        self.day = START
        self.ids = {}

    def begin(self, monitor):
        """Take the next day and put the monitor anew; nothing of before is within its lookback."""
        self.day += 3 * DAY
        self.heard.bodies.clear()
        self.put(monitor)
        return self.day

    def put(self, monitor):
        body = monitors.filled(monitor)
        told = json.loads(ask(f"{self.standin.address}/_plugins/_alerting/monitors", method="POST", body=body))
        self.ids[monitor.name] = told["_id"]

    def hold(self, monitor, *values):
        """Hold values of a monitor's metric by their times."""
        samples = [Sample(query=monitor.query, time=time, value=value, turn=HOSTILE) for time, value in values]
        write(self.standin.address, self.folder, samples, namespace="monitors")

    def run(self, monitor, time):
        query = f"period_end={time // 1_000}ms"
        path = f"/_plugins/_alerting/monitors/{self.ids[monitor.name]}/_execute?{query}"
        ask(self.standin.address + path, method="POST")
        return [json.loads(one) for one in self.heard.bodies]


@pytest.fixture(scope="module")
def road(opensearch, tmp_path_factory):
    with ExitStack() as stack:
        standin = stack.enter_context(plugins_standin(opensearch.address))
        heard = stack.enter_context(receiver())
        for severity in ("page", "warn"):
            config = {"name": severity, "config_type": "webhook", "webhook": {"url": heard.address}}
            body = {"config_id": f"mlvitals-{severity}", "config": config}
            ask(f"{standin.address}/_plugins/_notifications/configs", method="POST", body=body)
        yield Road(standin, heard, tmp_path_factory.mktemp("monitors"))


def lookback(monitor):
    if monitor.cadence is Cadence.WINDOW:
        return tokens.defaults(bar=0, minutes=1)[tokens.WINDOWS] * SECOND
    if monitor in LASTING:
        return monitor.fires.lasting * SECOND
    return tokens.defaults(bar=0, minutes=1)[tokens.RECENT] * SECOND


@each
def test_beyond_its_bar_it_is_told_once_and_once_when_it_is_over(road, monitor):
    day = road.begin(monitor)
    road.hold(monitor, (day, nearest(monitor)[0]))
    for later in (0, MINUTE, 2 * MINUTE):
        told = road.run(monitor, day + SECOND + later)
        assert [one["state"] for one in told] == ["new"]
    told = road.run(monitor, day + lookback(monitor) + SECOND)
    assert [one["state"] for one in told] == ["new", "over"]
    assert told[0]["what"] == told[1]["what"]
    named = {name for name in monitor.query.by if name not in {"owner", "costs"}}
    assert all(f"{name}-{HOSTILE}" in told[0]["what"] for name in named)
    assert monitor.title in told[0]["summary"]


@each
def test_at_the_other_side_of_its_bar_or_longer_ago_it_says_nothing(road, monitor):
    fires, quiet = nearest(monitor)
    day = road.begin(monitor)
    road.hold(monitor, (day, quiet), (day - lookback(monitor), fires))
    assert road.run(monitor, day + SECOND) == []


@pytest.mark.parametrize("monitor", LASTING, ids=lambda monitor: monitor.name)
def test_what_must_last_says_nothing_while_it_comes_and_goes(road, monitor):
    fires, quiet = nearest(monitor)
    day = road.begin(monitor)
    road.hold(monitor, (day - 2 * MINUTE, fires), (day - MINUTE, quiet), (day, fires))
    assert road.run(monitor, day + SECOND) == []


def test_a_page_says_what_moved_since_when_and_what_it_costs(road):
    [page] = [one for one in MONITORS if one.name == "page"]
    day = road.begin(page)
    road.hold(page, (day, 7_200.0))
    [told] = road.run(page, day + SECOND)
    assert f"costs-{HOSTILE} (since 2026-" in told["now"]
    assert "T22:00:00Z)" in told["now"]


def test_a_silence_of_a_day_fires_the_heartbeat_alone(road):
    day = road.begin(HEARTBEAT)
    for monitor in BARS:
        road.put(monitor)
        road.hold(monitor, (day, nearest(monitor)[1]))
    road.hold(HEARTBEAT, (day, 1.0))
    for monitor in MONITORS:
        assert road.run(monitor, day + 9 * MINUTE) == []
    for monitor in BARS:
        assert road.run(monitor, day + DAY) == []
    assert [one["monitor"] for one in road.run(HEARTBEAT, day + DAY)] == ["heartbeat"]
    assert len(road.run(HEARTBEAT, day + DAY + MINUTE)) == 1, "told again after an hour"
    assert len(road.run(HEARTBEAT, day + DAY + HOUR)) == 2


def test_where_there_is_no_index_yet_nobody_is_told(road):
    [page] = [one for one in MONITORS if one.name == "page"]
    day = road.begin(page)
    body = monitors.filled(page).replace("ss4o_metrics-mlvitals-*", "ss4o_metrics-mlvitals-nobody")
    told = json.loads(ask(f"{road.standin.address}/_plugins/_alerting/monitors", method="POST", body=body))
    road.ids[page.name] = told["_id"]
    assert road.run(page, day) == []
