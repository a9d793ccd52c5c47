"""Each rule finds what is beyond its bar and nothing else, in documents of the schema `ecs` on a real node.

The node is OpenSearch, for Elasticsearch cannot be had, and what Kibana makes of a rule is written after its sources:
what is tried here is the search, the condition and the words.
"""

import json

import pytest

from mlvitals.assets.elastic import messages, rules
from mlvitals.assets.monitors import MONITORS, Bar, Silence
from mlvitals.clock import DAY, MINUTE, SECOND, parse_time
from mlvitals.telemetry.naming.opensearch import Schema
from tests.assets.elastic import kibana
from tests.assets.monitors.bars import nearest
from tests.integration.series import Sample, write
from tests.stack.serve.process import ask

pytestmark = pytest.mark.integration

START = parse_time("2026-08-03T00:00:00Z")
BARS = [one for one in MONITORS if not isinstance(one.fires, Silence)]
LASTING = [one for one in BARS if isinstance(one.fires, Bar) and one.fires.lasting]
[HEARTBEAT] = [one for one in MONITORS if isinstance(one.fires, Silence)]
HOSTILE = 'say "yes" \\ or {no}, Größe\nin m²'

each = pytest.mark.parametrize("monitor", BARS, ids=lambda monitor: monitor.name)


class Road:
    """A node with documents; each question is asked at a day of its own."""

    def __init__(self, address, folder):
        self.address, self.folder = address, folder
        self.day = START

    def begin(self):
        self.day += 2 * DAY
        return self.day

    def hold(self, monitor, *values, turn=HOSTILE):
        samples = [Sample(query=monitor.query, time=time, value=value, turn=turn) for time, value in values]
        write(self.address, self.folder, samples, namespace="rules", schema=Schema.ECS)

    def run(self, monitor, time, **changed):
        params = json.loads(rules.filled(monitor))["params"] | changed
        path = f"/{','.join(params['index'])}/_search?allow_no_indices=true&ignore_unavailable=true"
        answer = ask(f"{self.address}{path}", method="POST", body=kibana.search(params, time // 1_000))
        return kibana.alerts(params, json.loads(answer))

    def words(self, template, alert, context):
        """Return a message as Mustache renders it."""
        values = {"alert": {"id": alert}, "context": context, "date": "2026-08-03T00:00:00Z"}
        body = {"source": json.dumps(template), "params": values}
        return json.loads(ask(f"{self.address}/_render/template", method="POST", body=body))["template_output"]


@pytest.fixture(scope="module")
def road(opensearch, tmp_path_factory):
    return Road(opensearch.address, tmp_path_factory.mktemp("rules"))


@each
def test_beyond_its_bar_it_is_one_alert_until_nothing_of_it_is_left(road, monitor):
    day = road.begin()
    road.hold(monitor, (day, nearest(monitor)[0]))
    [(alert, context)] = road.run(monitor, day + SECOND).items()
    assert alert == ",".join(f"{name}-{HOSTILE}" for name in monitor.incident)
    assert context["value"] == nearest(monitor)[0]
    assert [*road.run(monitor, day + (rules.seconds(monitor) - 1) * SECOND)] == [alert]
    assert road.run(monitor, day + (rules.seconds(monitor) + 1) * SECOND) == {}


@each
def test_at_the_other_side_of_its_bar_or_longer_ago_it_says_nothing(road, monitor):
    fires, quiet = nearest(monitor)
    day = road.begin()
    road.hold(monitor, (day, quiet), (day - (rules.seconds(monitor) + 1) * SECOND, fires))
    assert road.run(monitor, day + SECOND) == {}


@each
def test_incidents_are_told_apart(road, monitor):
    day = road.begin()
    for turn in ("one", "two"):
        road.hold(monitor, (day, nearest(monitor)[0]), turn=turn)
    assert len(road.run(monitor, day + SECOND)) == 2


@pytest.mark.parametrize("monitor", LASTING, ids=lambda monitor: monitor.name)
def test_what_must_last_says_nothing_while_it_comes_and_goes(road, monitor):
    fires, quiet = nearest(monitor)
    day = road.begin()
    road.hold(monitor, (day - 2 * MINUTE, fires), (day - MINUTE, quiet), (day, fires))
    assert road.run(monitor, day + SECOND) == {}


@each
def test_what_pagerduty_hears_names_what_moved(road, monitor):
    day = road.begin()
    road.hold(monitor, (day, nearest(monitor)[0]), turn="x")
    [(alert, context)] = road.run(monitor, day + SECOND).items()
    told = road.words(messages.actions(monitor, "pagerduty")[0]["params"], alert, context)
    assert told["dedupKey"] == f"mlvitals/{monitor.name}/{','.join(f'{name}-x' for name in monitor.incident)}"
    named = [name for name in monitor.query.by if f"{{{name}}}" in monitor.says]
    assert told["summary"].startswith("environment-x: ")
    assert all(f"{name}-x" in told["summary"] for name in named)
    assert "{" not in told["summary"]


def test_a_silence_of_a_day_fires_the_heartbeat_alone_and_its_first_point_ends_it(road):
    day = road.begin()
    for monitor in BARS:
        road.hold(monitor, (day, nearest(monitor)[1]))
    road.hold(HEARTBEAT, (day, 1.0))
    for monitor in MONITORS:
        assert road.run(monitor, day + 9 * MINUTE) == {}
    later = day + DAY
    assert all(road.run(monitor, later) == {} for monitor in BARS)
    assert [*road.run(HEARTBEAT, later)] == [kibana.UNGROUPED]
    road.hold(HEARTBEAT, (later, 1.0))
    assert road.run(HEARTBEAT, later + SECOND) == {}


def test_where_there_is_no_index_yet_the_heartbeat_alone_fires(road):
    day = road.begin()
    nowhere = {"index": ["mlvitals-metrics-nobody-*"]}
    assert all(road.run(monitor, day, **nowhere) == {} for monitor in BARS)
    assert [*road.run(HEARTBEAT, day, **nowhere)] == [kibana.UNGROUPED]
