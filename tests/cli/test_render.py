"""`mlvitals render` writes what follows from the registry, and `--check` tells what differs."""

import json
import re

import pytest

from mlvitals.assets import render
from mlvitals.config import load
from tests.conftest import REPOSITORY


@pytest.fixture
def one_backend(monkeypatch):
    monkeypatch.setattr(render, "BACKENDS", (lambda: {"dashboards/some/a.json": b"{}\n"},))


@pytest.mark.usefixtures("one_backend")
def test_check_answers_1_and_names_what_differs_until_it_is_rendered(tmp_path, mlvitals):
    answer = mlvitals("render", "--check", "-o", tmp_path)
    assert answer.code == 1
    assert answer.err.splitlines()[0] == "dashboards/some/a.json"
    assert mlvitals("render", "-o", tmp_path).code == 0
    assert (tmp_path / "dashboards" / "some" / "a.json").read_bytes() == b"{}\n"
    assert mlvitals("render", "--check", "-o", tmp_path).code == 0


def test_the_variables_of_terraform_follow_from_the_configuration_and_are_compared(tmp_path, mlvitals, world):
    config, target = world.config, tmp_path / "vars" / "mlvitals.auto.tfvars.json"
    assert mlvitals("render", "--tfvars", "--check", "-c", config, "-o", target.parent).code == 1
    assert mlvitals("render", "--tfvars", "-c", config, "-o", target.parent).code == 0
    assert mlvitals("render", "--tfvars", "--check", "-c", config, "-o", target.parent).code == 0
    told = json.loads(target.read_bytes())
    assert told["telemetry_interval"] == 60
    assert all(model["lookback_seconds"] >= 2 * model["window_seconds"] for model in told["models"].values())
    declared = re.findall(
        r'^variable "(\w+)"', (REPOSITORY / "terraform/grafana/variables.tf").read_text(), re.MULTILINE
    )
    assert set(told) <= set(declared)


def test_the_rules_of_prometheus_know_the_owners_and_windows_of_the_configuration(tmp_path, mlvitals, world):
    assert mlvitals("render", "--rules", "-c", world.config, "-o", tmp_path).code == 0
    assert mlvitals("render", "--rules", "--check", "-c", world.config, "-o", tmp_path).code == 0
    text = (tmp_path / "mlvitals.rules.yaml").read_text("utf-8")
    models = [model.name for model in load(world.config, {}).models]
    assert all(f'=~"{name}"' in text and f'!~"{name}"' in text for name in models)
    assert not (tmp_path / "mlvitals.auto.tfvars.json").exists()
