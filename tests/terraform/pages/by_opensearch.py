"""The way of OpenSearch: a real node, monitors that Terraform brings, and the plugins' stand-in that runs them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.integration.receiver import Receiver, receiver
from tests.opensearch_plugins_standin.server import PluginsStandIn, plugins_standin
from tests.stack import versions
from tests.stack.home import home
from tests.stack.serve.opensearch import opensearch
from tests.stack.serve.process import ask, until
from tests.terraform.command import Command, Root, copied
from tests.terraform.pages.story import FACTOR, OUTAGES, TELEMETRY, Clock

MODULE: Final = Path(__file__).parents[3] / "terraform" / "opensearch"
PACE: Final = 4  # a minute of the monitors' schedules is 15 seconds of that clock

_ROOT: Final = """
terraform {
  required_providers {
    opensearch = { source = "opensearch-project/opensearch" }
  }
}

variable "url" { type = string }
variable "paging" { type = string }
variable "waiting" { type = string }
variable "interval" { type = number }
variable "models" { type = list(string) }

provider "opensearch" {
  url         = var.url
  healthcheck = false
}

module "mlvitals" {
  source = "./opensearch"

  environment        = "prod"
  namespace          = "paged"
  telemetry_interval = var.interval
  models             = { for name in var.models : name => { window_seconds = 60, lookback_seconds = 240 } }
  dashboards         = false
  default_route = {
    page = { pagerduty = { routing_key = "key-of-pagerduty", url = var.paging } }
    warn = { webhook = { url = var.waiting } }
  }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByOpenSearch:
    """A node whose monitors run by their schedules whenever it is stepped."""

    sink: Mapping[str, Any]
    standin: PluginsStandIn
    paging: Receiver
    waiting: Receiver
    root: Root

    def begin(self, folder: Path) -> None:
        """Bring the monitors by Terraform: those that page tell PagerDuty, those that warn a webhook."""
        del folder
        until(self._is_heard_of, within=120, what="no heartbeat reached the node")
        models = [outage.model for outage in OUTAGES]
        told = {"paging": self.paging.address, "waiting": self.waiting.address, "interval": TELEMETRY * FACTOR}
        self.root.apply({"url": self.standin.address, "models": models, **told})

    def step(self) -> None:
        """Run what is due."""
        with self.standin.plugins.lock:
            self.standin.plugins.run_due(PACE)

    def pages(self) -> list[tuple[str, str]]:
        return [(one["event_action"], one["dedup_key"]) for one in self.paging.told()]

    def _is_heard_of(self) -> bool:
        query = {"query": {"term": {"name": "mlvitals.pipeline.heartbeat"}}, "size": 0}
        path = f"{self.standin.address}/ss4o_metrics-mlvitals-paged-*/_search"
        try:
            found: int = json.loads(ask(path, method="POST", body=query))["hits"]["total"]["value"]
        except AssertionError:
            return False  # the index is being made
        return found > 0


@contextmanager
def by_opensearch(terraform: Command, clock: Clock, folder: Path) -> Iterator[ByOpenSearch]:
    """Run a node and its monitors until the block ends."""
    applied = folder / "applied"
    applied.mkdir(parents=True)
    (applied / "main.tf").write_text(_ROOT, "utf-8")
    copied(MODULE, applied)
    root = terraform.root(applied).init()
    with (
        opensearch(home(versions.OPENSEARCH), folder / "node") as node,
        plugins_standin(node.address) as standin,
        receiver() as paging,
        receiver() as waiting,
    ):
        standin.plugins.now = lambda: datetime.fromtimestamp(clock.now() / 1e9, UTC)
        sink = {"type": "opensearch", "namespace": "paged", "queue": {"age": "1d", "size": "64MiB"}}
        yield ByOpenSearch(
            sink={**sink, "hosts": [node.address]}, standin=standin, paging=paging, waiting=waiting, root=root
        )
