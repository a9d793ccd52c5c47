import os
import signal
import sqlite3
import subprocess
import sys
import textwrap

import pytest

from mlvitals.errors import StateError
from mlvitals.state import Migrations, Store

FIRST = ("CREATE TABLE thing (name TEXT PRIMARY KEY)", "INSERT INTO thing VALUES ('first')")
SECOND = ("ALTER TABLE thing ADD COLUMN size INTEGER", "UPDATE thing SET size = length(name)")
ONE = Migrations(owner="things", steps=(FIRST,))
TWO = Migrations(owner="things", steps=(FIRST, SECOND))
OTHER = Migrations(owner="others", steps=(("CREATE TABLE other (name TEXT)",),))

HOLDER = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from mlvitals.state import Store
    store = Store.open(Path(sys.argv[1]), [])
    print("open", flush=True)
    time.sleep(60)
""")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "state.db"


@pytest.fixture
def holder(path):
    """Another process that has the database open for writing."""
    path.parent.mkdir(parents=True)
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        yield process
        process.kill()


def rows(store, query):
    return store.connection.execute(query).fetchall()


def test_a_new_database_has_every_layers_tables(path):
    with Store.open(path, [TWO, OTHER]) as store:
        assert rows(store, "SELECT name, size FROM thing") == [("first", 5)]
        assert rows(store, "SELECT owner, version FROM schema_version ORDER BY owner") == [("others", 1), ("things", 2)]


def test_migrations_run_once_and_only_those_that_are_missing(path):
    for migrations in ([ONE], [ONE], [TWO], [TWO, OTHER]):
        Store.open(path, migrations).close()
    with Store.open(path, [TWO, OTHER]) as store:
        assert rows(store, "SELECT name, size FROM thing") == [("first", 5)]


def test_a_migration_that_fails_leaves_the_database_as_it_was(path):
    Store.open(path, [ONE]).close()
    broken = Migrations(owner="things", steps=(FIRST, (*SECOND, "INSERT INTO nowhere VALUES (1)")))
    with pytest.raises(StateError, match="no such table: nowhere"):
        Store.open(path, [broken])
    with Store.open(path, [ONE]) as store:
        assert [column[1] for column in rows(store, "PRAGMA table_info(thing)")] == ["name"]


def test_a_newer_schema_is_refused(path):
    Store.open(path, [TWO]).close()
    with pytest.raises(StateError) as error:
        Store.open(path, [ONE])
    assert str(error.value) == (
        f"{path} was written by a newer mlvitals: its `things` tables have version 2, this program knows 1"
    )
    Store.open(path, [TWO]).close()  # the refused opening let go of the lock


def test_a_second_writer_is_refused_by_the_pid_of_the_first(path, holder):
    with pytest.raises(StateError) as error:
        Store.open(path, [])
    assert str(error.value) == f"{path} is in use by another mlvitals process (pid {holder.pid})"


def test_a_killed_writer_leaves_no_lock(path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    Store.open(path, []).close()


def test_a_reader_sees_what_is_committed_while_another_writes(path):
    with Store.open(path, [ONE]) as writer, Store.open_read_only(path) as reader:
        with writer.transaction() as connection:
            connection.execute("INSERT INTO thing VALUES ('second')")
            assert rows(reader, "SELECT count(*) FROM thing") == [(1,)]
        assert rows(reader, "SELECT count(*) FROM thing") == [(2,)]


def test_a_reader_cannot_write(path):
    Store.open(path, [ONE]).close()
    with Store.open_read_only(path) as reader, pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.connection.execute("INSERT INTO thing VALUES ('second')")


def test_an_error_takes_back_the_whole_transaction(path):
    def fill(store):
        with store.transaction() as connection:
            connection.execute("INSERT INTO thing VALUES ('second')")
            raise KeyboardInterrupt

    with Store.open(path, [ONE]) as store:
        with pytest.raises(KeyboardInterrupt):
            fill(store)
        assert rows(store, "SELECT name FROM thing") == [("first",)]
        with store.transaction() as connection:
            connection.execute("INSERT INTO thing VALUES ('third')")
        assert rows(store, "SELECT name FROM thing ORDER BY name") == [("first",), ("third",)]


def test_a_transaction_inside_another_joins_it(path):
    def fill(store):
        with store.transaction() as outer:
            outer.execute("INSERT INTO thing VALUES ('outer')")
            with store.transaction() as inner:
                assert inner is outer
                inner.execute("INSERT INTO thing VALUES ('inner')")
            raise RuntimeError

    with Store.open(path, [ONE]) as store:
        with pytest.raises(RuntimeError):
            fill(store)
        assert rows(store, "SELECT name FROM thing") == [("first",)]


def test_what_is_committed_survives_the_end_of_the_process(path):
    with Store.open(path, [ONE]) as store, store.transaction() as connection:
        connection.execute("INSERT INTO thing VALUES ('second')")
    with Store.open(path, [ONE]) as store:
        assert rows(store, "SELECT count(*) FROM thing") == [(2,)]


@pytest.mark.parametrize("opening", [lambda path: Store.open(path, []), Store.open_read_only])
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path, opening):
    path = tmp_path / "state.db"
    path.write_text("a letter to a friend, long enough to be no header of any database " * 20)
    before = path.read_bytes()
    with pytest.raises(StateError, match="is not a usable state database: file is not a database"):
        opening(path)
    assert path.read_bytes() == before


def test_reading_before_anything_was_written_says_what_makes_it(path):
    with pytest.raises(StateError, match="there is no state yet; `mlvitals run` makes it"):
        Store.open_read_only(path)
    assert not path.exists()
