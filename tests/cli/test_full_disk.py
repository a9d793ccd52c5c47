"""A disk that takes no more ends reading, not the job; nothing is lost or counted twice."""

import resource
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

SECONDS = 60.0
FULL = "the disk took no more"
RESULTS = {
    # How late an event came depends on when it was read.
    "measurements": "SELECT * FROM measurement_page WHERE signal <> 'mlvitals.event.lag' ORDER BY 1, 2, 3, 4, 5, 6, 7",
    "account": "SELECT source, event, disposition, rows FROM account ORDER BY 1, 2, 3",
    "predictions": "SELECT count(*), count(DISTINCT id) FROM prediction",
    "waiting": "SELECT count(*) FROM outbox",
}


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def limit(job: subprocess.Popen[bytes], size: int) -> None:
    """Let no file of a process grow past a size: to write more fails, as on a disk that is full."""
    resource.prlimit(job.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def state(world) -> Path:
    return Path(world.folder / "state" / "state.db")


def results(world):
    with closing(sqlite3.connect(state(world), timeout=30)) as connection:
        return {name: connection.execute(query).fetchall() for name, query in RESULTS.items()}


def ask(world, query: str) -> int:
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(state(world), timeout=30)) as connection:
        return int(connection.execute(query).fetchone()[0] or 0)
    return 0


def fill(world, make):
    """Give a world its configuration and events of ten minutes, in many files, so that they come in many batches."""
    world.configure()
    world.build_reference()
    events = make.predictions(600, make.noon)
    for part in range(12):
        world.write(f"events-{part:02}.jsonl", events[part * 50 : part * 50 + 50])
    world.write("labels.jsonl", make.labels_of(events))


@pytest.fixture(name="told")
def _told(world, make, tmp_path):
    """Fill the world, and return where the first command that is started says what troubles it."""
    for old in world.folder.glob("events*"):
        old.unlink()
    fill(world, make)
    return tmp_path / "stderr-0"


@pytest.fixture
def reference(tmp_path_factory, make, mlvitals):
    """Return what an undisturbed run makes of the same events."""
    other = make.world(tmp_path_factory.mktemp("undisturbed"))
    fill(other, make)
    assert mlvitals("run", "-c", other.config, "--once").code == 0
    return results(other)


@pytest.mark.parametrize("room", [400_000, 700_000])
def test_a_job_goes_on_where_it_stood_when_the_disk_takes_more(*, world, told, start, reference, mlvitals, room):
    job = start("run", "-c", world.config)
    limit(job, room)
    wait_for(lambda: FULL in told.read_text(), "one line says that the disk is full")
    time.sleep(0.5)
    assert job.poll() is None
    limit(job, resource.RLIM_INFINITY)
    wait_for(lambda: ask(world, "SELECT sum(rows) FROM account") >= 1200, "reading goes on")
    job.terminate()
    assert job.wait(SECONDS) == 0
    assert told.read_text().count(FULL) == 1
    assert mlvitals("run", "-c", world.config, "--once").code == 0  # closes the last window, as the undisturbed one
    assert results(world) == reference


def test_once_ends_with_an_error_and_the_next_run_goes_on(world, told, start, reference, mlvitals):
    job = start("run", "-c", world.config, "--once")
    limit(job, 400_000)
    assert job.wait(SECONDS) == 3
    (line,) = told.read_text().splitlines()
    assert line.startswith("mlvitals: the state database: ")
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    assert results(world) == reference


def test_delivery_goes_on_while_nothing_is_read(world, told, start, receiver):
    sinks = [{"type": "local"}, {"type": "otlp", "endpoint": receiver.url}]
    world.configure(sinks=sinks, budget={"export": "full"})
    receiver.refuse = 1_000_000
    job = start("run", "-c", world.config)
    limit(job, 700_000)
    wait_for(lambda: FULL in told.read_text(), "one line says that the disk is full")
    before = len(receiver.taken)
    receiver.refuse = 0
    wait_for(lambda: len(receiver.taken) > before, "what waits is delivered though the disk is full")
    job.terminate()
    assert job.wait(SECONDS) == 0
