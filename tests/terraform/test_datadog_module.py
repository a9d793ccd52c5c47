"""The module of Datadog is sound, and what it applies is what a strict API holds."""

import json
import re
from pathlib import Path

import pytest

from mlvitals.assets.boards import BOARDS
from mlvitals.assets.monitors import MONITORS
from mlvitals.signals.registry import REGISTRY
from mlvitals.telemetry.naming.datadog import tag
from tests.assets.datadog.language import read_alert
from tests.intake.datadog_api import StrictApi
from tests.terraform.command import check_module, copied
from tests.terraform_standin.kept import keeping

pytestmark = pytest.mark.integration

MODULE = Path(__file__).parents[2] / "terraform" / "datadog"
NAMES = ["card-fraud", "Ads (EU)", "Müller & Söhne", "a__b", "x.y/z:1"]
ROOT = """
terraform {
  required_providers {
    datadog = { source = "DataDog/datadog" }
  }
}

variable "target" { type = number }
variable "models" { type = map(any) }

provider "datadog" {
  api_key = "key"
  app_key = "application"
}

module "mlvitals" {
  source = "./datadog"

  environment   = "prod"
  tags          = { team = "ml" }
  models        = var.models
  default_route = { page = ["@pagerduty-platform"], warn = ["@slack-team-channel"] }
  owners        = { risk-ml = { page = ["@pagerduty-risk", "@webhook-audit"] } }
  webhooks      = { audit = { url = "https://audit.example/page", headers = { Authorization = "secret" } } }
  overrides = {
    orphan_labels = { bar = 0.5, priority = 4 }
    loop_age      = { enabled = false }
    heartbeat     = { silent_seconds = 1200 }
  }
  mute_windows = {
    holidays = { start = "2026-12-24T18:00:00Z", end = "2026-12-27T06:00:00Z" }
    nights   = { rrule = "FREQ=DAILY;INTERVAL=1", duration = "8h", timezone = "Europe/Berlin" }
  }
  slo               = { target = var.target }
  log_pipeline      = true
  metric_metadata   = true
  tag_configuration = { more_tags = ["team"] }
}

output "monitors" { value = module.mlvitals.monitors }
output "notified" { value = module.mlvitals.notified }
"""


def models():
    day = {"window_seconds": 86_400, "lookback_seconds": 180_000}
    told = {name: {"owner": None, "window_seconds": 3_600, "lookback_seconds": 8_520} for name in NAMES}
    return told | {"card-fraud": told["card-fraud"] | {"owner": "risk-ml"}, NAMES[1]: told[NAMES[1]] | day}


@pytest.fixture
def applied(terraform, tmp_path):
    """What the module makes of everything that it can be asked for."""
    folder = tmp_path / "applied"
    folder.mkdir()
    (folder / "main.tf").write_text(ROOT, "utf-8")
    copied(MODULE, folder)
    api = StrictApi()
    with keeping(api) as (address, _):
        root = terraform.root(folder, DD_HOST=address).init()
        root.apply({"target": 99, "models": models()})
        yield root, api


def test_the_module_is_sound(each_terraform, tmp_path):
    ran = check_module(each_terraform, MODULE, tmp_path)
    assert ran == ["fmt", "init", "validate", "test", "examples/complete", "examples/minimal"]


def test_what_is_applied_is_what_the_api_takes_stays_and_goes(applied):
    root, api = applied
    assert api.refusals == []
    root.must_be_settled()
    _holds_boards(api)
    monitors = {told["name"]: told for told in api.of("/api/v1/monitor").values()}
    _holds_monitors(monitors)
    _holds_the_rest(api)
    root.apply({"target": 99.5, "models": {}})
    root.must_be_settled()
    assert len(api.of("/api/v1/monitor")) == len(MONITORS) - 1
    root.destroy()
    assert {path.rpartition("/")[0] for path in api.things} == {"/api/v1/metrics"}  # metadata cannot be deleted
    assert api.refusals == []


def _holds_boards(api):
    held = [told for at, told in api.of("/api/v1/dashboard").items() if not at.startswith("lists")]
    assert {told["title"] for told in held} == {board.title for board in BOARDS}
    (listed,) = [told for at, told in api.things.items() if at.endswith("/dashboards")]
    assert len(listed["dashboards"]) == len(BOARDS)


def _holds_monitors(monitors):
    groups = 4  # of risk-ml by hours, of nobody by hours, of nobody by days, and of models that nobody named
    per_model = [one for one in MONITORS if one.per_model]
    assert len(monitors) == len(per_model) * groups + len(MONITORS) - len(per_model) - 1
    page, days, others = (
        monitors[f"mlvitals: A model needs somebody ({group})"]
        for group in ("risk-ml, 8520 s", "unowned, 180000 s", "other models")
    )
    assert page["query"] == (
        "max(last_5m):max:mlvitals.decision.page.age{env:prod AND model:card-fraud} "
        "by {env,model,owner,detector,subject,costs} > 0"
    )
    assert page["message"].endswith("@pagerduty-risk @webhook-audit")
    assert "https://app.datadoghq.com/dashboard/abc-" in page["message"]
    assert {"owner:risk-ml", "team:ml", "severity:page"} <= set(page["tags"])
    assert days["message"].endswith("@pagerduty-platform")
    warns = monitors["mlvitals: Signals of a model warn (unowned, 180000 s)"]
    assert read_alert(warns["query"]).seconds == 180_000
    assert read_alert(monitors["mlvitals: A model's windows do not close (unowned, 180000 s)"]["query"]).bar == 180_000
    assert read_alert(monitors["mlvitals: The exporter is silent"]["query"]).seconds == 1_200
    orphans = monitors["mlvitals: Labels meet no predictions (other models)"]
    assert orphans["options"]["thresholds"] == {"critical": 0.5}
    assert orphans["priority"] == 4
    assert not any("does not read" in name for name in monitors)
    spelled = {tag("model", name) for name in NAMES}
    left_out = {f"{one.key}:{one.value}" for one in read_alert(others["query"]).asked.filters if one.absent}
    assert left_out == spelled
    assert not re.search("@(filters|minutes|bar|board|runbook|notify)@", json.dumps(monitors))


def _holds_the_rest(api):
    (metric,) = api.of("/api/v2/logs/config/metrics").values()
    assert metric["data"]["attributes"]["compute"] == {"aggregation_type": "count"}
    slos = {told["name"]: told for told in api.of("/api/v1/slo").values()}
    assert len(slos) == len(NAMES)
    assert slos["mlvitals: card-fraud without an alarm"]["query"] == {
        "numerator": "sum:mlvitals.windows.judged{env:prod AND model:card-fraud AND !status:alert}.as_count()",
        "denominator": "sum:mlvitals.windows.judged{env:prod AND model:card-fraud}.as_count()",
    }
    assert set(api.of("/api/v1/metrics")) == {spec.name for spec in REGISTRY.values()}
    tagged = api.of("/api/v2/metrics")
    assert "team" in tagged["mlvitals.signal.status/tags"]["data"]["attributes"]["tags"]
    muted = [told["data"]["attributes"] for told in api.of("/api/v2/downtime").values()]
    assert len(muted) == 2
    assert all("severity:warn" in one["monitor_identifier"]["monitor_tags"] for one in muted)
    (hook,) = api.of("/api/v1/integration/webhooks/configuration/webhooks").values()
    assert json.loads(hook["custom_headers"]) == {"Authorization": "secret"}
    (pipeline,) = api.of("/api/v1/logs/config/pipelines").values()
    assert [one["type"] for one in pipeline["processors"]] == ["date-remapper", "status-remapper", "message-remapper"]


def test_what_is_not_right_is_refused():
    api = StrictApi()
    monitor = {"type": "query alert", "query": "max(last_5m):max:mlvitals.a{*} > 1", "name": "n", "message": "m"}
    right = {**monitor, "options": {"thresholds": {"critical": 1}}}
    assert api.answer("POST", "/api/v1/monitor", right)[0] == 200
    for wrong in (
        {**right, "options": {"thresholds": {"critical": 2}}},
        {**right, "query": "max(last_5m):mlvitals.a > 1"},
        {**right, "colour": "red"},
        {**right, "options": {"thresholds": {"critical": 1, "critical_recovery": 1}}},
    ):
        assert api.answer("POST", "/api/v1/monitor", wrong)[0] == 400
    assert api.answer("POST", "/api/v1/monitors", right)[0] == 404
