"""Monitors ask for what exists; two page and the others warn; each says what to do."""

import re

import pytest

from mlvitals.assets.monitors import MONITORS, Bar, Cadence, Comparator, Monitor, Overdue, Severity, Silence
from mlvitals.assets.query import broken_rules
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Layer, Stage

each = pytest.mark.parametrize("monitor", MONITORS, ids=lambda monitor: monitor.name)


@each
def test_a_monitor_asks_for_a_signal_that_exists_and_mixes_no_two_meanings(monitor: Monitor):
    spec = REGISTRY[monitor.query.metric]
    assert list(broken_rules(monitor.query, spec)) == []
    assert (monitor.cadence is Cadence.TELEMETRY) is (spec.stage is Stage.RUNNING)
    if isinstance(monitor.fires, Overdue):
        assert spec.unit == "s"


@each
def test_its_words_name_what_it_tells_apart_and_nothing_else(monitor: Monitor):
    assert set(re.findall(r"\{(\w+)\}", monitor.says)) <= {*monitor.query.by, "value"}
    assert monitor.means.endswith(".")
    assert monitor.do
    assert all(step.endswith((".", "?")) for step in monitor.do)


@each
def test_what_fired_is_over_at_the_bar_or_on_its_other_side(monitor: Monitor):
    if isinstance(monitor.fires, Bar):
        above = monitor.fires.comparator is Comparator.ABOVE
        assert monitor.fires.recovery <= monitor.fires.value
        assert above or monitor.fires.recovery > 0, "at least 0 is always so"


def test_only_the_page_budget_and_the_heartbeat_wake_a_person():
    paging = {monitor.name: monitor for monitor in MONITORS if monitor.severity is Severity.PAGE}
    assert set(paging) == {"page", "heartbeat"}
    assert paging["page"].query.metric == "mlvitals.decision.page.age"
    assert isinstance(paging["heartbeat"].fires, Silence)


@each
def test_what_is_told_apart_begins_with_the_environment_and_what_is_told_besides_is_no_other_incident(monitor: Monitor):
    assert monitor.alerts.by == ("environment", *monitor.query.by)
    assert set(monitor.alerts.by) - set(monitor.incident) == {"owner", "costs"} & set(monitor.query.by)


def test_a_silence_fires_the_heartbeat_alone():
    assert [monitor.name for monitor in MONITORS if isinstance(monitor.fires, Silence)] == ["heartbeat"]


def test_names_are_told_apart():
    assert len({monitor.name for monitor in MONITORS}) == len(MONITORS)
    assert {REGISTRY[monitor.query.metric].layer for monitor in MONITORS} >= {Layer.PIPELINE, Layer.LABEL}
