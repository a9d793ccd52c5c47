"""A drill, from the running job to what PagerDuty would hear from Kibana, and to its end.

The job writes the schema `ecs` into a real node of OpenSearch, for Elasticsearch cannot be had; what Kibana makes of a
rule is written after its sources.
"""

import json
import shutil
import sys
import time

import pytest

from mlvitals.assets.documents import ECS
from mlvitals.assets.elastic import messages, rules
from mlvitals.assets.monitors import MONITORS
from tests.assets.elastic import kibana
from tests.cli.conftest import in_a_process
from tests.conftest import REPOSITORY
from tests.stack.serve.process import ask, running, until

pytestmark = pytest.mark.integration

LOGS = REPOSITORY / "examples" / "logs"
MODEL = "payment-fraud"
LASTS = "15s"
RECENT = 12  # seconds: five telemetry intervals, and two for a shard to be refreshed
WITHIN = 90.0
[PAGE] = [one for one in MONITORS if one.name == "page"]
[HEARTBEAT] = [one for one in MONITORS if one.name == "heartbeat"]


@pytest.fixture
def job(opensearch, tmp_path):
    """A job over a service's log that tells of itself every two seconds, in a namespace of its own."""
    shutil.copy(LOGS / "fastapi.jsonl", tmp_path / "app-1.log")
    shutil.copy(LOGS / "fastapi-outcomes.jsonl", tmp_path / "outcomes.jsonl")
    mlvitals(tmp_path, "init", tmp_path / "app-1.log", tmp_path / "outcomes.jsonl", "--sink", "opensearch")
    config = tmp_path / "mlvitals.yaml"
    text = config.read_text("utf-8")
    asked = 'hosts: ["http://localhost:9200"]'
    assert asked in text
    config.write_text(text.replace(asked, f'hosts: ["{opensearch.address}"], schema: ecs, namespace: drill'), "utf-8")
    with config.open("a", encoding="utf-8") as more:
        more.write("telemetry: {interval: 2s}\n")
    service = [sys.executable, "-m", "mlvitals", "run", "-c", config]
    with running(service, folder=tmp_path, ready=(tmp_path / ".mlvitals").exists):
        yield tmp_path


def mlvitals(folder, *words):
    done = in_a_process(*words, cwd=folder)
    assert done.code == 0, done.err


def alerts(address, monitor):
    """Return the alerts of a rule now, over what was told in the last seconds."""
    params = json.loads(rules.filled(monitor))["params"]
    params |= {"timeWindowSize": RECENT, "index": [ECS.metrics.replace("*", "drill-*")]}
    path = f"/{','.join(params['index'])}/_search?allow_no_indices=true&ignore_unavailable=true"
    ask(f"{address}/_refresh", method="POST")
    answer = ask(f"{address}{path}", method="POST", body=kibana.search(params, time.time_ns() // 1_000_000))
    return kibana.alerts(params, json.loads(answer))


def test_a_drill_is_one_alert_that_names_it_and_is_over_by_the_same_key(opensearch, job):
    until(lambda: alerts(opensearch.address, HEARTBEAT) == {}, within=WITHIN, what="the job is heard of")
    assert alerts(opensearch.address, PAGE) == {}
    mlvitals(job, "drill", "--model", MODEL, "--until", LASTS)
    until(lambda: alerts(opensearch.address, PAGE) != {}, within=WITHIN, what="it pages")
    [(alert, context)] = alerts(opensearch.address, PAGE).items()
    assert alert.split(",")[1:] == [MODEL, "drill", "nothing"]
    begins, over = (one["params"] for one in messages.actions(PAGE, "pagerduty"))
    body = {"source": json.dumps(begins), "params": {"alert": {"id": alert}, "context": context}}
    told = json.loads(ask(f"{opensearch.address}/_render/template", method="POST", body=body))["template_output"]
    assert "this is a drill, nobody needs to act" in told["summary"]
    assert told["dedupKey"] == over["dedupKey"].replace("{{alert.id}}", alert)
    until(lambda: alerts(opensearch.address, PAGE) == {}, within=WITHIN, what="it is over")
    assert alerts(opensearch.address, HEARTBEAT) == {}
