"""The stand-in takes what the plugins take, and refuses what they refuse."""

import copy

import pytest

from tests.opensearch_plugins_standin import shapes

ACTION = {"name": "page", "destination_id": "channel", "message_template": {"source": "{{ctx.monitor.name}}"}}
BUCKETS = {"buckets_path": {"top": "top"}, "parent_bucket_path": "by", "script": {"source": "params.top > 0"}}
MONITOR = {
    "type": "monitor",
    "name": "drift",
    "monitor_type": "bucket_level_monitor",
    "enabled": True,
    "schedule": {"period": {"interval": 1, "unit": "MINUTES"}},
    "inputs": [{"search": {"indices": ["metrics"], "query": {"size": 0}}}],
    "triggers": [
        {"bucket_level_trigger": {"id": "t", "name": "t", "severity": "1", "condition": BUCKETS, "actions": [ACTION]}}
    ],
}


def changed(body, path, value):
    told = copy.deepcopy(body)
    inner = told
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return told


TRIGGER = ("triggers", 0, "bucket_level_trigger")


def test_a_monitor_is_taken():
    assert shapes.monitor_fault(MONITOR) is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("tags",), ["x"]),
        (("monitor_type",), "doc_level_monitor"),
        (("monitor_type",), "query_level_monitor"),
        (("schedule", "period", "unit"), "SECONDS"),
        (("inputs", 0, "search", "size"), 0),
        ((*TRIGGER, "severity"), 1),
        ((*TRIGGER, "condition"), {"script": {"source": "true"}}),
        ((*TRIGGER, "actions", 0, "throttle_enabled"), True),
        ((*TRIGGER, "actions", 0, "throttle"), {"value": 10, "unit": "HOURS"}),
        ((*TRIGGER, "actions", 0, "message_template", "lang"), "painless"),
        ((*TRIGGER, "actions", 0, "action_execution_policy"), {"action_execution_scope": {"per_alert": {}}}),
    ],
)
def test_a_monitor_that_a_parser_would_not_read_is_refused(path, value):
    assert shapes.monitor_fault(changed(MONITOR, path, value)) is not None


WEBHOOK = {"config": {"name": "pd", "config_type": "webhook", "webhook": {"url": "http://127.0.0.1/x"}}}


def test_a_channel_is_taken():
    assert shapes.channel_fault(WEBHOOK) is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("config", "config_type"), "pagerduty"),
        (("config", "slack"), {"url": "http://127.0.0.1/x"}),
        (("config", "webhook", "url"), "127.0.0.1"),
        (("config", "webhook", "method"), "GET"),
        (("config", "webhook", "routing_key"), "k"),
    ],
)
def test_a_channel_that_a_parser_would_not_read_is_refused(path, value):
    assert shapes.channel_fault(changed(WEBHOOK, path, value)) is not None


POLICY = {
    "policy": {
        "default_state": "hot",
        "states": [{"name": "hot", "actions": [], "transitions": [{"state_name": "hot"}]}],
    }
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("policy", "default_state"), "cold"),
        (("policy", "states", 0, "transitions"), [{"state_name": "gone"}]),
        (("policy", "states", 0, "actions"), [{"delete": {"after": "1d"}}]),
        (("policy", "phases"), {}),
    ],
)
def test_a_policy_that_leads_nowhere_is_refused(path, value):
    assert shapes.policy_fault(POLICY) is None
    assert shapes.policy_fault(changed(POLICY, path, value)) is not None
