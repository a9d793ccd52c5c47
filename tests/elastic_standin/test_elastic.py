"""The stand-in refuses what Elasticsearch and Kibana refuse, so that what it keeps is worth something."""

import json

import pytest

from mlvitals.assets.elastic import rules
from mlvitals.assets.elastic.objects import saved_objects
from mlvitals.assets.monitors import MONITORS
from tests.elastic_standin.elastic import Elastic, RefusedError

INDEX = {"name": "alerts", "connector_type_id": ".index", "config": {"index": "alerts"}}


@pytest.fixture
def kept():
    elastic = Elastic()
    elastic.put_connector(INDEX, rules.CONNECTOR)
    return elastic


@pytest.mark.parametrize("monitor", MONITORS, ids=lambda monitor: monitor.name)
def test_a_rule_that_ships_is_taken_as_it_is(kept, monitor):
    status, told = kept.put_rule(json.loads(rules.filled(monitor)))
    assert (status, told["name"]) == (200, f"mlvitals: {monitor.title}")


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (("schedules",), {}, "schedules"),
        (("params", "esQuery"), "{}", "esQuery"),
        (("params", "termSize"), 1_001, "termSize"),
        (("params", "termField"), ["a", "b", "c", "d", "e"], "termField"),
        (("params", "period"), 1, "period"),
        (("actions", 0, "id"), "nobody", "invalid connector"),
        (("actions", 0, "group"), "query met", "invalid action groups"),
        (("actions", 0, "params", "message"), "m", "message"),
    ],
)
def test_a_rule_with_a_fault_is_refused(kept, place, value, reason):
    body = json.loads(rules.filled(MONITORS[0]))
    held = body
    for step in place[:-1]:
        held = held[step]
    held[place[-1]] = value
    with pytest.raises(RefusedError, match=reason):
        kept.put_rule(body)


@pytest.mark.parametrize(
    "changed", [{"config": {}}, {"config": {"index": "a", "host": "b"}}, {"secrets": {"password": "p"}}]
)
def test_a_connector_with_a_fault_is_refused(kept, changed):
    with pytest.raises(RefusedError, match="error validating"):
        kept.put_connector(INDEX | changed)


def test_boards_without_what_they_refer_to_are_refused(kept):
    lines = [json.dumps(one.line()).encode() for one in saved_objects()]
    with pytest.raises(RefusedError, match="is not there"):
        kept.put_saved(b"\n".join(lines[2:]))
    assert kept.put_saved(b"\n".join(lines))[1]["successCount"] == len(lines)


def test_a_template_stands_on_its_component_for_as_long_as_it_is_there(kept):
    index = {"index_patterns": ["a"], "composed_of": ["common"], "template": {}}
    with pytest.raises(RefusedError, match="do not exist"):
        kept.put_artifact("_index_template", "a", index)
    kept.put_artifact("_component_template", "common", {"template": {}})
    kept.put_artifact("_index_template", "a", index)
    with pytest.raises(RefusedError, match="in use"):
        kept.delete_artifact("_component_template", "common")
