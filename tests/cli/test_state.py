"""Copying a state while it is written, checking it, and going on after a loss."""

import json
import os
import shutil
import sqlite3
import stat
from collections import Counter

import pytest

from mlvitals.app.pipeline import MIGRATIONS
from mlvitals.signals.running import RUNNING
from mlvitals.sinks.pages import unpack

OF_THE_JOB = frozenset(spec.name for spec in RUNNING)


def state_of(world):
    return world.folder / "state" / "state.db"


def change(world, *statements):
    with sqlite3.connect(state_of(world)) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def faults(mlvitals, world):
    answer = mlvitals("state", "check", "-c", world.config)
    told = [line.removeprefix("FAULT ") for line in answer.out.splitlines() if line.startswith("FAULT ")]
    assert answer.code == (1 if told else 0), answer.err
    return told


def measured(mlvitals, world):
    answer = mlvitals("signals", "-c", world.config, "--format", "jsonl")
    assert answer.code == 0, answer.err
    return sorted(answer.out.splitlines())


def points(receiver):
    """Return what a store of gauges holds in the end: one value for each name, time and attributes."""
    told: dict[tuple[object, ...], set[float]] = {}
    for message in receiver.messages("/v1/metrics"):
        for outer in message.resource_metrics:
            for scope in outer.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.gauge.data_points:
                        attributes = tuple(sorted((one.key, one.value.string_value) for one in point.attributes))
                        told.setdefault((metric.name, point.time_unix_nano, attributes), set()).add(point.as_double)
    return told


def plotted(receiver):
    """Return the points of signals; what the job tells of itself differs from run to run."""
    return {key: values for key, values in points(receiver).items() if key[0] not in OF_THE_JOB}


@pytest.fixture
def ran(world, mlvitals):
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    return world


def test_a_sound_state_has_no_fault(ran, mlvitals):
    assert faults(mlvitals, ran) == []


def test_check_changes_nothing(ran, mlvitals):
    before = {file: file.read_bytes() for file in ran.folder.rglob("*") if file.is_file()}
    faults(mlvitals, ran)
    after = {file: file.read_bytes() for file in ran.folder.rglob("*") if file.is_file()}
    assert {file for file in after.keys() | before.keys() if not file.name.endswith(("-wal", "-shm"))} == before.keys()
    assert all(after[file] == data for file, data in before.items())


def test_no_state_is_a_fault(world, mlvitals):
    [fault] = faults(mlvitals, world)
    assert fault.endswith("state.db: there is no state yet")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE delivery_total SET items = items + 1 WHERE fate = 'delivered'", "items were enqueued"),
        ("UPDATE schema_version SET version = 99 WHERE owner = 'windows'", "its `windows` tables have version 99"),
        ("INSERT INTO schema_version VALUES ('novelties', 1)", "this program has no `novelties` tables"),
        ("UPDATE layout SET places = 'other'", "by another mlvitals, whose counts stand elsewhere"),
        ("UPDATE cohort SET served = x'00'", "does not fit its layout"),
        ("DELETE FROM layout", "which the state does not have"),
        ("UPDATE detectors SET state = x'00'", "what the detectors of traffic keep cannot be read"),
    ],
)
def test_what_is_wrong_in_a_state_is_told_by_name(ran, mlvitals, statement, told):
    change(ran, statement)
    found = faults(mlvitals, ran)
    assert any(told in fault for fault in found), found


def test_an_older_state_is_told_and_is_no_fault(ran, mlvitals):
    newest = {layer.owner: len(layer.steps) for layer in MIGRATIONS}["windows"]
    change(ran, f"UPDATE schema_version SET version = {newest - 1} WHERE owner = 'windows'")
    answer = mlvitals("state", "check", "-c", ran.config)
    assert answer.code == 0
    assert f"brings its `windows` tables from version {newest - 1} to {newest}" in answer.out


def test_a_damaged_file_is_a_fault(ran, mlvitals):
    data = bytearray(state_of(ran).read_bytes())
    data[8192 : 8192 + 4096] = os.urandom(4096)
    state_of(ran).write_bytes(data)
    assert faults(mlvitals, ran)
    state_of(ran).write_bytes(b"no database at all" * 1000)
    [fault] = faults(mlvitals, ran)
    assert "is not a usable state database" in fault


def test_a_file_that_was_cut_is_a_fault(ran, mlvitals):
    events = ran.folder / "events.jsonl"
    events.write_bytes(events.read_bytes()[:1000])
    [fault] = faults(mlvitals, ran)
    assert "events.jsonl: has 1,000 bytes, of which " in fault


def test_a_state_that_others_may_read_is_a_fault(ran, mlvitals):
    key = state_of(ran).with_name("state.db.key")
    assert stat.S_IMODE(key.stat().st_mode) == stat.S_IMODE(state_of(ran).stat().st_mode) == 0o600
    state_of(ran).chmod(0o640)
    key.chmod(0o604)
    assert [fault.rpartition(": ")[2] for fault in faults(mlvitals, ran)] == ["chmod 600", "chmod 600"]


def test_another_key_is_a_fault_and_is_not_run_with(ran, mlvitals):
    key = state_of(ran).with_name("state.db.key")
    key.unlink()
    assert "is not the key under which the state remembers its predictions, or is gone" in faults(mlvitals, ran)[0]
    answer = mlvitals("run", "-c", ran.config, "--once")
    assert (answer.code, answer.err.count("\n")) == (3, 1)
    assert "the key is gone" in answer.err
    key.write_bytes(b"k" * 32)
    assert "is not the key under which" in mlvitals("run", "-c", ran.config, "--once").err


def test_a_backup_is_taken_while_the_job_runs_and_is_whole(world, start, mlvitals, tmp_path):
    running = start("run", "-c", world.config)
    copy = tmp_path / "backup" / "copy.db"
    copy.parent.mkdir()
    while not state_of(world).with_name("state.db.key").exists():
        assert running.poll() is None
    answer = mlvitals("state", "backup", "-c", world.config, "-o", copy)
    assert answer.code == 0, answer.err
    running.terminate()
    running.wait(timeout=30)
    assert sorted(file.name for file in copy.parent.iterdir()) == ["copy.db", "copy.db.key"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in copy.parent.iterdir()} == {0o600}
    world.configure(state={"path": str(copy)})
    assert faults(mlvitals, world) == []


def test_a_restored_backup_goes_on_to_what_an_undisturbed_run_says(world, receiver, mlvitals, make, tmp_path):
    """Half of the events are read, a copy is taken, more are read, the state is lost, the copy is put back."""
    late = make.predictions(300, make.noon + 10 * 60 * 10**6, seed=7)
    changes = {"sinks": [{"type": "local"}, {"type": "otlp", "endpoint": receiver.url}]}
    world.configure(**changes)
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    copy = tmp_path / "copy.db"
    assert mlvitals("state", "backup", "-c", world.config, "-o", copy).code == 0
    world.write("events-late.jsonl", late)
    world.write("labels-late.jsonl", make.labels_of(late))
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    whole, before = measured(mlvitals, world), plotted(receiver)
    shutil.rmtree(world.folder / "state")
    world.configure(state={"path": str(copy)}, **changes)
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    assert measured(mlvitals, world) == whole
    assert plotted(receiver) == before
    assert all(len(values) == 1 for values in before.values())


def test_a_state_that_is_lost_midway_is_made_again_of_the_events(world, receiver, mlvitals, make):
    """What an idempotent destination holds afterwards is what it holds after an undisturbed run."""
    late = make.predictions(300, make.noon + 10 * 60 * 10**6, seed=7)
    changes = {"sinks": [{"type": "local"}, {"type": "otlp", "endpoint": receiver.url}], "budget": {"export": "full"}}
    world.configure(**changes)
    receiver.spare, receiver.refuse = 1, 1_000
    assert mlvitals("run", "-c", world.config, "--once", "--patience", "0s").code == 1  # some of it has not left
    receiver.refuse = 0
    world.write("events-late.jsonl", late)
    world.write("labels-late.jsonl", make.labels_of(late))
    shutil.rmtree(world.folder / "state")
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    again, after_loss = measured(mlvitals, world), plotted(receiver)
    receiver.taken.clear()
    shutil.rmtree(world.folder / "state")
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    undisturbed = plotted(receiver)
    assert measured(mlvitals, world) == again
    assert undisturbed.items() <= after_loss.items()
    # What the run before the loss said of windows that closed later with more in them is there too, and nothing else:
    # windows of the first run that were whole when they closed have one value.
    assert all(len(values) == 1 for values in undisturbed.values())
    assert len(undisturbed) > 100


def test_a_second_process_is_refused(world, start, mlvitals):
    running = start("run", "-c", world.config)
    while not state_of(world).with_name("state.db.key").exists():
        assert running.poll() is None
    answer = mlvitals("run", "-c", world.config, "--once")
    while answer.code != 3:
        answer = mlvitals("run", "-c", world.config, "--once")
    assert f"is in use by another mlvitals process (pid {running.pid})" in answer.err
    assert mlvitals("status", "-c", world.config).code == 0


def test_documents_of_a_lost_state_have_the_ids_that_they_had(ran, mlvitals):
    def identities():
        with sqlite3.connect(state_of(ran)) as connection:
            pages = connection.execute("SELECT documents FROM measurement_page").fetchall()
        connection.close()
        rows = [one for (documents,) in pages for one in json.loads(unpack(documents))]
        return Counter(json.dumps({**row, "revision": 0}, sort_keys=True) for row in rows)

    before = identities()
    shutil.rmtree(ran.folder / "state")
    assert mlvitals("run", "-c", ran.config, "--once").code == 0
    assert identities() == before
