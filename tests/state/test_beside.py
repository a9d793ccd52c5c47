"""Rows written beside the process that holds the state."""

import sqlite3
import threading
import time
from contextlib import closing, suppress

import pytest

from mlvitals.errors import StateError
from mlvitals.state import Migrations, Store
from mlvitals.state.beside import writing_beside

LAYER = Migrations(owner="notes", steps=(("CREATE TABLE note (text TEXT NOT NULL) STRICT",),))
OTHER = Migrations(owner="other", steps=(("CREATE TABLE load (bytes BLOB NOT NULL) STRICT",),))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.db"


def notes(connection):
    return [text for (text,) in connection.execute("SELECT text FROM note ORDER BY rowid")]


def note(path, text, **options):
    with writing_beside(path, LAYER, **options) as connection:
        connection.execute("INSERT INTO note VALUES (?)", (text,))


def test_the_process_that_holds_the_state_finds_what_was_written_beside_it(path):
    with Store.open(path, (LAYER,)) as store:
        assert notes(store.connection) == []
        note(path, "a")
        assert notes(store.connection) == ["a"]
        with store.transaction() as connection:
            connection.execute("INSERT INTO note VALUES ('b')")
        note(path, "c")
        assert notes(store.connection) == ["a", "b", "c"]


def test_where_nobody_holds_the_state_it_is_written_all_the_same(path):
    with Store.open(path, (LAYER,)):
        pass
    note(path, "a")
    with Store.open(path, (LAYER,)) as store:
        assert notes(store.connection) == ["a"]


def test_a_block_that_fails_leaves_nothing(path):
    with Store.open(path, (LAYER,)) as store:
        with suppress(RuntimeError), writing_beside(path, LAYER) as connection:
            connection.execute("INSERT INTO note VALUES ('a')")
            raise RuntimeError
        assert notes(store.connection) == []


def test_a_writer_that_commits_without_a_pause_lets_others_in(path):
    """As in a catch-up: transactions of some milliseconds, and hardly anything between them."""
    with Store.open(path, (LAYER, OTHER)) as store:
        stop, transactions = threading.Event(), 0

        def write():
            nonlocal transactions
            while not stop.is_set():
                with store.transaction() as connection:
                    for _ in range(16):
                        connection.execute("INSERT INTO load VALUES (zeroblob(20000))")
                transactions += 1

        thread = threading.Thread(target=write)
        thread.start()
        try:
            time.sleep(0.05)
            before = transactions
            for number in range(10):
                note(path, f"n{number}", patience=20.0)
            during = transactions - before
        finally:
            stop.set()
            thread.join()
        assert notes(store.connection) == [f"n{number}" for number in range(10)]
        assert during > 0


def test_who_never_lets_go_is_not_waited_for_forever(path):
    with Store.open(path, (LAYER,)) as store, store.transaction():
        began = time.monotonic()
        with pytest.raises(StateError, match="no moment was found to write to it"):
            note(path, "a", patience=0.1)
        assert time.monotonic() - began < 5


def test_there_must_be_a_state_with_these_very_tables(path, tmp_path):
    with pytest.raises(StateError, match="there is no state yet"):
        note(path, "a")
    with Store.open(path, (OTHER,)):
        pass
    with pytest.raises(StateError, match="an older mlvitals: let `mlvitals run`"):
        note(path, "a")
    newer = Migrations(owner="notes", steps=(*LAYER.steps, ("ALTER TABLE note ADD COLUMN more TEXT",)))
    with Store.open(path, (newer,)):
        pass
    with pytest.raises(StateError, match="a newer mlvitals"):
        note(path, "a")
    (tmp_path / "text").write_text("not a database, whatever its length may be" * 100, encoding="utf-8")
    with pytest.raises(StateError, match="cannot be written: file is not a database"):
        note(tmp_path / "text", "a")
    with closing(sqlite3.connect(tmp_path / "empty")):
        pass
    (tmp_path / "empty").touch()
    with pytest.raises(StateError, match="an older mlvitals"):
        note(tmp_path / "empty", "a")
