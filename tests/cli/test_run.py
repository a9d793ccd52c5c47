"""`mlvitals run` as a job that follows its files, and `signals` and `status` beside it."""

import json
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mlvitals.clock import MINUTE, SystemClock
from mlvitals.signals.running import RUNNING

SECONDS = 30.0


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def ask(state: Path, query: str) -> int:
    """Return one number of a state, 0 while there is none."""
    if not state.exists():
        return 0
    with closing(sqlite3.connect(f"{state.as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
        try:
            return connection.execute(query).fetchone()[0] or 0
        except sqlite3.OperationalError:  # the tables are being made
            return 0


def counted(state: Path) -> int:
    return ask(state, "SELECT sum(rows) FROM account")


def measured(mlvitals, config):
    """Return what was measured, without what depends on when events were seen."""
    answer = mlvitals("signals", "-c", config, "--format", "jsonl")
    assert answer.code == 0
    found = [json.loads(line) for line in answer.out.splitlines()]
    return [one | {"revision": 0} for one in found if one["signal"] != "mlvitals.event.lag"]


def test_a_growing_folder_is_followed_stopped_and_taken_up_again(world, mlvitals, make, start):
    (world.folder / "events.jsonl").unlink()
    (world.folder / "labels.jsonl").unlink()
    begin = SystemClock().now() // MINUTE * MINUTE - 20 * MINUTE
    events = make.predictions(600, begin, seed=3)
    labels = make.labels_of(events)
    text = {"events.log": make.lines(events), "labels.log": make.lines(labels)}
    state = world.folder / "state" / "state.db"

    def append(name: str, first: float, last: float) -> None:
        whole = text[name]
        with (world.folder / name).open("ab") as file:
            file.write(whole[int(len(whole) * first) : int(len(whole) * last)])

    job = start("run", "-c", world.config)
    append("events.log", 0, 0.25)  # cuts fall inside lines
    wait_for(lambda: counted(state) > 100, "the first piece is read")
    append("events.log", 0.25, 0.5)
    append("labels.log", 0, 0.3)
    wait_for(lambda: counted(state) > 450, "labels are read")
    (world.folder / "events.log").rename(world.folder / "events.log.1")
    append("events.log", 0.5, 0.6)  # the first line goes on where the rotated file was cut: neither half is an event
    job.send_signal(signal.SIGTERM)
    assert job.wait(SECONDS) == 0
    append("events.log", 0.6, 1)
    append("labels.log", 0.3, 1)
    again = start("run", "-c", world.config)
    wait_for(lambda: counted(state) >= 1198, "all is read")
    wait_for(
        lambda: ask(state, "SELECT count(*) FROM measurement_page WHERE signal LIKE '%coverage%'") > 8, "labels settle"
    )
    again.send_signal(signal.SIGTERM)
    assert again.wait(SECONDS) == 0
    followed = measured(mlvitals, world.config)

    world.configure(state={"path": "whole/state.db"})
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    at_once = measured(mlvitals, world.config)
    assert [one for one in followed if "maturity" not in one["attributes"]] == [
        one for one in at_once if "maturity" not in one["attributes"]
    ]
    assert followed == at_once


def test_ctrl_c_ends_a_job_with_130_and_what_was_read_is_kept(world, mlvitals, start):
    job = start("run", "-c", world.config)
    state = world.folder / "state" / "state.db"
    wait_for(lambda: counted(state) == 1200, "all is read")
    job.send_signal(signal.SIGINT)
    assert job.wait(SECONDS) == 130
    assert mlvitals("status", "-c", world.config).code == 0
    assert counted(state) == 1200


def test_a_second_run_on_the_same_state_is_refused_and_the_first_goes_on(world, mlvitals, start):
    job = start("run", "-c", world.config)
    state = world.folder / "state" / "state.db"
    wait_for(lambda: counted(state) == 1200, "all is read")
    answer = mlvitals("run", "-c", world.config, "--once")
    told = f"mlvitals: {state} is in use by another mlvitals process (pid {job.pid})\n"
    assert answer == (3, "", told)
    assert job.poll() is None


def test_status_and_signals_read_while_a_job_writes(world, mlvitals, start):
    job = start("run", "-c", world.config)
    state = world.folder / "state" / "state.db"
    wait_for(lambda: ask(state, "SELECT count(*) FROM measurement_page") > 0, "windows close")
    assert job.poll() is None
    status = mlvitals("status", "-c", world.config)
    assert (status.code, status.err) == (0, "")
    accepted = [line for line in status.out.splitlines() if "accepted" in line]
    assert [line.split("│")[-2].strip() for line in accepted] == ["600", "600"]
    assert mlvitals("signals", "-c", world.config).code == 0
    assert mlvitals("check", "-c", world.config).code == 0


def test_what_troubles_a_job_is_told_once_as_it_begins(world, start, closed_port, tmp_path):
    world.configure(
        sources=[{"type": "file", "path": "gone*"}, {"type": "file", "path": "events*"}],
        sinks=[{"type": "otlp", "endpoint": closed_port}, {"type": "local"}],
    )
    job = start("run", "-c", world.config)
    state = world.folder / "state" / "state.db"
    wait_for(
        lambda: ask(state, "SELECT count(*) FROM measurement_page") > 0, "the other destination is served meanwhile"
    )
    time.sleep(1.5)
    job.send_signal(signal.SIGTERM)
    assert job.wait(SECONDS) == 0
    told = (tmp_path / "stderr-0").read_text(encoding="utf-8").splitlines()
    assert sum("gone*: no file matches" in line for line in told) == 1
    assert sum(line.startswith("sink otlp: ") for line in told) == 1


def test_a_source_that_cannot_be_read_is_told_and_answered_with_3(world, mlvitals):
    (world.folder / "events-2.gz").write_bytes(b"\x1f\x8b\x08\x00nothing")
    answer = mlvitals("run", "-c", world.config, "--once")
    assert answer.code == 3
    assert f"source file:events*: {world.folder / 'events-2.gz'}: " in answer.err
    assert "1200 rows read" in answer.err


def test_a_line_that_is_not_finished_waits_unless_the_files_are_final(world, make, start):
    events = make.predictions(600, SystemClock().now() - 20 * MINUTE, seed=4)
    data = make.lines(events)[:-1]
    (world.folder / "events.jsonl").write_bytes(data)
    (world.folder / "labels.jsonl").unlink()
    state = world.folder / "state" / "state.db"
    job = start("run", "-c", world.config)
    wait_for(lambda: counted(state) == 599, "whole lines are read")
    time.sleep(1.2)
    assert counted(state) == 599
    job.send_signal(signal.SIGTERM)
    assert job.wait(SECONDS) == 0
    once = start("run", "-c", world.config, "--once")
    assert once.wait(SECONDS) == 0
    assert counted(state) == 600


def test_events_come_through_a_pipe(world, process, make):
    world.configure(sources=[{"type": "file", "path": "-", "role": "predictions"}])
    events = make.predictions(600, make.noon)
    answer = process("run", "-c", world.config, "--once", stdin=make.lines(events))
    assert answer.code == 0
    assert "600 rows read" in answer.err


def test_signals_are_chosen_by_name_and_model(world, mlvitals):
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    chosen = mlvitals("signals", "-c", world.config, "--signal", "mlvitals.prediction.count", "--format", "jsonl")
    found = [json.loads(line) for line in chosen.out.splitlines()]
    assert [one["value"] for one in found] == [60.0] * 9
    assert found[0].keys() == {
        *("signal", "value", "unit", "model", "model_version", "environment", "window_start", "window_end"),
        *("attributes", "samples", "reference_samples", "lower", "upper", "status", "threshold", "evidence"),
        *("revision", "reference_hash"),
    }
    assert (found[0]["window_start"], found[0]["window_end"]) == ("2026-03-01T12:00:00Z", "2026-03-01T12:01:00Z")
    table = mlvitals("signals", "-c", world.config, "--model", "m", "--signal", "mlvitals.prediction.count").out
    assert sum("prediction.count" in line for line in table.splitlines()) == 1
    unknown = mlvitals("signals", "-c", world.config, "--signal", "mlvitals.luck")
    assert unknown.code == 2
    assert "there is no signal `mlvitals.luck`" in unknown.err
    assert mlvitals("signals", "-c", world.config, "--model", "x").code == 2


@pytest.mark.parametrize("sinks", [[{"type": "stdout"}], [{"type": "local"}]], ids=["stdout", "local"])
def test_running_once_more_measures_nothing_again(world, mlvitals, sinks):
    world.configure(sinks=sinks)
    first = mlvitals("run", "-c", world.config, "--once")
    again = mlvitals("run", "-c", world.config, "--once")
    assert first.code == again.code == 0
    # What the job tells of itself is news each time.
    told = [json.loads(line) for line in again.out.splitlines()]
    assert all(one["name"] in {spec.name for spec in RUNNING} for one in told)
    assert again.err.splitlines()[0] == "0 rows read"
    assert f" {len(told)} items delivered" in again.err.splitlines()[1]


def test_every_window_of_ten_minutes_is_measured_once(world, mlvitals):
    world.configure(sinks=[{"type": "stdout"}])
    out = mlvitals("run", "-c", world.config, "--once").out
    lines = [json.loads(line) for line in out.splitlines()]
    counts = [
        (one["start"], one["time"], one["value"]) for one in lines if one.get("name") == "mlvitals.prediction.count"
    ]
    assert len(counts) == len(set(counts)) == 9
    assert all(start.endswith(":00Z") for start, _, _ in counts)
