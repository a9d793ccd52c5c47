"""Many models in one process: patterns, tags, groups, broken entries and references, and a configuration read again."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from mlvitals.app import admission
from mlvitals.app.standing import standings
from mlvitals.clock import HOUR, MINUTE, format_time, parse_time
from mlvitals.config import load
from mlvitals.config.entries import file_part
from mlvitals.events import RawBatch
from mlvitals.formats import DecodePlan, MlvitalsFormat
from mlvitals.signals.measurement import Measurement
from mlvitals.state import Store
from mlvitals.windows.choice import Choice
from mlvitals.windows.reference import write_reference
from mlvitals.windows.taking import take_reference
from mlvitals.windows.window import WindowSize

NOON = parse_time("2026-03-01T12:00:00Z")
HOSTILE = "card-../../../etc/passwd"


def events(model, count=120, *, start=NOON, spread=2 * HOUR):
    """Return predictions of two hours, and the labels of every other one."""
    made = []
    for index in range(count):
        time_of_one = start + index * spread // count
        score = (index * 37 % 100) / 100
        made.append(
            {
                "event": "prediction",
                "timestamp": format_time(time_of_one),
                "model": model,
                "model_version": "1",
                "prediction_id": f"{model}-{start}-{index}",
                "features": {"amount": index * 13 % 50 + index / 1000, "risk": index % 7, "channel": "ab"[index % 2]},
                "prediction": {"score": score, "label": int(score >= 0.5)},
            }
        )
        if index % 2:
            label = {"event": "label", "timestamp": format_time(time_of_one + MINUTE), "model": model}
            made.append(label | {"prediction_id": made[-1]["prediction_id"], "label": index % 3 % 2})
    return made


def write(path, *streams):
    """Write streams of events, interleaved."""
    rows = [one for step in zip(*streams, strict=True) for one in step]
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")


@pytest.fixture(scope="module")
def reference():
    """Return a writer of references under any model's name."""
    lines = "".join(json.dumps(one) + "\n" for one in events("r", 500) if one["event"] == "prediction").encode()
    batch = MlvitalsFormat().open(DecodePlan(ids=False)).decode(RawBatch(data=lines, place="rows", position=b""))

    def write_one(path: Path, model: str) -> None:
        write_reference(
            take_reference(
                Choice(),
                lambda: iter([batch.predictions]),
                model=model,
                version="",
                size=WindowSize.parse("1h"),
                complete=True,
                provenance={},
            ),
            path,
        )

    return write_one


@pytest.fixture
def folder(tmp_path, reference):
    for model in ("a", "b", "c"):
        reference(tmp_path / "refs" / f"{model}.reference", model)
    return tmp_path


def configure(path, *entries, **changes):
    document = {
        "defaults": {"operating": {"path": "refs/{model}.reference"}, "labels": {"maturities": ["10m"]}},
        "models": list(entries),
        "sources": [{"type": "file", "path": "events*.jsonl"}],
        "state": {"path": "state/state.db"},
        **changes,
    }
    path.write_text(json.dumps(document), "utf-8")
    return path


def measured(mlvitals, config, model=None):
    answer = mlvitals("signals", "-c", config, "--format", "jsonl")
    assert answer.code == 0, answer.err
    found = msgspec.json.Decoder(Measurement).decode_lines(answer.out)
    return [one for one in found if model in {None, one.model}]


def values(mlvitals, config, model):
    """Return what was measured of a model, but for the lag, which rows that waited do not have."""
    found = measured(mlvitals, config, model)
    return {one.identity[2:]: one.value for one in found if one.signal != "mlvitals.event.lag"}


def account(folder):
    with closing(sqlite3.connect(folder / "state/state.db")) as connection:
        return dict(connection.execute("SELECT model || ' ' || disposition, sum(rows) FROM account GROUP BY 1"))


def test_each_model_that_fits_a_pattern_is_one_of_its_own(folder, mlvitals, reference):
    reference(folder / "refs" / f"{file_part(HOSTILE)}.reference", HOSTILE)
    reference(folder / "refs" / "card-1.reference", "card-1")
    write(folder / "events.jsonl", events("card-1"), events(HOSTILE), events("card-2"), events("a"), events("house"))
    config = configure(
        folder / "mlvitals.yaml", {"name": "a"}, {"match": "card-*"}, {"match": "c*", "tags": {"x": "y"}}
    )
    for _ in range(2):  # the second goes by what the state remembers
        answer = mlvitals("run", "-c", config, "--once")
        assert answer.code == 1
        assert f"model card-2: {folder}/refs/card-2.reference: cannot read the reference" in answer.err
    assert {one.model for one in measured(mlvitals, config)} == {"a", "card-1", HOSTILE}
    counted = account(folder)
    assert counted["house unknown_model"] == 180
    assert counted["card-1 accepted"] == counted[f"{HOSTILE} accepted"] == 180
    reference(folder / "refs" / "card-2.reference", "card-2")
    assert mlvitals("run", "-c", config, "--once").code == 0
    assert values(mlvitals, config, "card-1") == values(mlvitals, config, "card-2")


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", ".", "/etc/passwd", "a/b", "a\\b", "ü" * 300, "\x00", "~x"])
def test_a_models_name_stays_one_part_of_a_path(name):
    part = file_part(name)
    assert "/" not in part
    assert not part.startswith(".")
    assert "\x00" not in part
    assert len(part.encode()) < 200


def test_models_past_the_bound_of_a_pattern_are_unknown_and_told(folder, mlvitals, monkeypatch):
    monkeypatch.setattr(admission, "MODELS_PER_PATTERN", 2)
    write(folder / "events.jsonl", *(events(name) for name in "abc"))
    config = configure(folder / "mlvitals.yaml", {"match": "?"})
    answer = mlvitals("run", "-c", config, "--once")
    assert "models that fit `?`: 2 are known, events of others are counted unknown_model" in answer.err
    assert account(folder) == {"a accepted": 180, "b accepted": 180, "c unknown_model": 180}


def test_a_broken_entry_or_file_leaves_the_others_untouched_and_loses_nothing(folder, mlvitals):
    write(folder / "events.jsonl", events("a"), events("b"), events("c"))
    parts = folder / "conf"
    parts.mkdir()
    root = {"state": {"path": "../state/state.db"}, "sources": [{"type": "file", "path": "../events.jsonl"}]}
    defaults = {"operating": {"path": "../refs/{model}.reference"}, "labels": {"maturities": ["10m"]}}
    configure(parts / "1.yaml", {"name": "a"}, {"name": "b", "windos": {}}, defaults=defaults, **root)
    (parts / "2.yaml").write_text("models: [{name: c\n", "utf-8")
    checked = mlvitals("check", "-c", parts)
    assert checked.code == 2
    wrong = f"FAULT {parts}/1.yaml: Object contains unknown field `windos` - at `$.models[1]`"
    assert wrong in checked.out
    assert f"FAULT {parts}/2.yaml:2: did not find expected ',' or '}}'" in checked.out
    answer = mlvitals("run", "-c", parts, "--once")
    assert answer.code == 1
    assert wrong.removeprefix("FAULT ") in answer.err
    assert f"model c: it may be one of a configuration that cannot be read: {parts}/2.yaml:2" in answer.err
    assert account(folder) == {"a accepted": 180}
    alone = measured(mlvitals, parts)
    assert {one.model for one in alone} == {"a"}
    told = mlvitals("status", "-c", parts).out
    assert all(text in told for text in (wrong.removeprefix("FAULT "), "held", "cannot be read"))
    configure(parts / "1.yaml", {"name": "a"}, {"name": "b"}, defaults=defaults, **root)
    (parts / "2.yaml").write_text("models: [{name: c}]\n", "utf-8")
    assert mlvitals("check", "-c", parts).code == 0
    assert mlvitals("run", "-c", parts, "--once").code == 0
    assert measured(mlvitals, parts, "a") == alone
    assert values(mlvitals, parts, "a") == values(mlvitals, parts, "b") == values(mlvitals, parts, "c")
    assert account(folder) == {f"{model} accepted": 180 for model in "abc"}


def test_tags_owner_and_groups_are_told(folder, mlvitals):
    write(folder / "events.jsonl", events("a"))
    groups = {
        "money": {"features": ["amount"], "owner": "payments", "upstream": "orders"},
        "rest": {"features": ["*"]},
    }
    entry = {"name": "a", "tags": {"team": "cards", "tier": "gold"}, "owner": "risk", "groups": groups}
    config = configure(
        folder / "mlvitals.yaml",
        entry,
        service={"tags": {"team": "all", "region": "eu"}},
        sinks=[{"type": "stdout"}, {"type": "local"}],
    )
    done = subprocess.run(
        [sys.executable, "-m", "mlvitals", "run", "-c", config, "--once"], capture_output=True, check=True
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["type"] for line in lines} == {"metric", "log"}
    of_model = [line["tags"] for line in lines if "model_version" in line["attributes"]]
    assert all(tags == {"team": "cards", "tier": "gold", "region": "eu"} for tags in of_model)
    of_job = [line["tags"] for line in lines if "model_version" not in line["attributes"]]
    assert all(tags == {"team": "all", "region": "eu"} for tags in of_job)
    assert of_model
    assert of_job
    assert {line["attributes"]["owner"] for line in lines if line["type"] == "log"} == {"risk"}
    evidence = {
        one.attributes["feature"]: one.evidence for one in measured(mlvitals, config) if "feature" in one.attributes
    }
    assert {"group": "money", "group_owner": "payments", "upstream": "orders"}.items() <= evidence["amount"].items()
    assert evidence["channel"]["group"] == "rest"


def test_status_shows_the_most_troubled_models_first_and_many_models_rows_together(folder, mlvitals, reference):
    names = [f"model-{number:02d}" for number in range(24)]
    for name in names:
        reference(folder / "refs" / f"{name}.reference", name)
    (folder / "refs" / "model-20.reference").write_bytes(b"no reference")
    moved = events("model-10", 240)
    for one in moved:
        if one["event"] == "prediction":
            one["features"]["amount"] += 1_000
    write(folder / "events.jsonl", *(moved if name == "model-10" else events(name, 240) for name in names))
    config = configure(folder / "mlvitals.yaml", *({"name": name} for name in names))
    assert mlvitals("run", "-c", config, "--until", "2026-03-01T13:00:00Z").code == 1
    with Store.open_read_only(folder / "state/state.db") as store:
        found = standings(load(config, {}), store.connection)
    assert [one.model for one in found[:3]] == ["model-20", "model-10", "model-00"]
    assert (found[0].waiting, found[0].windows, found[1].waiting) == (120 + 59, 0, 0)
    assert found[1].warnings > found[2].warnings
    told = mlvitals("status", "-c", config).out
    assert f"model-20 has not run since 2026-03-01T13:00:00Z: {folder}/refs/model-20.reference is not a ref" in told
    accepted = [line for line in told.splitlines() if "accepted" in line]
    assert [line.split()[-2].replace(",", "") for line in accepted] == [str(23 * 59), str(23 * 120)]
    assert all("23 models" in line for line in accepted)


class Job:
    """A running job, and what it tells."""

    def __init__(self, config, log):
        self._log = log
        with log.open("wb") as stream:
            self.process = subprocess.Popen([sys.executable, "-m", "mlvitals", "run", "-c", config], stderr=stream)

    def await_line(self, text):
        for _ in range(600):
            if text in self._log.read_text("utf-8"):
                return
            assert self.process.poll() is None, self._log.read_text("utf-8")
            time.sleep(0.1)
        raise AssertionError(f"never told: {text}\n{self._log.read_text('utf-8')}")


@pytest.fixture
def job(folder):
    jobs = []

    def start(config):
        jobs.append(Job(config, folder / "told.txt"))
        return jobs[-1]

    yield start
    for one in jobs:
        one.process.kill()
        one.process.wait()


def counted(folder, text, rows):
    for _ in range(600):
        try:
            if account(folder).get(text) == rows:
                return True
        except sqlite3.OperationalError:  # no state yet
            pass
        time.sleep(0.1)
    return False


def test_sighup_reads_the_configuration_again_and_a_wrong_one_changes_nothing(folder, job):
    write(folder / "events-1.jsonl", events("a"), events("b"))
    config = configure(folder / "mlvitals.yaml", {"name": "a"})
    running = job(config)
    assert counted(folder, "b unknown_model", 180)
    configure(config, {"name": "a"}, {"name": "b"}, {"name": "c", "sight": 1})
    os.kill(running.process.pid, signal.SIGHUP)
    running.await_line("the configuration was read again: 2 models by name (1 added, 0 removed, 0 changed)")
    running.await_line("unknown field `sight`")
    write(folder / "events-2.jsonl", *(events(name, start=NOON + 2 * HOUR) for name in "abc"))
    assert counted(folder, "b accepted", 180)
    assert account(folder) == {"a accepted": 360, "b accepted": 180, "b unknown_model": 180}
    config.write_text("models: [", "utf-8")
    os.kill(running.process.pid, signal.SIGHUP)
    running.await_line("the configuration is refused, the one before goes on: ")
    configure(config, {"name": "c"}, state={"path": "elsewhere.db"})
    os.kill(running.process.pid, signal.SIGHUP)
    running.await_line("the state was exchanged - at `$.state`")
    configure(config, {"name": "b"}, {"name": "c"})
    os.kill(running.process.pid, signal.SIGHUP)
    running.await_line("2 models by name (1 added, 1 removed, 0 changed)")
    assert counted(folder, "c accepted", 180)  # what had waited
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(timeout=60) == 0
    assert not (folder / "elsewhere.db").exists()
    assert [model.name for model in load(config, {}).models] == ["b", "c"]
