"""A state has one writer whatever name leads to it, and is closed to others."""

import os
import stat
import subprocess
import sys

import pytest

from mlvitals.errors import StateError
from mlvitals.state import Store

OPEN = "import sys; from pathlib import Path; from mlvitals.state import Store; Store.open(Path(sys.argv[1]), [])"


def open_elsewhere(path):
    """Return what another process is told that opens a state."""
    done = subprocess.run([sys.executable, "-c", OPEN, str(path)], capture_output=True, text=True, check=False)
    return done.stderr.splitlines()[-1] if done.returncode else ""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "state.db"


def test_what_is_made_is_readable_by_its_owner_only(path):
    before = os.umask(0o000)
    try:
        with Store.open(path, []) as store, store.transaction() as connection:
            connection.execute("CREATE TABLE thing (name TEXT)")
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(["state.db", "state.db-wal", "state.db-shm", "state.db.lock"], 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_folder_that_is_there_stays_as_it_is(path):
    path.parent.mkdir(mode=0o750)
    Store.open(path, []).close()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o750


@pytest.mark.parametrize("link", ["file", "folder"])
def test_a_second_writer_is_refused_behind_a_symbolic_link(path, tmp_path, link):
    with Store.open(path, []):
        other = tmp_path / "link"
        other.symlink_to(path if link == "file" else path.parent)
        through = other if link == "file" else other / "state.db"
        assert f"{path} is in use by another mlvitals process (pid {os.getpid()})" in open_elsewhere(through)
    assert open_elsewhere(through) == ""


def test_a_second_writer_is_refused_behind_another_mount_of_the_folder(path, tmp_path):
    with Store.open(path, []):
        other = tmp_path / "mounted"
        other.mkdir()
        if subprocess.run(["mount", "--bind", path.parent, other], capture_output=True, check=False).returncode:  # noqa: S607  # where it stands differs
            pytest.skip("only root may mount, and not everywhere")
        try:
            assert "is in use by another mlvitals process" in open_elsewhere(other / "state.db")
        finally:
            subprocess.run(["umount", other], check=True)  # noqa: S607  # as above


def test_a_file_with_a_second_name_is_refused(path, tmp_path):
    Store.open(path, []).close()
    (tmp_path / "second.db").hardlink_to(path)
    for name in (path, tmp_path / "second.db"):
        with pytest.raises(StateError, match=r"has 2 names \(hard links\)"):
            Store.open(name, [])


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match=r"file(/folder)?: (Not a directory|File exists)"):
        Store.open(tmp_path / "file" / "folder" / "state.db", [])
