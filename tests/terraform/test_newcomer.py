"""The way of a newcomer: the README's commands, one after the other, until a page has arrived and is resolved."""

import json
import re
import shutil
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import in_a_process
from tests.integration.receiver import receiver
from tests.opensearch_plugins_standin.server import plugins_standin
from tests.stack import versions
from tests.stack.home import home
from tests.stack.serve.opensearch import opensearch
from tests.stack.serve.process import ask, running

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).parents[2]
LOGS = REPOSITORY / "examples" / "logs"
HEADING = "### From your log to the first page"
COMMANDS = 7
LASTS = "40s"  # the drill; the README's lasts longer
PACE = 30  # a minute of the monitors' schedules is two seconds
WITHIN = 240  # seconds


@pytest.fixture
def node(tmp_path):
    with opensearch(home(versions.OPENSEARCH), tmp_path / "opensearch") as server:
        server.request("PUT", "/.kibana", {"mappings": {"dynamic": False}})  # OpenSearch Dashboards was started once
        yield server


def commands():
    """Return what the README asks a newcomer to type, without the comments."""
    section = (REPOSITORY / "README.md").read_text("utf-8").partition(HEADING)[2]
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert block is not None
    return [line.partition("#")[0].split() for line in block[1].splitlines()]


def at_home(folder):
    """Return a folder as a newcomer has it: a checkout, and the logs of a service; only OpenSearch has moved."""
    shutil.copytree(REPOSITORY / "terraform", folder / "terraform")
    shutil.copy(LOGS / "fastapi.jsonl", folder / "app-1.log")
    shutil.copy(LOGS / "fastapi-outcomes.jsonl", folder / "outcomes.jsonl")
    return folder


def mlvitals(words, folder):
    assert words[0] == "mlvitals"
    done = in_a_process(*words[1:], cwd=folder)
    assert done.code == 0, done.err
    return done.out


def hurried(config, address):
    """Change what a test has to: where OpenSearch listens here, and how long a newcomer would wait."""
    text = config.read_text("utf-8").replace("http://localhost:9200", address)
    config.write_text(f"{text}telemetry: {{interval: 2s}}\n", "utf-8")


def test_seven_commands_lead_from_a_log_to_a_page_that_arrives_and_is_resolved(terraform, node, tmp_path):
    install, init, run, render, first, apply, drill = commands()
    assert install == ["pip", "install", '".[report]"']
    folder = at_home(tmp_path / "checkout")
    mlvitals([str(folder / word) if "log" in word and "*" not in word else word for word in init], folder)
    hurried(folder / "mlvitals.yaml", node.address)
    assert run == ["mlvitals", "run", "&"]
    with receiver() as pager, plugins_standin(node.address) as standin:
        told = {"TF_VAR_opensearch_url": standin.address, "TF_VAR_pagerduty_routing_key": "key-of-a-service"}
        told |= {"TF_VAR_pagerduty_url": pager.address}
        service = [sys.executable, "-m", "mlvitals", "run", "-c", folder / "mlvitals.yaml"]
        with running(service, folder=folder, ready=(folder / ".mlvitals").exists):
            wait(lambda: is_heard_of(node.address), "nothing reached OpenSearch")
            mlvitals(render, folder)
            for words in (first, apply):
                assert words[0] == "terraform"
            where = folder / apply[1].removeprefix("-chdir=")
            assert (where / "mlvitals.auto.tfvars.json").exists()
            terraform.root(where, **told).init().run(*apply[2:], "-auto-approve", "-input=false")
            mlvitals([*drill, "--until", LASTS], folder)
            wait(lambda: heard(standin, pager, 2), "no page, or it was not resolved")
    events = [json.loads(body) for body in pager.bodies]
    assert [event["event_action"] for event in events] == ["trigger", "resolve"]
    assert {event["routing_key"] for event in events} == {"key-of-a-service"}
    assert len({event["dedup_key"] for event in events}) == 1
    assert "this is a drill, nobody needs to act" in json.dumps(events[0])
    assert drill[-1] in json.dumps(events[0])
    assert len(commands()) == COMMANDS


def heard(standin, pager, times):
    with standin.plugins.lock:
        standin.plugins.run_due(PACE)
    return len(pager.bodies) >= times


def is_heard_of(address):
    try:
        query = {"query": {"term": {"name": "mlvitals.pipeline.heartbeat"}}, "size": 0}
        found = ask(f"{address}/ss4o_metrics-mlvitals-default-*/_search", method="POST", body=query)
    except AssertionError:
        return False  # the index is being made
    return json.loads(found)["hits"]["total"]["value"] > 0


def wait(done, what):
    deadline = time.monotonic() + WITHIN
    while not done():
        assert time.monotonic() < deadline, what
        time.sleep(0.5)
