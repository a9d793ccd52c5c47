"""Rules are what Kibana's own checks take, with every place filled, and tell coming and going by the same key."""

import json
import re

import pytest

from mlvitals.assets.elastic import install, messages, rules
from mlvitals.assets.monitors import MONITORS, Bar, Overdue, Severity, Silence
from mlvitals.signals.registry import REGISTRY
from mlvitals.sinks.opensearch.choices import Engine
from mlvitals.sinks.opensearch.templates import render
from mlvitals.telemetry.naming.opensearch import Schema
from tests.assets.elastic import kibana

each = pytest.mark.parametrize("monitor", MONITORS, ids=lambda monitor: monitor.name)


def filled(monitor):
    return json.loads(rules.filled(monitor))


@each
def test_a_rule_is_taken_and_no_place_is_left(monitor):
    told = filled(monitor)
    assert [*kibana.faults(told["params"])] == []
    assert re.findall(r"@[a-z_]+@", rules.filled(monitor)) == []
    assert told["schedule"]["interval"] in {"1m", "5m"}
    assert told["rule_type_id"] == ".es-query"


@each
def test_its_condition_holds_the_bar_of_the_catalogue(monitor):
    asked = filled(monitor)["params"]
    match monitor.fires:
        case Silence(seconds=seconds):
            assert (asked["timeWindowSize"], asked["thresholdComparator"], asked["threshold"]) == (seconds, "<", [1])
        case Overdue():
            assert asked["threshold"] == [8_520]
        case Bar(comparator=comparator, value=value, lasting=lasting):
            assert (asked["thresholdComparator"], asked["threshold"]) == (comparator.value, [value])
            assert asked["aggType"] == ("min" if lasting else "max")
            assert asked["timeWindowSize"] == lasting or not lasting


@each
def test_what_makes_an_incident_makes_its_group_and_nothing_besides(monitor):
    fields = filled(monitor)["params"].get("termField", [])
    fields = [fields] if isinstance(fields, str) else fields
    incident = [] if isinstance(monitor.fires, Silence) else monitor.incident
    assert [field.removeprefix("mlvitals.").removesuffix(".name") for field in fields] == [*incident]
    assert "owner" not in fields


@each
@pytest.mark.parametrize("receiver", messages.RECEIVERS)
def test_a_message_is_told_when_it_begins_and_when_it_is_over(monitor, receiver):
    begins, over = messages.actions(monitor, receiver)
    assert (begins["group"], over["group"]) == ("query matched", "recovered")
    assert over["frequency"]["notify_when"] == "onActionGroupChange"
    # What was not delivered is told again; a conversation is not told twice.
    again = ("onThrottleInterval", "1h") if receiver == "pagerduty" else ("onActionGroupChange", None)
    assert (begins["frequency"]["notify_when"], begins["frequency"]["throttle"]) == again
    assert begins["frequency"]["summary"] is False
    text = json.dumps(begins["params"])
    assert receiver == "slack" or f"mlvitals/{monitor.name}" in text
    assert f"#{monitor.name}" in text
    opened, closed = (sorted(re.findall(pattern, text)) for pattern in (r"\{\{#([^}]+)\}\}", r"\{\{/([^}]+)\}\}"))
    assert opened == closed
    assert "context.hits" not in json.dumps(over["params"]), "of what is over there is no document"


@each
def test_pagerduty_is_told_by_the_same_key_when_it_is_over(monitor):
    begins, over = (one["params"] for one in messages.actions(monitor, "pagerduty"))
    assert (begins["eventAction"], over["eventAction"]) == ("trigger", "resolve")
    assert begins["dedupKey"] == over["dedupKey"]
    assert ("{{alert.id}}" in over["dedupKey"]) is not isinstance(monitor.fires, Silence)
    assert begins["severity"] == ("critical" if monitor.severity is Severity.PAGE else "warning")


def test_templates_are_those_of_the_sink_without_its_mark():
    told = install.templates()
    assert "managed_by" not in json.dumps(told)
    shipped = {**told["component"], **told["index"]}
    for artifact in render(REGISTRY, Schema.ECS, "@namespace@", Engine.ELASTICSEARCH):
        assert shipped[artifact.name] == {name: value for name, value in artifact.body.items() if name != "_meta"}
    assert set(told["policy"]) == {"mlvitals-ecs-metrics-@namespace@", "mlvitals-ecs-logs-@namespace@"}
