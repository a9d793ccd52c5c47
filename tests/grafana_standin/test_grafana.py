"""The stand-in for Grafana refuses what Grafana refuses, and tells no secret."""

import pytest

from tests.grafana_standin.grafana import Grafana, RefusedError

POINT = {"name": "pager", "type": "pagerduty", "settings": {"integrationKey": "a secret", "summary": "s"}}


def rule(title="one", **changed):
    query = {
        "refId": "A",
        "datasourceUid": "prometheus",
        "model": {"refId": "A", "expr": "up", "instant": True, "range": False},
        "relativeTimeRange": {"from": 600, "to": 0},
    }
    told = {"title": title, "ruleGroup": "g", "folderUID": "f", "condition": "A", "data": [query], "orgID": 1}
    return {**told, "noDataState": "OK", "execErrState": "Error", "for": "0s", **changed}


def group(*rules, interval=60):
    return {"title": "g", "folderUid": "f", "interval": interval, "rules": list(rules)}


@pytest.fixture
def grafana():
    kept = Grafana(sources=frozenset({"prometheus"}))
    kept.put_folder({"uid": "f", "title": "F"})
    return kept


def test_a_secret_is_kept_and_not_told(grafana):
    _, told = grafana.put_contact_point(POINT)
    assert told["settings"] == {"integrationKey": "[REDACTED]", "summary": "s"}
    grafana.put_contact_point(told, told["uid"])
    assert grafana.contact_points[told["uid"]]["settings"]["integrationKey"] == "a secret"
    assert "a secret" not in str(grafana.all_contact_points({})[1])


def test_what_a_rule_names_must_be_there_and_stays_as_long_as_it_does(grafana):
    settings = {"receiver": "pager", "group_by": ["grafana_folder", "alertname"]}
    with pytest.raises(RefusedError, match="receiver pager does not exist"):
        grafana.put_group("f", "g", group(rule(notification_settings=settings)))
    _, point = grafana.put_contact_point(POINT)
    grafana.put_group("f", "g", group(rule(notification_settings=settings)))
    with pytest.raises(RefusedError, match="currently used by an alert rule"):
        grafana.delete_contact_point(point["uid"])
    with pytest.raises(RefusedError, match="folder contains alert rules"):
        grafana.delete_folder("f", {})
    grafana.put_group("f", "g", group())
    grafana.delete_contact_point(point["uid"])


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"colour": "red"}, "colour"),
        ({"condition": "B"}, "condition B does not exist"),
        ({"labels": {"alertname": "mine"}}, "system reserved labels"),
        ({"annotations": {"__panelId__": "2"}}, "__dashboardUid__"),
        ({"folderUID": "other"}, "names another group"),
        ({"notification_settings": {"receiver": "nobody"}}, "receiver nobody does not exist"),
    ],
)
def test_a_rule_that_grafana_would_not_take_is_refused(grafana, changed, why):
    with pytest.raises(RefusedError, match=why):
        grafana.put_group("f", "g", group(rule(**changed)))
    assert grafana.rules == {}


def test_titles_are_told_apart_within_a_folder_and_intervals_are_whole(grafana):
    with pytest.raises(RefusedError, match="should be unique"):
        grafana.put_group("f", "g", group(rule(), rule()))
    with pytest.raises(RefusedError, match="multiple of 10 seconds"):
        grafana.put_group("f", "g", group(rule(), interval=61))
