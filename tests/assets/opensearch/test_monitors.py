"""Monitors are what the plugins' parsers take, whole, with every place filled, and tell coming and going."""

import json
import re

import pytest

from mlvitals.assets.monitors import MONITORS, Severity, Silence
from mlvitals.assets.opensearch import install, messages, monitors
from tests.opensearch_plugins_standin import shapes

each = pytest.mark.parametrize("monitor", MONITORS, ids=lambda monitor: monitor.name)


def trigger(monitor):
    [one] = json.loads(monitors.filled(monitor))["triggers"]
    [told] = one.values()
    return told


@each
def test_a_monitor_is_taken_and_no_place_is_left(monitor):
    assert shapes.monitor_fault(json.loads(monitors.filled(monitor))) is None
    assert re.findall(r"@[a-z_]+@", monitors.filled(monitor)) == []


@each
def test_its_condition_holds_the_bar_of_the_catalogue(monitor):
    source = trigger(monitor)["condition"]["script"]["source"]
    if isinstance(monitor.fires, Silence):
        assert f"||-{monitor.fires.seconds}s" in monitors.filled(monitor)
    else:
        assert source.endswith(f" {monitors.bar(monitor):g}")


@each
def test_it_tells_when_it_is_over_but_for_a_silence(monitor):
    [action] = trigger(monitor)["actions"]
    if isinstance(monitor.fires, Silence):
        assert action["throttle_enabled"] is True
    else:
        scope = action["action_execution_policy"]["action_execution_scope"]["per_alert"]
        assert scope["actionable_alerts"] == ["NEW", "COMPLETED"]
        assert action["throttle_enabled"] is False, "what is throttled would not be told to be over"


@each
def test_what_it_tells_besides_is_no_part_of_what_it_is(monitor):
    told = monitors.filled(monitor)
    assert '"owner": {\n' not in told
    assert trigger(monitor)["severity"] == ("1" if monitor.severity is Severity.PAGE else "3")


@each
@pytest.mark.parametrize("receiver", messages.RECEIVERS)
def test_a_message_names_its_runbook_and_closes_what_it_opens(monitor, receiver):
    text = messages.templates(monitor)[receiver]
    assert f"#{monitor.name}" in text
    opened, closed = (sorted(re.findall(pattern, text)) for pattern in (r"\{\{#([^}]+)\}\}", r"\{\{/([^}]+)\}\}"))
    assert opened == closed


def test_policies_and_roles_are_taken():
    for body in install.artifacts()["policy"].values():
        assert shapes.policy_fault(body) is None
    for body in install.roles().values():
        assert shapes.role_fault(body) is None


def test_templates_carry_no_mark_of_the_sink_so_that_it_leaves_them_alone():
    told = json.dumps(install.artifacts())
    assert "managed_by" not in told
    assert "managed by" not in told
