"""The module of Grafana, applied by the real provider: what a stand-in for Grafana's API then holds."""

import json
from itertools import chain

import pytest

from mlvitals.assets.boards import BOARDS
from mlvitals.assets.monitors import MONITORS, Severity
from tests.conftest import REPOSITORY
from tests.grafana_standin.server import grafana_standin
from tests.terraform.command import copied

pytestmark = pytest.mark.integration

MODULE = REPOSITORY / "terraform" / "grafana"
TOKEN = "token-of-a-test"  # noqa: S105  # it opens nothing
ROOT = """
terraform {
  required_providers {
    grafana = { source = "grafana/grafana" }
  }
}

provider "grafana" {}

variable "pager" { type = string }
variable "bar" { type = number }
variable "muted" { type = string }

module "mlvitals" {
  source = "./grafana"

  datasource_uid = "prometheus"
  environment    = "prod"
  tags           = { team = "platform" }
  models = {
    card-fraud  = { owner = "risk-ml" }
    house-price = { window_seconds = 86400, lookback_seconds = 180000 }
  }
  contact_points = {
    (var.pager)     = { pagerduty_key = "key-of-risk" }
    "on call"       = { opsgenie_key = "key-of-platform" }
    "risk channel"  = { slack_url = "https://slack.invalid/hook" }
    "platform hook" = { webhook_url = "https://hook.invalid/warn" }
  }
  owners        = { risk-ml = { page = var.pager, warn = "risk channel" } }
  default_route = { page = "on call", warn = "platform hook" }
  overrides     = { outbox_age = { bar = var.bar, recovery = 600 }, orphan_labels = { enabled = false } }
  mute_windows  = { (var.muted) = { weekdays = ["saturday", "sunday"] }, nights = { start = "20:00", end = "24:00" } }
  runbook_url   = "https://wiki.invalid/mlvitals"
}

output "dashboards" { value = module.mlvitals.dashboards }
output "rules" { value = module.mlvitals.rules }
"""
STAGING = """
module "staging" {
  source = "./grafana"

  datasource_uid = "prometheus"
  environment    = "staging"
  folder_uid     = "mlvitals-staging"
  folder_title   = "Model vitals of staging"
  dashboards     = false
  default_route  = { page = "platform hook", warn = "platform hook" }
  depends_on     = [module.mlvitals]
}
"""
ASKED = {"pager": "risk pager", "bar": 7200, "muted": "weekend"}


@pytest.fixture
def standin():
    with grafana_standin(sources=["prometheus"], token=TOKEN) as server:
        yield server


@pytest.fixture
def rooted(standin, tmp_path):
    (tmp_path / "main.tf").write_text(ROOT, "utf-8")
    copied(MODULE, tmp_path)

    def root(command):
        return command.root(tmp_path, GRAFANA_URL=standin.address, GRAFANA_AUTH=TOKEN).init()

    return root


def test_what_is_applied_is_held_and_a_second_plan_is_empty(each_terraform, standin, rooted):
    root = rooted(each_terraform).apply(ASKED)
    root.must_be_settled()
    kept = standin.grafana
    assert [one["title"] for one in kept.folders.values()] == ["Model vitals"]
    assert set(kept.dashboards) == {f"mlvitals-{board.name}" for board in BOARDS}
    assert {name.rpartition("/")[2] for name in root.outputs()["dashboards"].values()} == set(kept.dashboards)
    # Models of two lookbacks, and all others; what is left out is not there.
    rules = [one for one in MONITORS if one.name != "orphan_labels"]
    assert len(kept.rules) == sum(3 if one.per_model else 1 for one in rules)
    assert sorted(rule["title"] for rule in kept.rules.values()) == sorted(chain(*root.outputs()["rules"].values()))
    for rule in kept.rules.values():
        assert rule["annotations"]["__dashboardUid__"] in kept.dashboards
        assert rule["labels"]["team"] == "platform"
        assert rule["annotations"]["runbook_url"].startswith("https://wiki.invalid/mlvitals#")
        assert (rule["noDataState"], rule["execErrState"]) == ("OK", "Error")
        assert all('mlvitals_environment=~"prod"' in one for one in expressions(rule))
    root.destroy()
    assert (kept.folders, kept.dashboards, kept.contact_points, kept.mute_timings, kept.rules) == ({}, {}, {}, {}, {})
    assert kept.unheard == []


def test_routes_and_overrides_are_as_they_were_asked_for(terraform, standin, rooted):
    rooted(terraform).apply(ASKED)
    kept = standin.grafana
    reached = {(one.severity.value, route(rule)[0]) for one in MONITORS for rule in rules_of(kept, one)}
    pages, warns = Severity.PAGE.value, Severity.WARN.value
    assert reached == {
        *((pages, name) for name in ("risk pager", "on call")),
        *((warns, name) for name in ("risk channel", "platform hook")),
    }
    for monitor in MONITORS:
        for rule in rules_of(kept, monitor):
            receiver, groups, muted = route(rule)
            mine = monitor.per_model and any('model_name=~"card-fraud"' in one for one in expressions(rule))
            assert (receiver in ("risk pager", "risk channel")) is mine
            assert rule["labels"].get("owner") in (("risk-ml",) if mine else (None, "{{ $labels.mlvitals_owner }}"))
            assert groups == ["grafana_folder", "alertname", *monitor.incident]
            assert muted == ([] if monitor.severity is Severity.PAGE else ["nights", "weekend"])
    [waiting] = rules_of(kept, next(one for one in MONITORS if one.name == "outbox_age"))
    assert all(f"bool {bar})" in waiting["data"][1]["model"]["expr"] for bar in (7200, 600))
    assert kept.intervals == {("mlvitals", "mlvitals-page"): 60, ("mlvitals", "mlvitals-warn"): 60}
    points = {one["name"]: (one["type"], one["settings"]) for one in kept.contact_points.values()}
    assert {name: kind for name, (kind, _) in points.items()} == {
        "risk pager": "pagerduty",
        "on call": "opsgenie",
        "risk channel": "slack",
        "platform hook": "webhook",
    }
    assert points["risk pager"][1]["integrationKey"] == "key-of-risk"


def test_a_route_that_changes_takes_the_rules_along_before_the_old_one_goes(terraform, standin, rooted):
    root = rooted(terraform).apply(ASKED)
    before = set(standin.grafana.rules)
    root.apply({"pager": "new pager", "bar": 3600, "muted": "holidays"})
    root.must_be_settled()
    kept = standin.grafana
    assert set(kept.rules) == before, "rules that go on are the same ones"
    assert {"new pager", "holidays"} <= {*(one["name"] for one in kept.contact_points.values()), *kept.mute_timings}
    told = json.dumps([*kept.rules.values(), *kept.contact_points.values(), *kept.mute_timings.values()])
    assert "risk pager" not in told
    assert "weekend" not in told
    [waiting] = rules_of(kept, next(one for one in MONITORS if one.name == "outbox_age"))
    assert "bool 3600)" in waiting["data"][1]["model"]["expr"]


def test_two_environments_may_have_routes_of_their_own(terraform, standin, rooted, tmp_path):
    with (tmp_path / "main.tf").open("a", encoding="utf-8") as main:
        main.write(STAGING)
    root = rooted(terraform).apply(ASKED)
    root.must_be_settled()
    told: dict[str, set[str]] = {}
    for rule in standin.grafana.rules.values():
        told.setdefault(rule["folderUID"], set()).update(expressions(rule))
    assert set(told) == {"mlvitals", "mlvitals-staging"}
    for folder, environment in (("mlvitals", "prod"), ("mlvitals-staging", "staging")):
        assert all(f'mlvitals_environment=~"{environment}"' in one for one in told[folder])
    staged = [rule for rule in standin.grafana.rules.values() if rule["folderUID"] == "mlvitals-staging"]
    assert {route(rule)[0] for rule in staged} == {"platform hook"}
    assert {one["folder"] for one in standin.grafana.dashboards.values()} == {"mlvitals"}
    root.destroy()
    assert (standin.grafana.folders, standin.grafana.rules) == ({}, {})


def rules_of(kept, monitor):
    """Return a monitor's rules, which its title and its key begin."""
    return [rule for rule in kept.rules.values() if f"({monitor.name}-" in rule["title"]]


def route(rule):
    """Return whom a rule tells, by what it groups, and when it is muted."""
    told = rule["notification_settings"]
    return told["receiver"], told["group_by"], sorted(told.get("mute_time_intervals") or [])


def expressions(rule):
    return [query["model"]["expr"] for query in rule["data"] if query["datasourceUid"] != "__expr__"]
