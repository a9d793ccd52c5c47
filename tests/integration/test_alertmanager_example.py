"""The example of Alertmanager's configuration, by its own tool: sound, and each alert reaches whom it is for."""

import subprocess

import pytest

from mlvitals.assets.monitors import MONITORS, Severity
from mlvitals.assets.prometheus.rules import alert_name
from tests.conftest import REPOSITORY
from tests.stack import versions
from tests.stack.home import home

pytestmark = pytest.mark.integration

EXAMPLE = REPOSITORY / "monitors" / "prometheus" / "alertmanager.example.yaml"


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
