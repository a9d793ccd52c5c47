"""The stand-in for OpenSearch's plugins alerts as they do: one message when a bucket comes, one when it has gone."""

import json
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.receiver import receiver
from tests.opensearch_plugins_standin.server import plugins_standin
from tests.stack.serve.process import ask

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
MESSAGE = (
    '{"action": "{{#ctx.newAlerts}}new{{/ctx.newAlerts}}{{#ctx.completedAlerts}}over{{/ctx.completedAlerts}}", '
    '"key": "{{#ctx.newAlerts}}{{bucket_keys}}{{/ctx.newAlerts}}'
    '{{#ctx.completedAlerts}}{{bucket_keys}}{{/ctx.completedAlerts}}"}'
)


@pytest.fixture
def road(opensearch):
    """A stand-in, an index of figures, a channel to a receiver, and what was received."""
    with ExitStack() as stack:
        standin = stack.enter_context(plugins_standin(opensearch.address))
        heard = stack.enter_context(receiver())
        properties = {"at": {"type": "date"}, "who": {"type": "keyword"}, "value": {"type": "double"}}
        ask(f"{standin.address}/figures", method="PUT", body={"mappings": {"properties": properties}})
        config = {"name": "heard", "config_type": "webhook", "webhook": {"url": heard.address}}
        ask(
            f"{standin.address}/_plugins/_notifications/configs",
            method="POST",
            body={"config_id": "c", "config": config},
        )
        yield Road(standin, heard)
        ask(f"{standin.address}/figures", method="DELETE")


class Road:
    def __init__(self, standin, heard):
        self.standin = standin
        self.heard = heard

    def ask(self, method, path, body=None):
        return json.loads(ask(f"{self.standin.address}{path}", method=method, body=body))

    def figure(self, who, value, at):
        self.ask("POST", "/figures/_doc?refresh=true", {"who": who, "value": value, "at": at.isoformat()})

    def monitor(self, *, size=1, **action):
        """Keep a monitor of who is above one in the last ten minutes."""
        recent = {"range": {"at": {"gt": "{{period_end}}||-10m", "lte": "{{period_end}}", "format": "epoch_millis"}}}
        by = {
            "composite": {"size": size, "sources": [{"who": {"terms": {"field": "who"}}}]},
            "aggregations": {"top": {"max": {"field": "value"}}},
        }
        condition = {"buckets_path": {"top": "top"}, "parent_bucket_path": "by", "script": {"source": "params.top > 1"}}
        scope = {"per_alert": {"actionable_alerts": ["NEW", "COMPLETED"]}}
        act = {
            "name": "tell",
            "destination_id": "c",
            "message_template": {"source": MESSAGE, "lang": "mustache"},
            "action_execution_policy": {"action_execution_scope": scope},
            **action,
        }
        body = {
            "type": "monitor",
            "name": "above",
            "monitor_type": "bucket_level_monitor",
            "enabled": True,
            "schedule": {"period": {"interval": 1, "unit": "MINUTES"}},
            "inputs": [
                {"search": {"indices": ["figures"], "query": {"size": 0, "query": recent, "aggregations": {"by": by}}}}
            ],
            "triggers": [
                {
                    "bucket_level_trigger": {
                        "name": "above",
                        "severity": "1",
                        "condition": condition,
                        "actions": [act],
                    }
                }
            ],
        }
        return self.ask("POST", "/_plugins/_alerting/monitors", body)["_id"]

    def run(self, monitor, at, *, dry=False):
        query = f"period_end={round(at.timestamp() * 1000)}ms&dryrun={str(dry).lower()}"
        self.ask("POST", f"/_plugins/_alerting/monitors/{monitor}/_execute?{query}")

    @property
    def told(self):
        return [(one["action"], one["key"]) for one in map(json.loads, self.heard.bodies)]


def test_each_bucket_is_told_when_it_comes_and_when_it_has_gone_and_not_between(road):
    monitor = road.monitor()
    for who, value in (("a", 2.0), ("b", 1.0), ("c,1", 3.0)):
        road.figure(who, value, NOW)
    road.run(monitor, NOW, dry=True)
    assert road.told == []
    for minutes in (0, 1, 5):
        road.run(monitor, NOW + timedelta(minutes=minutes))
    assert sorted(road.told) == [("new", "a"), ("new", "c,1")]
    road.figure("a", 2.0, NOW + timedelta(minutes=8))
    road.run(monitor, NOW + timedelta(minutes=11))
    assert road.told[2:] == [("over", "c,1")]
    road.run(monitor, NOW + timedelta(minutes=30))
    assert road.told[3:] == [("over", "a")]


def test_what_is_throttled_is_not_told_even_when_it_is_over(road):
    monitor = road.monitor(throttle_enabled=True, throttle={"value": 60, "unit": "MINUTES"})
    road.figure("a", 2.0, NOW)
    road.run(monitor, NOW)
    road.run(monitor, NOW + timedelta(minutes=30))
    assert road.told == [("new", "a")]


def test_above_fifty_alerts_there_is_one_message_for_all(road):
    monitor = road.monitor(size=20)
    for number in range(51):
        road.figure(f"w{number:02}", 2.0, NOW)
    road.run(monitor, NOW)
    [(action, _key)] = road.told
    assert action == "new" * 51


def test_a_query_that_the_node_refuses_is_refused(road):
    with pytest.raises(AssertionError, match="400"):
        road.ask(
            "POST",
            "/_plugins/_alerting/monitors",
            {
                "type": "monitor",
                "name": "broken",
                "monitor_type": "query_level_monitor",
                "enabled": True,
                "schedule": {"period": {"interval": 1, "unit": "MINUTES"}},
                "inputs": [{"search": {"indices": ["figures"], "query": {"query": {"unheard_of": {}}}}}],
                "triggers": [
                    {
                        "query_level_trigger": {
                            "name": "t",
                            "severity": "1",
                            "condition": {"script": {"source": "ctx.results[0].hits.total.value < 1"}},
                            "actions": [],
                        }
                    }
                ],
            },
        )


def test_what_is_no_plugins_is_the_nodes(road):
    assert road.ask("GET", "/_cluster/health")["number_of_nodes"] == 1
