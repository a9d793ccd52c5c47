"""`mlvitals init`, and that what it writes runs unchanged."""

import gzip
import json
import os
import shutil
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from mlvitals.config import load
from mlvitals.engines.account import read_account
from mlvitals.setup.inference.write import SINKS
from mlvitals.state import Store
from mlvitals.windows.layout import Layout
from mlvitals.windows.reference import decode_reference

LOGS = Path(__file__).resolve().parents[2] / "examples" / "logs"

# What stands in each log: predictions, labels, task, features, and native fields that the mapping must have found.
EXAMPLES = {
    "fastapi": (
        ["fastapi.jsonl", "fastapi-outcomes.jsonl"],
        240,
        193,
        "binary",
        {"amount", "channel", "age_days", "new_device", "basket.items", "basket.gift"},
    ),
    "ecs": (["ecs.jsonl"], 240, 0, "regression", {"rooms", "area", "district"}),
    "nginx": (["nginx.jsonl"], 240, 0, "multiclass", {"leaf_width", "leaf_length", "site"}),
    "mlserver": (["mlserver.jsonl"], 477, 0, "binary", {"age", "load"}),
    "export": (["export.csv"], 240, 218, "regression", {"weight_kg", "carrier", "postcode"}),
    "bentoml": (["bentoml.jsonl"], 240, 0, "multiclass", {"sepal length", "sepal width"}),
}
CHURN = "capture_formats/churn_"
SHARED = {
    "databricks": (["databricks.jsonl.gz"], []),
    "kserve": (["kserve.jsonl.gz"], ["--names", "reference.parquet"]),
    "azure": (["azure_mdc_inputs.jsonl.gz", "azure_mdc_outputs.jsonl.gz"], []),
    "sagemaker": (["sagemaker.jsonl.gz"], ["--names", "reference.parquet"]),
    "native": (["expected.jsonl.gz"], []),
}


@pytest.fixture
def ready(mlvitals, tmp_path, monkeypatch):
    """Write a configuration for files, check it, run it, and return it with the account of rows and the layout."""
    monkeypatch.chdir(tmp_path)

    def make(*words):
        written = mlvitals("init", *words)
        assert written.code == 0, written.err
        checked = mlvitals("check", "-c", "mlvitals.yaml")
        assert checked.code == 0, checked.out + checked.err
        done = mlvitals("run", "--once", "-c", "mlvitals.yaml")
        assert done.code == 0, done.err
        config = load(tmp_path / "mlvitals.yaml", {})
        with Store.open_read_only(config.state.path) as store:
            account: dict[tuple[str, str], int] = {}
            for key, rows in read_account(store.connection).items():
                account[key.event, key.disposition] = account.get((key.event, key.disposition), 0) + rows
        return config, account, learnt(config.state.path)

    return make


def learnt(path) -> Layout | None:
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT reference FROM learnt").fetchall()
    connection.close()
    return decode_reference(found[0][0], "learnt").layout if found else None


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_configuration_for_a_services_log_runs_unchanged(ready, name):
    files, predictions, labels, task, features = EXAMPLES[name]
    _, account, layout = ready(*(LOGS / file for file in files))
    assert account["prediction", "accepted"] == predictions
    assert account.get(("label", "accepted"), 0) == labels
    assert {disposition for _, disposition in account} <= {"accepted", "skipped", "joined"}
    assert layout is not None
    assert layout.output.task.value == task
    assert {feature.name for feature in layout.features} == features


@pytest.mark.shared
@pytest.mark.parametrize("name", SHARED)
def test_the_configuration_for_a_platforms_capture_runs_unchanged(ready, shared_data, name):
    files, options = SHARED[name]
    words = [f"{shared_data}/{CHURN}{word}" if "." in word else word for word in [*files, "labels.jsonl.gz", *options]]
    config, account, layout = ready(*words)
    assert account["prediction", "accepted"] == account["label", "accepted"] == 300
    assert {disposition for _, disposition in account} <= {"accepted", "skipped", "joined"}
    assert config.models[0].name == "churn"
    assert layout is not None
    assert layout.output.task.value == "binary"
    first = json.loads(gzip.decompress((shared_data / f"{CHURN}expected.jsonl.gz").read_bytes()).splitlines()[0])
    assert {feature.name for feature in layout.features} == set(first["features"])


def test_sinks_that_are_asked_for_are_used_and_the_others_stand_as_comments(mlvitals, tmp_path, monkeypatch):
    monkeypatch.setenv("DD_API_KEY", "0" * 32)
    config = tmp_path / "mlvitals.yaml"
    asked = [word for name in SINKS for word in ("--sink", name)]
    for words, types in (
        ([], ["local"]),
        (["--sink", "opensearch"], ["local", "opensearch"]),
        (asked, ["local", *SINKS]),
    ):
        assert mlvitals("init", LOGS / "ecs.jsonl", "-o", config, "--force", *words).code == 0
        assert [sink.name for sink in load(config, os.environ).sinks] == types
        assert all(line in config.read_text() for line in SINKS.values())
    refused = mlvitals("init", LOGS / "ecs.jsonl", "-o", config, "--force", "--sink", "carrier-pigeon")
    assert refused.code == 2
    assert "one of otlp" in refused.err


def test_a_file_that_is_there_is_kept_unless_forced(mlvitals, tmp_path):
    config = tmp_path / "mlvitals.yaml"
    config.write_text("mine")
    refused = mlvitals("init", LOGS / "ecs.jsonl", "-o", config)
    assert refused.code == 2
    assert "--force" in refused.err
    assert config.read_text() == "mine"
    assert mlvitals("init", LOGS / "ecs.jsonl", "-o", config, "--force").code == 0
    assert config.read_text() != "mine"


def test_the_same_log_gives_the_same_bytes(mlvitals, tmp_path):
    texts = set()
    for number in range(2):
        config = tmp_path / f"{number}.yaml"
        assert mlvitals("init", LOGS / "fastapi.jsonl", LOGS / "fastapi-outcomes.jsonl", "-o", config).code == 0
        texts.add(config.read_bytes())
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("row", "missing"),
    [
        ({"user": "u", "clicks": 3, "at": "2026-03-01T10:00:00Z"}, "no prediction found"),
        ({"features": {"a": 1}, "prediction": {"score": 0.5}, "id": "x"}, "no time found"),
    ],
)
def test_what_is_not_there_is_told_in_one_line(mlvitals, tmp_path, row, missing):
    log = tmp_path / "log.jsonl"
    rows = [
        {**row, "n": index, "features": {"a": index}} if "features" in row else {**row, "n": index}
        for index in range(60)
    ]
    log.write_text("".join(json.dumps(one) + "\n" for one in rows))
    answer = mlvitals("init", log, "-o", tmp_path / "new.yaml")
    assert answer.code == 3
    assert missing in answer.err
    assert answer.err.count("\n") == 1
    assert not (tmp_path / "new.yaml").exists()


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"\0\1\2", b"one line of prose\n", b"[1,\n2]\n", b"PAR1 no", b"\x1f\x8b\x08 no"]
)
def test_a_file_that_holds_no_rows_is_refused(mlvitals, tmp_path, content):
    log = tmp_path / "log"
    log.write_bytes(content)
    answer = mlvitals("init", log, "-o", tmp_path / "new.yaml")
    assert answer.code == 3, answer.err
    assert answer.err.count("\n") == 1
    assert "unexpected" not in answer.err


def test_a_log_is_read_from_standard_input(process, tmp_path):
    log = (LOGS / "ecs.jsonl").read_bytes()
    assert process("init", "-", cwd=tmp_path, stdin=log).code == 0
    done = process("run", "--once", cwd=tmp_path, stdin=log)
    assert done.code == 0, done.err
    assert "275 rows read" in done.err


def test_files_are_named_as_seen_from_the_configuration(mlvitals, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "conf").mkdir()
    shutil.copy(LOGS / "ecs.jsonl", tmp_path / "logs" / "ecs.jsonl")
    assert mlvitals("init", "logs", "-o", "conf/m.yaml").code == 0
    written = yaml.safe_load((tmp_path / "conf" / "m.yaml").read_text())
    assert written["sources"][0]["path"] == os.path.join("..", "logs", "ecs.jsonl")  # noqa: PTH118  # as it is written
    assert mlvitals("check", "-c", "conf/m.yaml").code == 0


HOSTILE = [
    'quo"te',
    "co:lon # x",
    "${HOME}",
    "$${A}",
    "naïve 数 😀",
    "tab\there",
    "no",
    "1",
    "{a: b}",
    "a.b",
    "st*r",
    "[0]",
    "\u2028",
]


def test_hostile_names_of_fields_arrive_as_they_are(ready, tmp_path):
    rows = [
        {
            "ts": 1_772_438_400 + 60 * index,
            "request_id": f"r-{index}",
            "model": "${SECRET}: {x}",
            "score": index % 97 / 97,
            **{name: index % (3 + place) for place, name in enumerate(HOSTILE)},
        }
        for index in range(300)
    ]
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config, account, layout = ready(log)
    assert account == {("prediction", "accepted"): 300}
    assert config.models[0].name == "${SECRET}: {x}"
    assert len(layout.features) == len(HOSTILE)
    assert {'quo"te', "${HOME}", "$${A}", "a\\.b", "\u2028"} <= {feature.name for feature in layout.features}


def test_no_value_of_a_text_field_is_written_or_told(mlvitals, tmp_path):
    rows = [
        {
            "time": f"2026-03-01T{index // 60:02}:{index % 60:02}:00Z",
            "id": f"id-{index}",
            "password": "hunter2",
            "features": {
                "email": f"person{index}@secret.example",
                "plan": "gold-secret" if index % 2 else "tin-secret",
            },
            "prediction": index % 89 / 89,
        }
        for index in range(300)
    ]
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    answer = mlvitals("init", log, "-o", tmp_path / "m.yaml")
    assert answer.code == 0
    everything = (tmp_path / "m.yaml").read_text() + answer.err + answer.out
    assert "secret" not in everything
    assert "hunter2" not in everything


def test_labels_among_the_other_lines_of_a_log_are_found(ready, tmp_path):
    rows = []
    for index in range(300):
        minute = f"{index // 60:02}:{index % 60:02}:00"
        common = {"app": "scoring", "request_id": f"r-{index}"}
        body = {"amount": index % 17, "age": index % 31}
        rows.append(
            {**common, "type": "score", "time": f"2026-03-01T{minute}Z", "input": body, "score": index % 89 / 89}
        )
        rows.append({**common, "type": "audit", "time": f"2026-03-01T{minute}Z", "user": "x"})
        rows.append({**common, "type": "outcome", "time": f"2026-03-03T{minute}Z", "label": index % 2})
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config, account, _ = ready(log)
    assert account["prediction", "accepted"] == account["label", "accepted"] == 300
    assert [str(age) for age in config.models[0].labels.maturities] == ["2d"]


def test_a_table_of_parquet_needs_no_rewriting(ready, tmp_path):
    start = datetime(2026, 3, 1)  # noqa: DTZ001  # as warehouses export it
    count = 500
    table = {
        "scored_at": [start + timedelta(minutes=9 * index) for index in range(count)],
        "application_id": [f"a-{index}" for index in range(count)],
        "model_name": ["loans"] * count,
        "income": [float(index * 7919 % 100_003) for index in range(count)],
        "purpose": pa.array(["car", "home", "other", "car"] * (count // 4)).dictionary_encode(),
        "zip_code": [10_000 + index * 31 % 50 for index in range(count)],
        "default_probability": [index * 613 % 997 / 997 for index in range(count)],
        "defaulted": [index % 7 == 0 for index in range(count)],
    }
    pq.write_table(pa.table(table), tmp_path / "scores.parquet")
    config, account, layout = ready(tmp_path / "scores.parquet")
    assert account == {("prediction", "accepted"): count, ("label", "accepted"): count}
    assert config.models[0].name == "loans"
    assert {one.name: one.kind.value for one in layout.features} == {
        "income": "numeric",
        "purpose": "categorical",
        "zip_code": "categorical",
    }


def test_several_models_share_what_was_found(ready, tmp_path):
    rows = [
        {
            "time": f"2026-03-01T{index // 60:02}:{index % 60:02}:00Z",
            "model_name": f"m{index % 3}",
            "features": {"a": index % 7, "b": index % 5},
            "prediction": float(index % 211) + 0.5,
        }
        for index in range(600)
    ]
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config, account, _ = ready(log)
    assert sorted(model.name for model in config.models) == ["m0", "m1", "m2"]
    assert account == {("prediction", "accepted"): 600}
