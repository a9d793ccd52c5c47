"""Rules as Prometheus's own tool sees them: they are sound, and fire on the right side of every bar and at no other."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlvitals.assets.facts import FRESH, ModelGroup
from mlvitals.assets.grafana import rules as grafana
from mlvitals.assets.monitors import LOOKBACK, MONITORS, Bar, Monitor, Silence
from mlvitals.assets.prometheus.promql import label
from mlvitals.assets.prometheus.rules import alert_name, render_rules
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Instrument
from mlvitals.telemetry.naming.prometheus import metric_name
from tests.assets.monitors.bars import sides
from tests.stack import versions
from tests.stack.home import home

pytestmark = pytest.mark.integration

BEATS = "mlvitals_pipeline_heartbeat_total"
ENVIRONMENT = f'{label("environment")}="prod"'
EVERY = f'{label("environment")}=~".*"'

HOUR = 3_600
GROUPS = (
    ModelGroup(owner="risk", lookback_seconds=2 * HOUR, models=("card-fraud",)),
    ModelGroup(lookback_seconds=50 * HOUR, models=("churn.v2",)),
    ModelGroup(lookback_seconds=50 * HOUR, models=("card-fraud", "churn.v2"), apart=True),
)


@pytest.fixture(scope="module")
def promtool(tmp_path_factory):
    program = home(versions.PROMETHEUS) / "promtool"
    folder: Path = tmp_path_factory.mktemp("rules")
    (folder / "rules.yaml").write_bytes(render_rules())
    (folder / "grouped.yaml").write_bytes(render_rules(GROUPS))

    def run(*words: str) -> str:
        told = subprocess.run([program, *words], cwd=folder, capture_output=True, text=True, check=False, timeout=120)
        assert told.returncode == 0, told.stdout + told.stderr
        return told.stdout + told.stderr

    def behaves(tests: Sequence[Mapping[str, Any]], rules: str = "rules.yaml") -> None:
        document = {"rule_files": [rules], "evaluation_interval": "1m", "tests": list(tests)}
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


@pytest.mark.parametrize(
    "monitor", [one for one in BARRED if isinstance(one.fires, Bar)], ids=lambda monitor: monitor.name
)
def test_environments_are_told_apart(promtool, monitor):
    _, behaves = promtool
    between = (monitor.fires.value + monitor.fires.recovery) / 2
    above, near = monitor.fires.value * 2 + 1, between if between > monitor.fires.recovery else 0.0
    environment = label("environment")
    count = f'count by ({environment}, environment) (ALERTS{{alertname="{alert_name(monitor)}",alertstate="firing"}})'
    first, second = (
        {"labels": f'{{{environment}="{name}",environment="{name}"}}', "value": 1.0} for name in ("prod", "staging")
    )
    level = f"({grafana_level(monitor, bar=monitor.fires.value, recovery=monitor.fires.recovery, matchers=EVERY)})"
    levels = f"count by ({environment}) ({level} > 1.5)"
    other = selector(monitor).replace('"prod"', '"staging"')
    behaves(
        [
            {
                "interval": "1m",
                "input_series": [
                    alive(),
                    {"series": selector(monitor), "values": f"{above!r}x60"},
                    {"series": other, "values": f"{near!r}x20 {above!r}x40"},
                ],
                "promql_expr_test": [
                    {"expr": count, "eval_time": "15m", "exp_samples": [first]},
                    {"expr": count, "eval_time": "45m", "exp_samples": [first, second]},
                    {
                        "expr": levels,
                        "eval_time": "45m",
                        "exp_samples": [
                            {"labels": f'{{{environment}="{name}"}}', "value": 1.0} for name in ("prod", "staging")
                        ],
                    },
                ],
            }
        ]
    )


def test_each_model_is_looked_back_for_as_far_as_its_group_and_tells_its_owner(promtool):
    run, behaves = promtool
    assert "SUCCESS" in run("check", "rules", "--lint=all", "grouped.yaml")
    ages = {"card-fraud": 3 * HOUR, "churn.v2": 3 * HOUR, "churnXv2": 60 * HOUR, "other": 49 * HOUR}
    stale = metric_name("mlvitals.pipeline.window.age", "s", Instrument.GAUGE)
    firing = f'sum by ({label("model")}, owner) (ALERTS{{alertname="MlvitalsWindowAge",alertstate="firing"}})'
    behaves(
        [
            {
                "interval": "1m",
                "input_series": [
                    alive(),
                    *(
                        {"series": f'{stale}{{{ENVIRONMENT},{label("model")}="{name}"}}', "values": f"{age}x20"}
                        for name, age in ages.items()
                    ),
                ],
                "promql_expr_test": [
                    {
                        "expr": firing,
                        "eval_time": "10m",
                        "exp_samples": [
                            {"labels": f'{{{label("model")}="card-fraud",owner="risk"}}', "value": 1.0},
                            {"labels": f'{{{label("model")}="churnXv2"}}', "value": 1.0},
                        ],
                    }
                ],
            }
        ],
        rules="grouped.yaml",
    )


@pytest.mark.parametrize("monitor", BARRED, ids=lambda monitor: monitor.name)
def test_the_level_that_grafana_is_given_is_on_the_right_side_of_what_it_fires_at(promtool, monitor):
    _, behaves = promtool
    fires = monitor.fires
    bar, recovery = (fires.value, fires.recovery) if isinstance(fires, Bar) else (LOOKBACK, 0)
    expression = grafana_level(monitor, bar=bar, recovery=recovery)
    firing, quiet = sides(monitor)
    behaves(
        [
            {
                "interval": "1m",
                "input_series": [{"series": selector(monitor), "values": f"{value!r}x20"}],
                "promql_expr_test": [
                    {
                        "expr": f"count(({expression}) > 1.5) or vector(0)",
                        "eval_time": "10m",
                        "exp_samples": [{"labels": "{}", "value": float(expected)}],
                    }
                ],
            }
            for values, expected in ((firing, True), (quiet, False))
            for value in values
        ]
    )


def test_the_level_of_the_heartbeat_is_there_in_a_silence_alone(promtool):
    _, behaves = promtool
    heartbeat = next(one for one in MONITORS if one.name == "heartbeat")
    expression = grafana_level(heartbeat, bar=0, recovery=0)
    told = [(30, 0.0), (80, 1.0), (1_500, 1.0)]
    behaves(
        [
            {
                "interval": "1m",
                "input_series": [{"series": f"{BEATS}{{{ENVIRONMENT}}}", "values": "1+1x60"}],
                "promql_expr_test": [
                    {
                        "expr": f"count(({expression}) > 1.5) or vector(0)",
                        "eval_time": f"{minute}m",
                        "exp_samples": [{"labels": "{}", "value": value}],
                    }
                    for minute, value in told
                ],
            }
        ]
    )


def grafana_level(monitor: Monitor, *, bar: float, recovery: float, matchers: str = ENVIRONMENT) -> str:
    """Return a monitor's level as the Terraform module fills it in."""
    values = {
        grafana.MATCHERS: matchers,
        grafana.LOOKBACK: f"{LOOKBACK}s",
        grafana.FRESH: f"{FRESH}s",
        grafana.SILENT: "600s",
        grafana.BAR: f"{bar:g}",
        grafana.RECOVERY: f"{recovery:g}",
    }
    text = grafana.level(monitor)
    for token, value in values.items():
        text = text.replace(token, value)
    return text
