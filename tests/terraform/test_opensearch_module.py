"""The module of OpenSearch is sound, and what it applies is what a real node and the plugins' stand-in hold."""

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from mlvitals.assets.boards import BOARDS
from mlvitals.assets.monitors import MONITORS
from tests.integration.receiver import receiver
from tests.opensearch_plugins_standin.server import plugins_standin
from tests.stack import versions
from tests.stack.home import home
from tests.stack.serve.opensearch import opensearch
from tests.stack.serve.process import ask
from tests.terraform.command import check_module, copied

pytestmark = pytest.mark.integration

MODULE = Path(__file__).parents[2] / "terraform" / "opensearch"
ROOT = """
terraform {
  required_providers {
    opensearch = { source = "opensearch-project/opensearch" }
  }
}

variable "url" { type = string }
variable "heard" { type = string }

provider "opensearch" {
  url         = var.url
  healthcheck = false
}

module "mlvitals" {
  source = "./opensearch"

  environment        = "prod"
  namespace          = "applied"
  telemetry_interval = 60
  models = {
    card-fraud  = { owner = "risk-ml" }
    house-price = { owner = "risk-ml", window_seconds = 86400, lookback_seconds = 180000 }
  }
  default_route = {
    page = { pagerduty = { routing_key = "default-key", url = var.heard } }
    warn = { slack = { url = var.heard }, webhook = { url = var.heard, headers = { X-Team = "platform" } } }
  }
  owners = {
    risk-ml = {
      page = {
        pagerduty = { routing_key = "risk-key", url = var.heard }
        opsgenie  = { api_key = "secret-key", url = var.heard }
      }
    }
  }
  retention_days = 30
  roles          = { writers = { users = ["mlvitals"] } }
}

output "monitors" { value = module.mlvitals.monitors }
output "boards" { value = module.mlvitals.boards }
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with opensearch(home(versions.OPENSEARCH), tmp_path_factory.mktemp("opensearch")) as server:
        server.request("PUT", "/.kibana", {"mappings": {"dynamic": False}})  # OpenSearch Dashboards was started once
        yield server


@pytest.fixture
def road(node):
    """A stand-in for the plugins before the node, and who is told."""
    with ExitStack() as stack:
        yield stack.enter_context(plugins_standin(node.address)), stack.enter_context(receiver())


def test_the_module_is_formatted_valid_and_passes_its_own_tests(each_terraform, tmp_path):
    ran = check_module(each_terraform, MODULE, tmp_path)
    assert ran == ["fmt", "init", "validate", "test", "examples/complete", "examples/minimal"]


def test_what_is_applied_is_held_and_a_second_plan_is_empty(each_terraform, road, tmp_path):
    standin, heard = road
    (tmp_path / "main.tf").write_text(ROOT, "utf-8")
    copied(MODULE, tmp_path)
    root = each_terraform.root(tmp_path).init().apply({"url": standin.address, "heard": heard.address})
    root.must_be_settled()
    plugins = standin.plugins
    per_model = [monitor for monitor in MONITORS if monitor.per_model]
    assert len(plugins.monitors) == 3 * len(per_model) + len(MONITORS) - len(per_model)
    assert set(root.outputs()["monitors"].values()) == set(plugins.monitors)
    assert set(plugins.roles) == {"mlvitals_writer", "mlvitals_reader"}
    assert [one.body["states"][1]["name"] for one in plugins.policies.values()] == ["delete", "delete"]
    assert "61d" in json.dumps([one.body for one in plugins.policies.values()])
    assert len(root.outputs()["boards"]) == len(BOARDS)
    held = json.loads(ask(f"{standin.address}/.kibana/_doc/dashboard:mlvitals-fleet"))["_source"]
    assert held["type"] == "dashboard"
    assert "mlvitals-ss4o-metrics-applied" in ask(f"{standin.address}/_index_template/mlvitals-ss4o-metrics-applied")
    root.destroy()
    assert (plugins.monitors, plugins.channels, plugins.policies, plugins.roles) == ({}, {}, {}, {})


def test_what_fires_reaches_the_owner_by_the_routes_that_were_applied(terraform, road, tmp_path):
    standin, heard = road
    (tmp_path / "main.tf").write_text(ROOT, "utf-8")
    copied(MODULE, tmp_path)
    root = terraform.root(tmp_path).init().apply({"url": standin.address, "heard": heard.address})
    standin.plugins.run_due(1.0)
    told = [json.loads(body) for body in heard.bodies]
    # Nothing was ever written here: the silence is all there is to tell.
    assert [(one["routing_key"], one["dedup_key"]) for one in told] == [("default-key", "mlvitals/heartbeat")]
    assert {outcome for _, _, outcome in standin.plugins.sent} == {"ok"}
    root.destroy()
