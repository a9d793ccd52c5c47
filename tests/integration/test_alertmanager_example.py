"""The example of Alertmanager's configuration, by its own tool: sound, and each alert reaches whom it is for."""

import json
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from mlvitals.assets.monitors import MONITORS, Severity
from mlvitals.assets.prometheus.rules import alert_name
from tests.integration.receiver import receiver
from tests.integration.routes import EXAMPLE, example
from tests.stack import versions
from tests.stack.home import home
from tests.stack.serve.process import ask, until
from tests.stack.serve.prometheus import alertmanager

pytestmark = pytest.mark.integration

LABELS = {
    "alertname": "MlvitalsPage",
    "severity": "page",
    "model": "card-fraud",
    "detector": "feature",
    "subject": "amount",
}


def amtool(*words):
    program = home(versions.ALERTMANAGER) / "amtool"
    told = subprocess.run([program, *words], capture_output=True, text=True, check=False, timeout=60)
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


def test_it_is_sound():
    assert "SUCCESS" in amtool("check-config", EXAMPLE)


@pytest.mark.parametrize("monitor", MONITORS, ids=lambda monitor: monitor.name)
def test_an_alert_reaches_whom_its_severity_and_its_owner_name(monitor):
    def reached(**labels):
        told = [f"{name}={value}" for name, value in labels.items()]
        said = amtool("config", "routes", "test", f"--config.file={EXAMPLE}", f"alertname={alert_name(monitor)}", *told)
        return said.strip()

    severity = monitor.severity.value
    pages = monitor.severity is Severity.PAGE
    assert reached(severity=severity) == ("mlvitals-page" if pages else "mlvitals-warn")
    assert reached(severity=severity, owner="risk-ml") == ("risk-ml-page" if pages else "mlvitals-warn")


def test_two_environments_are_two_incidents_and_one_that_comes_to_cost_more_is_the_same(tmp_path):
    with receiver() as paging, receiver() as waiting:
        routes = example(60, paging=paging.address, waiting=waiting.address)
        with alertmanager(home(versions.ALERTMANAGER), tmp_path, routes) as server:

            def post(*alerts, lasts=True):
                now = datetime.now(UTC)
                ends = {} if lasts else {"endsAt": now.isoformat()}
                begun = (now - timedelta(minutes=1)).isoformat()
                sent = [
                    {"labels": LABELS | one, "annotations": {"summary": one["environment"]}, "startsAt": begun, **ends}
                    for one in alerts
                ]
                ask(f"{server.address}/api/v2/alerts", method="POST", body=json.dumps(sent))

            def told(action):
                return [one for one in paging.told() if one["event_action"] == action]

            first, second = {"environment": "prod", "costs": "9 USD a day"}, {"environment": "staging"}
            dearer = first | {"costs": "99 USD a day"}
            post(first, second)
            until(lambda: len(told("trigger")) == 2, what="both environments were told")
            keys = {one["payload"]["summary"]: one["dedup_key"] for one in told("trigger")}
            assert set(keys) == {"prod", "staging"}
            assert keys["prod"] != keys["staging"]
            post(dearer)
            until(lambda: len(told("trigger")) == 3, what="that it costs more was told")
            assert told("trigger")[2]["dedup_key"] == keys["prod"]
            assert told("resolve") == []
            post(first, second, dearer, lasts=False)
            until(lambda: len(told("resolve")) == 2, what="both are over")
            assert {one["dedup_key"] for one in told("resolve")} == set(keys.values())
            assert waiting.bodies == []
