"""The module of Elastic, applied by the real provider: what a stand-in for Elasticsearch and Kibana then holds."""

import json

import pytest

from mlvitals.assets.boards import BOARDS
from mlvitals.assets.elastic import rules
from mlvitals.assets.monitors import MONITORS, Severity
from tests.conftest import REPOSITORY
from tests.elastic_standin.server import elastic_standin
from tests.terraform.command import copied

pytestmark = pytest.mark.integration

MODULE = REPOSITORY / "terraform" / "elastic"
SPACE = "models"
KEY = "a2V5OnRoYXQtb3BlbnMtbm90aGluZw=="
ROOT = """
terraform {
  required_providers {
    elasticstack = { source = "elastic/elasticstack" }
  }
}

variable "url" { type = string }
variable "key" { type = string }

provider "elasticstack" {
  elasticsearch {
    endpoints = [var.url]
    api_key   = var.key
  }
  kibana {
    endpoints = [var.url]
    api_key   = var.key
  }
}

output "rules" { value = module.mlvitals.rules }
output "connectors" { value = module.mlvitals.connectors }
"""
BASIC = """
module "mlvitals" {
  source   = "./elastic"
  space_id = "models"
}
"""
GOLD = """
variable "bar" { type = number }

module "mlvitals" {
  source = "./elastic"

  space_id    = "models"
  tier        = "gold"
  environment = "prod"
  models = {
    card-fraud  = { owner = "risk-ml" }
    house-price = { window_seconds = 86400, lookback_seconds = 180000 }
  }
  default_route = {
    page = { pagerduty = { routing_key = "default-key" } }
    warn = {
      slack   = { url = "https://hooks.invalid/warn" }
      webhook = { url = "https://hook.invalid", headers = { X-Team = "platform" } }
    }
  }
  owners         = { risk-ml = { page = { pagerduty = { routing_key = "risk-key" } } } }
  overrides      = { outbox_age = { bar = var.bar }, orphan_labels = { enabled = false } }
  retention_days = 30
  roles          = true
}
"""


@pytest.fixture
def standin():
    with elastic_standin(space=SPACE, key=KEY) as server:
        yield server


@pytest.fixture
def rooted(standin, tmp_path):
    copied(MODULE, tmp_path)

    def root(command, module, **asked):
        (tmp_path / "main.tf").write_text(ROOT + module, "utf-8")
        return command.root(tmp_path).init().apply({"url": standin.address, "key": KEY, **asked})

    return root


def rules_of(kept, monitor):
    return [one for one in kept.rules.values() if f"monitor:{monitor.name}" in one["tags"]]


def told(kept, rule):
    """Return whom a rule tells, by kind and secret."""
    return {
        (kept.connectors[one["id"]]["connector_type_id"], *kept.secrets[one["id"]].values()) for one in rule["actions"]
    }


def test_what_is_applied_with_all_that_gold_allows_is_held_and_a_second_plan_is_empty(each_terraform, standin, rooted):
    root = rooted(each_terraform, GOLD, bar=7200)
    root.must_be_settled()
    kept = standin.elastic
    assert kept.unheard == []
    assert len(kept.rules) == sum(3 if one.per_model else 1 for one in MONITORS)
    assert set(root.outputs()["rules"].values()) == set(kept.rules)
    assert {one for kind, one in kept.saved if kind == "dashboard"} == {f"mlvitals-{board.name}" for board in BOARDS}
    assert set(kept.artifacts["_security/role"]) == {"mlvitals_writer", "mlvitals_reader"}
    policy = kept.artifacts["_ilm/policy"]["mlvitals-ecs-metrics-default"]["policy"]["phases"]
    assert policy["delete"]["min_age"] == "61d"
    template = kept.artifacts["_index_template"]["mlvitals-ecs-metrics-default"]["template"]
    assert template["settings"]["index"]["lifecycle"] == {"name": "mlvitals-ecs-metrics-default"}
    [waiting] = rules_of(kept, next(one for one in MONITORS if one.name == "outbox_age"))
    assert waiting["params"]["threshold"] == [7200]
    for monitor in MONITORS:
        for rule in rules_of(kept, monitor):
            assert rule["enabled"] is (monitor.name != "orphan_labels")
            mine = monitor.per_model and "card-fraud" in rule["params"]["esQuery"] and "must_not" not in rule["name"]
            if monitor.severity is Severity.WARN:
                assert {kind for kind, *_ in told(kept, rule)} == {".slack", ".webhook"}
            elif "risk-ml" in rule["name"]:
                assert mine
                assert told(kept, rule) == {(".pagerduty", "risk-key")}
                assert [one["frequency"].get("throttle") for one in rule["actions"]] == ["1h", None]
            else:
                assert told(kept, rule) == {(".pagerduty", "default-key")}
    root.apply({"url": standin.address, "key": KEY, "bar": 1800}).must_be_settled()
    [waiting] = rules_of(kept, next(one for one in MONITORS if one.name == "outbox_age"))
    assert waiting["params"]["threshold"] == [1800]
    root.destroy()
    assert (kept.rules, kept.connectors) == ({}, {})
    assert kept.saved, "an import is not taken back"
    assert all(held == {} for held in kept.artifacts.values())


def test_with_basic_rules_are_those_that_ship_and_write_into_the_index(terraform, standin, rooted):
    root = rooted(terraform, BASIC)
    root.must_be_settled()
    kept = standin.elastic
    assert kept.unheard == []
    [connector] = kept.connectors.values()
    assert connector["config"]["index"] == "mlvitals-alerts-default"
    assert "mlvitals-alerts-default" in kept.artifacts["_index_template"]
    for monitor in MONITORS:
        [rule] = rules_of(kept, monitor)
        shipped = json.loads(rules.filled(monitor))
        assert {**rule["params"], "index": shipped["params"]["index"]} == {
            **shipped["params"],
            "esQuery": rule["params"]["esQuery"],
        }
        assert rule["params"]["index"] == ["mlvitals-metrics-default-*"]
        assert json.loads(rule["params"]["esQuery"]) == json.loads(shipped["params"]["esQuery"])
        assert [one["params"] for one in rule["actions"]] == [one["params"] for one in shipped["actions"]]
        for name in ("schedule", "consumer", "rule_type_id", "alert_delay", "flapping"):
            assert rule[name] == shipped[name]
