"""A run's folder: none is left behind for good, and nobody takes that of another."""

import signal
import subprocess
import sys
import tempfile

import pytest

from mlvitals.state.scratch import scratch_folder

HOLD = """
import sys, time
from mlvitals.state.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "state.db").write_text("what was counted")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@pytest.fixture
def holder():
    process = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def test_it_is_closed_to_others_and_gone_afterwards(temporary):
    with scratch_folder() as folder:
        assert folder.parent == temporary
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "file").write_bytes(b"x")
    assert list(temporary.iterdir()) == []


def test_what_a_killed_run_has_left_goes_with_the_next(temporary, holder):
    [left] = temporary.iterdir()
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (left / "state.db").exists()
    with scratch_folder() as folder:
        assert list(temporary.iterdir()) == [folder]


def test_a_folder_in_use_stays(temporary, holder):
    [theirs] = temporary.iterdir()
    with scratch_folder(), scratch_folder():
        assert (theirs / "state.db").read_text(encoding="ascii") == "what was counted"
    assert list(temporary.iterdir()) == [theirs]
    assert holder.poll() is None


def test_what_is_not_such_a_folder_stays(temporary):
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "lock").touch()
    (temporary / "mlvitals-state-link").symlink_to(elsewhere)
    (temporary / "mlvitals-state-mine").mkdir()
    (temporary / "mlvitals-state-mine" / "file").touch()
    before = sorted(temporary.iterdir())
    with scratch_folder():
        pass
    assert sorted(temporary.iterdir()) == before
    assert (elsewhere / "lock").exists()
