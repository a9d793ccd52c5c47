"""What Terraform and Prometheus are told of the models of a configuration."""

import json
from typing import Any

from mlvitals.assets.facts import groups_of, variables_of
from mlvitals.assets.monitors import LOOKBACK
from mlvitals.config import load

ROWS = "https://logs.example/?q={model}&from={start_ms}&to={end_ms} {filter}"


def test_links_are_told_as_they_were_written_and_null_where_there_are_none(tmp_path):
    document = {
        "models": [
            {"name": "a", "operating": {"first": "7d"}, "links": {"rows": ROWS}},
            {"name": "b", "operating": {"first": "7d"}},
        ],
        "sources": [{"type": "file", "path": "events.jsonl"}],
    }
    (tmp_path / "mlvitals.yaml").write_text(json.dumps(document), encoding="utf-8")
    models = variables_of(load(tmp_path / "mlvitals.yaml", {}))["models"]
    assert (models["a"]["rows"], models["a"]["runbook"]) == (ROWS, None)
    assert (models["b"]["rows"], models["b"]["runbook"]) == (None, None)


def test_models_are_grouped_by_owner_and_lookback_and_all_others_stand_apart(tmp_path):
    models: list[dict[str, Any]] = [
        {"name": "daily", "owner": "risk", "windows": {"size": "1d"}},
        {"name": "hourly", "owner": "risk"},
        {"name": "plain"},
        {"name": "too", "owner": "risk"},
    ]
    document = {
        "models": [{**model, "operating": {"first": "7d"}} for model in models],
        "telemetry": {"interval": "2m"},
        "sources": [{"type": "file", "path": "events.jsonl"}],
    }
    (tmp_path / "mlvitals.yaml").write_text(json.dumps(document), encoding="utf-8")
    *named, others = groups_of(load(tmp_path / "mlvitals.yaml", {}))
    hourly, daily = (
        LOOKBACK + 120,
        LOOKBACK + 120 + 2 * 23 * 3_600,
    )  # two intervals of telemetry are a minute longer each
    assert [(one.owner, one.lookback_seconds, one.models) for one in named] == [
        (None, hourly, ("plain",)),
        ("risk", hourly, ("hourly", "too")),
        ("risk", daily, ("daily",)),
    ]
    assert (others.apart, others.models, others.lookback_seconds) == (True, ("daily", "hourly", "plain", "too"), daily)
    assert {one.fresh_seconds for one in (*named, others)} == {600}
