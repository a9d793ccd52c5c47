"""Rules as Prometheus's own tool sees them: they are sound, and fire on the right side of every bar and at no other."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlvitals.assets.monitors import LOOKBACK, MONITORS, Bar, Comparator, Monitor, Overdue, Silence
from mlvitals.assets.prometheus.promql import label
from mlvitals.assets.prometheus.rules import alert_name, render_rules
from mlvitals.signals.registry import REGISTRY
from mlvitals.telemetry.naming.prometheus import metric_name
from tests.stack import versions
from tests.stack.home import home

pytestmark = pytest.mark.integration

BEATS = "mlvitals_pipeline_heartbeat_total"
ENVIRONMENT = f'{label("environment")}="prod"'


@pytest.fixture(scope="module")
def promtool(tmp_path_factory):
    program = home(versions.PROMETHEUS) / "promtool"
    folder: Path = tmp_path_factory.mktemp("rules")
    (folder / "rules.yaml").write_bytes(render_rules())

    def run(*words: str) -> str:
        told = subprocess.run([program, *words], cwd=folder, capture_output=True, text=True, check=False, timeout=120)
        assert told.returncode == 0, told.stdout + told.stderr
        return told.stdout + told.stderr

    def behaves(tests: Sequence[Mapping[str, Any]]) -> None:
        document = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": list(tests)}
        (folder / "test.yaml").write_text(yaml.safe_dump(document), "utf-8")
        run("test", "rules", "test.yaml")

    return run, behaves


def alive() -> dict[str, str]:
    return {"series": f"{BEATS}{{{ENVIRONMENT}}}", "values": "1+1x600"}


def attributes(monitor: Monitor) -> dict[str, str]:
    return {name: f"some {name}" for name in monitor.query.by}


def selector(monitor: Monitor) -> str:
    spec = REGISTRY[monitor.query.metric]
    labels = {**attributes(monitor), **monitor.query.where}
    told = ",".join([ENVIRONMENT, *(f'{label(name)}="{value}"' for name, value in labels.items())])
    return f"{metric_name(spec.name, spec.unit, spec.instrument)}{{{told}}}"


def sides(monitor: Monitor) -> tuple[list[float], list[float]]:
    """Return values that fire, and as many that do not, the bar itself among one of them."""
    if isinstance(monitor.fires, Overdue):
        return [LOOKBACK + 1.0, 9e9], [float(LOOKBACK), 0.0]
    assert isinstance(monitor.fires, Bar)
    bar = monitor.fires.value
    near = max(abs(bar), 1.0) * 1e-6
    if monitor.fires.comparator is Comparator.ABOVE:
        return [bar + near, bar + 1e6], [bar, bar - near]
    return [bar, bar + near], [bar - near, bar - 1e6]


BARRED = [monitor for monitor in MONITORS if not isinstance(monitor.fires, Silence)]


def test_the_rules_are_sound(promtool):
    run, _ = promtool
    assert f"{len(MONITORS)} rules found" in run("check", "rules", "--lint=all", "rules.yaml")


@pytest.mark.parametrize("monitor", BARRED, ids=lambda monitor: monitor.name)
def test_it_fires_on_the_right_side_of_its_bar_and_nothing_else_does(promtool, monitor):
    _, behaves = promtool
    minute = 10
    firing, quiet = sides(monitor)
    assert len(firing) == len(quiet)
    behaves(
        [
            {
                "interval": "1m",
                "input_series": [alive(), {"series": selector(monitor), "values": f"{value!r}x20"}],
                "promql_expr_test": [
                    {
                        "expr": f'count(ALERTS{{alertname="{alert_name(monitor)}",alertstate="firing"}}) or vector(0)',
                        "eval_time": f"{minute}m",
                        "exp_samples": [{"labels": "{}", "value": float(fires)}],
                    },
                    {
                        "expr": f'count(ALERTS{{alertname!="{alert_name(monitor)}",alertstate="firing"}}) or vector(0)',
                        "eval_time": f"{minute}m",
                        "exp_samples": [{"labels": "{}", "value": 0.0}],
                    },
                ],
            }
            for values, fires in ((firing, True), (quiet, False))
            for value in values
        ]
    )


@pytest.mark.parametrize(
    "monitor",
    [one for one in BARRED if isinstance(one.fires, Bar) and one.fires.recovery < one.fires.value],
    ids=lambda monitor: monitor.name,
)
def test_what_fires_goes_on_down_to_its_recovery(promtool, monitor):
    _, behaves = promtool
    fires = monitor.fires
    between = (fires.value + fires.recovery) / 2
    values = f"{between!r}x9 {fires.value * 2!r}x9 {between!r}x9 {fires.recovery / 2!r}x9"
    count = f'count(ALERTS{{alertname="{alert_name(monitor)}",alertstate="firing"}}) or vector(0)'
    behaves(
        [
            {
                "interval": "1m",
                "input_series": [alive(), {"series": selector(monitor), "values": values}],
                "promql_expr_test": [
                    {"expr": count, "eval_time": f"{minute}m", "exp_samples": [{"labels": "{}", "value": told}]}
                    for minute, told in ((8, 0.0), (18, 1.0), (28, 1.0), (38, 0.0))
                ],
            }
        ]
    )


def test_a_silence_of_a_day_fires_the_heartbeat_alone(promtool):
    _, behaves = promtool
    page = next(one for one in MONITORS if one.name == "page")
    warns = next(one for one in MONITORS if one.name == "family_warns")
    firing = 'count by (alertname) (ALERTS{alertstate="firing"})'
    behaves(
        [
            {
                "interval": "1m",
                "input_series": [
                    {"series": f"{BEATS}{{{ENVIRONMENT}}}", "values": "1+1x60"},
                    {"series": selector(page), "values": "600x60"},  # it pages as the exporter falls silent
                    {"series": selector(warns), "values": "1x60"},
                ],
                "promql_expr_test": [
                    {
                        "expr": firing,
                        "eval_time": "60m",
                        "exp_samples": [
                            {"labels": f'{{alertname="{alert_name(one)}"}}', "value": 1.0} for one in (page, warns)
                        ],
                    },
                    *(
                        {
                            "expr": firing,
                            "eval_time": f"{minute}m",
                            "exp_samples": [{"labels": '{alertname="MlvitalsHeartbeat"}', "value": 1.0}],
                        }
                        for minute in (240, 720, 1_440, 1_500)
                    ),
                ],
            },
            {
                "interval": "1m",
                "input_series": [alive()],
                "promql_expr_test": [
                    {
                        "expr": f"{firing} or vector(0)",
                        "eval_time": "9h",
                        "exp_samples": [{"labels": "{}", "value": 0.0}],
                    }
                ],
            },
        ]
    )


def test_one_environment_that_falls_silent_is_told_while_another_beats_on(promtool):
    _, behaves = promtool
    other = f'{label("environment")}="staging"'
    behaves(
        [
            {
                "interval": "1m",
                "input_series": [alive(), {"series": f"{BEATS}{{{other}}}", "values": "1+1x60"}],
                "alert_rule_test": [
                    {"eval_time": "60m", "alertname": "MlvitalsHeartbeat", "exp_alerts": []},
                ],
                "promql_expr_test": [
                    {
                        "expr": f'sum by ({label("environment")}) (ALERTS{{alertstate="firing"}})',
                        "eval_time": "100m",
                        "exp_samples": [{"labels": f"{{{other}}}", "value": 1.0}],
                    }
                ],
            }
        ]
    )
