"""A copy of the state is of one moment, whole or not there, while another writes."""

import fcntl
import os
import sqlite3
import stat
import threading
from contextlib import closing

import pytest

from mlvitals.errors import StateError
from mlvitals.state import Migrations, Store
from mlvitals.state.backup import back_up, copy_private

TABLES = Migrations(
    owner="things",
    steps=(("CREATE TABLE thing (number INTEGER PRIMARY KEY, filling BLOB)", "CREATE TABLE total (sum INTEGER)"),),
)


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "state.db", [TABLES]) as store:
        with store.transaction() as connection:
            connection.execute("INSERT INTO total VALUES (0)")
        add(store, 3000)
        yield store


def add(store, count):
    """Add rows, and their count to the total, in one transaction."""
    with store.transaction() as connection:
        connection.executemany("INSERT INTO thing VALUES (NULL, randomblob(4000))", [()] * count)
        connection.execute("UPDATE total SET sum = sum + ?", (count,))


def counts(path):
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return copy.execute("SELECT (SELECT count(*) FROM thing), sum FROM total").fetchone()


def test_a_copy_is_of_one_moment_and_ends_though_the_writer_never_rests(store, tmp_path):
    resting, wrote = threading.Event(), []

    def write():
        while not resting.is_set():
            add(store, 3)
            wrote.append(3)

    writer = threading.Thread(target=write)
    writer.start()
    during = []
    try:
        for number in range(5):
            before = len(wrote)
            back_up(store.path, tmp_path / f"{number}.db", progress=lambda *_: during.append(len(wrote)))
            rows, total = counts(tmp_path / f"{number}.db")
            assert rows == total
            assert 3000 + 3 * before <= total <= 3000 + 3 * len(wrote) + 3
    finally:
        resting.set()
        writer.join()
    assert len(set(during)) > 5  # the writer went on while pages were copied


def test_a_copy_is_one_file_closed_to_others_and_opens_as_a_state(store, tmp_path):
    target = tmp_path / "folder" / "copy.db"
    target.parent.mkdir()
    before = os.umask(0)
    size = back_up(store.path, target)
    os.umask(before)
    assert [file.name for file in target.parent.iterdir()] == ["copy.db"]
    assert (stat.S_IMODE(target.stat().st_mode), target.stat().st_size) == (0o600, size)
    with Store.open(target, [TABLES]) as restored:
        add(restored, 1)
        assert restored.connection.execute("SELECT sum FROM total").fetchone() == (3001,)


def test_a_copy_that_fails_leaves_the_one_before(store, tmp_path):
    target = tmp_path / "copy.db"
    back_up(store.path, target)
    before = target.read_bytes()

    def interrupt(done, pages):
        assert 0 < done <= pages
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(store.path, target, progress=interrupt)
    assert target.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir() if "partial" in file.name) == []


def test_what_a_killed_copy_left_goes_with_the_next_and_what_is_being_made_stays(store, tmp_path):
    folder = tmp_path / "copies"
    folder.mkdir()
    for name in ("copy.db.partial-1", "copy.db.partial-1-journal", "copy.db.partial-2", "copy.db.partial", "other"):
        (folder / name).write_bytes(b"half")
    with (folder / "copy.db.partial-2").open("rb") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        back_up(store.path, folder / "copy.db")
    assert {file.name for file in folder.iterdir()} == {"copy.db", "copy.db.partial-2", "copy.db.partial", "other"}


def test_what_cannot_be_copied_is_named(store, tmp_path):
    with pytest.raises(StateError, match="there is no state to copy"):
        back_up(tmp_path / "none.db", tmp_path / "copy.db")
    with pytest.raises(StateError, match="is the state itself"):
        back_up(store.path, store.path)
    with pytest.raises(StateError, match=r"missing/copy\.db: No such file or directory"):
        back_up(store.path, tmp_path / "missing" / "copy.db")
    (tmp_path / "text.db").write_text("no database, but long enough to be taken for one" * 100)
    with pytest.raises(StateError, match="file is not a database"):
        back_up(tmp_path / "text.db", tmp_path / "copy.db")


def test_a_damaged_state_is_not_taken_for_a_copy(store, tmp_path):
    path = store.path
    store.close()
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 4096] = os.urandom(4096)
    path.write_bytes(data)
    with pytest.raises(StateError, match=r"damaged|malformed"):
        back_up(path, tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


def test_a_small_file_is_copied_closed_to_others(tmp_path):
    (tmp_path / "key").write_bytes(b"k" * 32)
    (tmp_path / "key").chmod(0o644)
    copy_private(tmp_path / "key", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"k" * 32
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600
