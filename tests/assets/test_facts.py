"""What Terraform is told of the models of a configuration."""

import json

from mlvitals.assets.facts import variables_of
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
