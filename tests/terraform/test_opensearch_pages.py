"""Two real outages, lived through again: one page for each, and one word when it is over, by the paging a team has."""

import json
import sqlite3
import sys
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlvitals.decisions.episode_rows import read_episodes
from tests.cli.conftest import in_a_process
from tests.integration import hurried
from tests.integration.outages import FRAUD, HOUSES, PAGES_PER_WEEK, config, fed, prepare, replayed
from tests.integration.receiver import Receiver, receiver
from tests.opensearch_plugins_standin.server import PluginsStandIn, plugins_standin
from tests.stack import versions
from tests.stack.home import home
from tests.stack.serve.opensearch import opensearch
from tests.stack.serve.process import ask, running
from tests.terraform.command import Root, copied

pytestmark = [pytest.mark.integration, pytest.mark.shared]

MODULE = Path(__file__).parents[2] / "terraform" / "opensearch"

# The job's clock runs so many times as fast: an outage is over after 24 windows, which cannot be shorter than a minute.
FACTOR = 8
INTERVAL = 30  # seconds of that clock: a telemetry interval as the monitors know it
PACE = 4  # a minute of the monitors' schedules is 15 seconds of that clock
WITHIN = 480  # seconds
SINK = {"type": "opensearch", "namespace": "paged", "queue": {"age": "1d", "size": "64MiB"}}


ROOT = """
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


@pytest.fixture
def node(tmp_path):
    with opensearch(home(versions.OPENSEARCH), tmp_path / "opensearch") as server:
        yield server


@pytest.fixture
def story(terraform, node, shared_data, tmp_path):
    """A running job that is fed the outages, before a node with monitors; what PagerDuty and others heard."""
    applied = tmp_path / "applied"
    applied.mkdir()
    (applied / "main.tf").write_text(ROOT, "utf-8")
    copied(MODULE, applied)
    root = terraform.root(applied).init()
    outages = {outage.set: outage for outage in (FRAUD, HOUSES)}
    for name, outage in outages.items():
        prepare(shared_data, outage, tmp_path / f"{name}-served")
    since = time.time_ns() // 60_000_000_000 * 60_000_000_000
    folders = {name: tmp_path / name for name in outages}
    for name, outage in outages.items():
        replayed(in_a_process, outage, tmp_path / f"{name}-served", folders[name], begin=since // 1_000)
    document = config([(outage, folders[name]) for name, outage in outages.items()])
    document |= {
        "service": {"name": "story", "environment": "prod"},
        "sinks": [{**SINK, "hosts": [node.address]}],
        "decisions": {"pages_per_week": PAGES_PER_WEEK},
        "telemetry": {"interval": "1s"},
    }
    (tmp_path / "mlvitals.yaml").write_text(json.dumps(document), "utf-8")
    since = time.time_ns()
    with ExitStack() as stack:
        standin = stack.enter_context(plugins_standin(node.address))
        standin.plugins.now = lambda: datetime.fromtimestamp(hurried.hurried(FACTOR, since) / 1e9, UTC)
        heard = [stack.enter_context(receiver()) for _ in range(2)]
        stack.enter_context(fed(folders, lambda: hurried.hurried(FACTOR, since) // 1_000))
        stack.enter_context(job(tmp_path, since))
        yield Story(standin, heard[0], heard[1], tmp_path / "state.db", root)


def job(folder, since):
    """Run `mlvitals run` by the faster clock."""
    script = Path(hurried.__file__)
    command = [sys.executable, script, FACTOR, since, "run", "-c", folder / "mlvitals.yaml"]
    return running(command, folder=folder / "job", ready=(folder / "state.db").exists)


@dataclass(frozen=True, slots=True)
class Story:
    """What goes on: monitors are run by their schedules whenever it is looked at."""

    standin: PluginsStandIn
    paging: Receiver
    waiting: Receiver
    state: Path
    root: Root

    def apply(self):
        """Bring the monitors by Terraform: those that page tell PagerDuty, those that warn a webhook."""
        models = [outage.model for outage in (FRAUD, HOUSES)]
        told = {"paging": self.paging.address, "waiting": self.waiting.address, "interval": INTERVAL, "models": models}
        self.root.apply({"url": self.standin.address, **told})

    def until(self, done, *, what):
        """Let monitors run until something is so."""
        deadline = time.monotonic() + WITHIN
        while not done():
            assert time.monotonic() < deadline, f"{what}; heard: {self.pages()}"
            with self.standin.plugins.lock:
                self.standin.plugins.run_due(PACE)
            time.sleep(0.2)

    def is_heard_of(self):
        query = {"query": {"term": {"name": "mlvitals.pipeline.heartbeat"}}, "size": 0}
        path = f"{self.standin.address}/ss4o_metrics-mlvitals-paged-*/_search"
        try:
            return json.loads(ask(path, method="POST", body=query))["hits"]["total"]["value"] > 0
        except AssertionError:
            return False  # the index is being made

    def pages(self):
        """Return what PagerDuty heard: what to do, of what, in order."""
        return [(one["event_action"], one["dedup_key"]) for one in map(json.loads, self.paging.bodies)]

    def episodes(self):
        with closing(sqlite3.connect(self.state)) as connection:
            return [*read_episodes(connection)]


def test_each_outage_is_one_page_and_one_word_when_it_is_over(story):
    story.until(story.is_heard_of, what="no heartbeat reached the node")
    story.apply()
    keys = {one.model: f"mlvitals/page/prod,{one.model},feature,{one.subject}" for one in (FRAUD, HOUSES)}
    told = [(action, key) for key in keys.values() for action in ("trigger", "resolve")]
    story.until(lambda: len(story.pages()) >= len(told), what="not every outage was told and over")
    # Nothing follows: monitors run on for some of their schedules.
    quiet = time.monotonic() + 15
    story.until(lambda: time.monotonic() > quiet, what="")
    assert sorted(story.pages(), key=lambda page: list(keys.values()).index(page[1])) == told
    episodes = {one.model: one for one in story.episodes()}
    assert set(episodes) == set(keys)
    for outage in (FRAUD, HOUSES):
        bodies = map(json.loads, story.paging.bodies)
        first = next(one for one in bodies if one["dedup_key"] == keys[outage.model])
        since = datetime.fromtimestamp(episodes[outage.model].since / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        told_now = first["payload"]["custom_details"]["now"]
        assert f"{outage.model}: feature {outage.subject} moved (since {since})" in told_now
    assert {channel for channel, _, outcome in story.standin.plugins.sent if outcome != "ok"} == set()
